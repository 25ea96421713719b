"""Judges every claim of a publication by the results of a run, in pure functions. Imports no engine."""
