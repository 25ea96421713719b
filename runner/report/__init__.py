"""Draws a run's report from its records: the same records give the same bytes. Imports no engine."""
