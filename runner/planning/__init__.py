"""Turns a request into launches in their order: BKMs, plans and ladders, as pure functions of data."""
