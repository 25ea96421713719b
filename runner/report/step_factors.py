"""Says in words how much longer some steps of a launch take than its others."""

from __future__ import annotations

from collections.abc import Sequence

from runner.report.value_text import plural
from runner.stats.first_steps import outcome_alone
from runner.stats.intervals import Estimate
from runner.stats.verdict_words import FASTER, NO_CLEAR_DIFFERENCE, SLOWER


def counts_told(outcomes: Sequence[str]) -> str:
    """Return how many cells had which outcome: "slower in 1, faster in 0, no clear difference in 11 of 12 cells"."""
    known = (SLOWER, FASTER, NO_CLEAR_DIFFERENCE)
    return f"{', '.join(f'{each} in {outcomes.count(each)}' for each in known)} of {plural(len(outcomes), 'cell')}"


def factor_told(factor: Estimate | None, unknown: str) -> str:
    """Return a factor of times such as "slower by 3.1% [+1.2%, +5.0%]"; `unknown` says why there is none."""
    if factor is None:
        return unknown
    percent = _percent(factor.value)
    if not factor.has_interval:
        return f"{percent}; one block: no interval"
    outcome = outcome_alone(factor)
    if outcome == NO_CLEAR_DIFFERENCE:
        return f"{outcome}: {percent} {_ends(factor)}"
    return f"{outcome} by {percent.lstrip('+-')} {_ends(factor)}"


def _ends(factor: Estimate) -> str:
    return f"[{_percent(factor.low)}, {_percent(factor.high)}]"


def _percent(factor: float) -> str:
    """Return how much longer a step takes, with its sign; a minus means that it is faster."""
    return f"{100 * (factor - 1):+.1f}%"
