"""Were launches warm when timing began? The first half of their timed steps against the second half. Pure functions.

Warm-up has a fixed number of steps at least (`--warmup`). Whether that was enough is judged here, by data: a launch
that was still warming up is slower in the first half. A drift of the host over seconds looks the same.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from runner.stats.estimators import timed_step_seconds
from runner.stats.first_steps import factor_over_blocks, outcome_alone
from runner.stats.intervals import Estimate
from runner.storage.records import Record
from runner.vocabulary import Cell


@dataclass(frozen=True)
class Steadiness:
    """How long a step takes in the first half of a launch's timed steps, as a factor of the second half.

    `factor` has one replicate for each block. It is None if no launch of the cell has two timed steps. `warmup` is the
    fewest steps that a launch of the cell ran before its first timed one.
    """

    cell: Cell
    warmup: int
    factor: Estimate | None

    @property
    def verdict(self) -> str:
        """Slower or faster at first, if the interval of this cell by itself excludes 1; "" without an interval."""
        return outcome_alone(self.factor)


def steadiness(records: Iterable[Record]) -> dict[Cell, Steadiness]:
    """Return one row for each cell with a launch that trained, in the order of the records."""
    found: dict[Cell, list[Record]] = {}
    for record in records:
        if record.training is not None:
            found.setdefault(record.cell, []).append(record)
    return {cell: _of_cell(cell, launches) for cell, launches in found.items()}


def log_ratios(record: Record) -> list[float]:
    """Return mean log(first half) - mean log(second half) of a launch's timed steps; empty if it has fewer than two.

    A step in the middle of an odd number has no part.
    """
    seconds = timed_step_seconds(record)
    half = len(seconds) // 2
    if not half:
        return []
    first, second = (statistics.fmean(map(math.log, part)) for part in (seconds[:half], seconds[-half:]))
    return [first - second]


def _of_cell(cell: Cell, launches: list[Record]) -> Steadiness:
    return Steadiness(cell, min(map(warmup_steps, launches)), factor_over_blocks(launches, log_ratios))


def warmup_steps(record: Record) -> int:
    """Return how many steps a launch ran before its first timed one."""
    if record.training is None:
        return 0
    phases = [step.phase for step in record.training.steps]
    return phases.index("timed") if "timed" in phases else len(phases)
