"""How values are written in a report: its own forms. Those it shares with verdicts are in runner/support/wording.py."""

from __future__ import annotations

from runner.stats.intervals import Estimate
from runner.stats.tables import Speedup
from runner.status import Status
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
    "TOPOLOGY_TITLES", "at_once", "ends", "estimated", "factor", "interval", "megabytes", "plural", "present", "shown",
    "significant", "times", "topology_title", "true_largest", "with_interval",
]  # fmt: skip


def megabytes(value: float | None) -> str:
    """Bytes as whole megabytes."""
    return "—" if value is None else f"{value / 1e6:.0f}"


def factor(estimate: Estimate | None) -> str:
    """An estimated factor without its interval: 2.41x."""
    return "—" if estimate is None else times(estimate.value)


def ends(estimate: Estimate | None) -> str:
    """The interval of an estimate alone: 2.31 to 2.52."""
    return "none" if estimate is None else interval(estimate.low, estimate.high)


def estimated(estimate: Estimate | None) -> str:
    """An estimated factor with its interval: 2.41x [2.31, 2.52]."""
    return "—" if estimate is None else with_interval(estimate.value, estimate.low, estimate.high)


def shown(row: Speedup) -> str:
    """A speedup with its interval of all at once, and its status if not ok."""
    status = row.pair.status.words
    if row.together is None:
        return status
    text = estimated(row.together)
    return text if row.pair.status == Status.OK else f"{text} ({status})"


def present(value: object) -> str:
    """Any value of a record for a table cell."""
    if value is None or value in ("", []):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return str(value)
