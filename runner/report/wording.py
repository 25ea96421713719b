"""How values are written in a report: its own forms here, those it shares with verdicts from runner/wording.py."""

from __future__ import annotations

import math

from runner.wording import TOPOLOGY_TITLES, interval, plural, significant, times, topology_title, with_interval

__all__ = [
    "TOPOLOGY_TITLES", "interval", "megabytes", "plural", "present", "significant", "times", "topology_title",
    "with_interval",
]  # fmt: skip


def megabytes(value: float) -> str:
    """Bytes as whole megabytes."""
    return "—" if math.isnan(value) else f"{value / 1e6:.0f}"


def present(value: object) -> str:
    """Any value of a record for a table cell."""
    if value is None or value in ("", []):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return str(value)
