"""Checks whether records may be divided by one another, and whether both sides trained the same. Pure functions."""
