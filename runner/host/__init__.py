"""Chooses the CPUs that launches are pinned to, and checks whether this host is suitable for measurements."""
