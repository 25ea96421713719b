"""Tests of the host as data."""
