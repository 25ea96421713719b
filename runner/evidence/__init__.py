"""Evidence on what causes a speedup: parses what a probe printed, gives verdicts, and stores both. Starts nothing.

All modules but the store are pure functions.
"""
