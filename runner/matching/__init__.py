"""Proves that a pair is matched: every file of both installations, hashed and compared. Knows no engine."""
