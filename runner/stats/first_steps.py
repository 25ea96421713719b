"""Is the first step of a burst slower than its other steps, where another launch has trained before it? Pure functions.

Another launch fills the caches, moves the clock frequency of the CPUs, and is given memory that this one has freed. The
first step after its turn may pay for that, which no step of a launch that trains alone does. So it is an untimed
step, and this measures whether it has to be. In runs of earlier versions the first step was timed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runner.stats.intervals import FEWEST, Estimate, geometric_estimate
from runner.stats.living_together import members_of
from runner.stats.verdict_words import FASTER, NO_CLEAR_DIFFERENCE, SLOWER
from runner.storage.launch_result import Step
from runner.storage.records import Record
from runner.vocabulary import Cell


@dataclass(frozen=True)
class FirstStep:
    """How long the first step after a switch takes in one cell, as a factor of the burst's other steps.

    `bursts` is how many bursts were judged: timed bursts that follow another launch's turn and have two or more steps,
    the first one counted, be it timed or not.
    `factor` has one replicate for each block: the geometric mean over the block's bursts. It is None if no burst could
    be judged. `is_timed` says whether the first step is one of those that the speedups are computed from.
    """

    cell: Cell
    bursts: int
    factor: Estimate | None
    is_timed: bool = False

    @property
    def verdict(self) -> str:
        """Slower or faster, if the interval of this cell by itself excludes 1, else no clear difference.

        It is empty if there is no interval.
        """
        return outcome_alone(self.factor)


def outcome_alone(factor: Estimate | None) -> str:
    """Return slower or faster if a factor of times excludes 1 by its own interval, else no clear difference.

    It is empty if there is no interval.
    """
    if factor is None or not factor.has_interval:
        return ""
    if factor.low > 1:
        return SLOWER
    return FASTER if factor.high < 1 else NO_CLEAR_DIFFERENCE


def first_steps(records: Iterable[Record]) -> dict[Cell, FirstStep]:
    """Return one row for each cell whose launches took turns, in the order of the records."""
    found: dict[Cell, list[Record]] = {}
    for record in records:
        if members_of(record) > 1 and record.training is not None:
            found.setdefault(record.cell, []).append(record)
    return {cell: _of_cell(cell, launches) for cell, launches in found.items()}


def log_ratios(record: Record) -> list[float]:
    """Return log(first step) - mean log(other steps) of each burst that follows another launch's turn.

    Turns are numbered over the whole block. So a burst follows another launch's turn if the turn before it is not one
    of this launch's own. Warm-up bursts and bursts of one step have no part. The first step may be an untimed one.
    """
    return [
        math.log(first.seconds) - statistics.fmean(math.log(step.seconds) for step in others)
        for first, *others in _judged(record)
    ]


def _judged(record: Record) -> list[list[Step]]:
    if record.training is None:
        return []
    own = {burst.turn for burst in record.training.bursts}
    timed = [burst.turn for burst in record.training.bursts if burst.phase == "timed" and burst.turn - 1 not in own]
    bursts = ([step for step in record.training.steps if step.turn == turn] for turn in sorted(timed))
    return [steps for steps in bursts if len(steps) >= FEWEST]


def _of_cell(cell: Cell, launches: Sequence[Record]) -> FirstStep:
    factor = factor_over_blocks(launches, log_ratios)
    if factor is None:
        return FirstStep(cell, 0, None)
    is_timed = all(steps[0].phase == "timed" for record in launches for steps in _judged(record))
    return FirstStep(cell, sum(len(log_ratios(record)) for record in launches), factor, is_timed)


def factor_over_blocks(
    launches: Iterable[Record], log_ratios_of: Callable[[Record], Sequence[float]]
) -> Estimate | None:
    """Return the factor of a cell's launches, with one replicate for each block; None if no launch has a ratio.

    In a block with sittings a cell may have several launches. Their ratios are averaged.
    """
    by_block: dict[int, list[float]] = {}
    for record in launches:
        by_block.setdefault(record.block, []).extend(log_ratios_of(record))
    factors = [math.exp(statistics.fmean(each)) for each in by_block.values() if each]
    return geometric_estimate(factors) if factors else None
