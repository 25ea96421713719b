"""Carries a plan out: writes the run's header, and makes records and evidence of launches and probes."""
