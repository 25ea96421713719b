"""How values are written in a report: its own forms. Those it shares with verdicts are in runner/support/wording.py."""

from __future__ import annotations

import math
from typing import Any

from runner.support.wording import (
    TOPOLOGY_TITLES,
    at_once,
    interval,
    plural,
    significant,
    times,
    topology_title,
    true_largest,
    with_interval,
)

__all__ = [
    "TOPOLOGY_TITLES", "at_once", "interval", "megabytes", "plural", "present", "shown", "significant", "times",
    "topology_title", "true_largest", "with_interval",
]  # fmt: skip


def megabytes(value: float) -> str:
    """Bytes as whole megabytes."""
    return "—" if math.isnan(value) else f"{value / 1e6:.0f}"


def shown(row: Any) -> str:
    """A row of the table of speedups: the speedup with its interval of all at once, and its status if not ok."""
    status = str(row.status).replace("_", " ")
    if math.isnan(row.speedup):
        return status
    text = with_interval(row.speedup, row.family_ci_low, row.family_ci_high)
    return text if row.status == "ok" else f"{text} ({status})"


def present(value: object) -> str:
    """Any value of a record for a table cell."""
    if value is None or value in ("", []):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return str(value)
