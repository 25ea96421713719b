"""Draws a run's report from its records. The same records give the same bytes. Imports no engine."""
