"""Carries a plan out: writes the run's header, runs launches and probes, and writes their records and evidence."""
