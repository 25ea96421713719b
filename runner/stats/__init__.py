"""Computes tables from records, in pure functions. Imports no engine and draws nothing."""
