"""How values are written in a report. The forms that verdicts use as well are in runner/support/wording.py."""

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
    """Return bytes as whole megabytes (of 10^6 bytes); a dash for None."""
    return "—" if value is None else f"{value / 1e6:.0f}"


def factor(estimate: Estimate | None) -> str:
    """Return an estimated factor without its interval, such as 2.41x; a dash for None."""
    return "—" if estimate is None else times(estimate.value)


def ends(estimate: Estimate | None) -> str:
    """Return only the interval of an estimate, such as 2.31 to 2.52; "none" for None."""
    return "none" if estimate is None else interval(estimate.low, estimate.high)


def estimated(estimate: Estimate | None) -> str:
    """Return an estimated factor with its interval, such as 2.41x [2.31, 2.52]; a dash for None."""
    return "—" if estimate is None else with_interval(estimate.value, estimate.low, estimate.high)


def shown(row: Speedup) -> str:
    """Return a speedup with its simultaneous interval, and its status if that is not ok."""
    status = row.pair.status.words
    if row.together is None:
        return status
    text = estimated(row.together)
    return text if row.pair.status == Status.OK else f"{text} ({status})"


def present(value: object) -> str:
    """Return any value of a record as the text of a table cell. None and empty values are "not known"."""
    if value is None or value in ("", []):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return str(value)
