"""Proves that a pair is matched, by hashing and comparing every file of both installations. Knows no engine."""
