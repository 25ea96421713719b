"""Components of variance of log step times, nested as a run is: blocks, bursts of a block, steps of a burst.

They tell where noise comes from, and so whether more blocks, more bursts or more steps make an interval narrower. No
interval is computed from them: the interval of a speedup only takes its blocks as independent (intervals.py).

Source: Kalibera and Jones 2013, Rigorous benchmarking in reasonable time, section 6. A level's variance of means also
contains the variance of the level below, divided by how many values each mean is of; that part is subtracted.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.stats.estimators import bursts_of, timed_step_seconds
from runner.storage.records import Record

# The seconds of the timed steps of each burst of each block, by the block's number, for launches of one cell.
Samples = Mapping[int, Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Component:
    """One level's own variance, of logarithms, and the degrees of freedom from which it was estimated.

    The estimate of a small variance may be negative. It is kept so, because a mean of many estimates would else be too
    large.
    """

    variance: float
    degrees: int

    @property
    def deviation(self) -> float:
        """The standard deviation of logarithms, which is nearly a share of the value; 0 for a negative variance."""
        return math.sqrt(max(0.0, self.variance))


@dataclass(frozen=True)
class Components:
    """The variance between blocks, between the bursts of a block, and between the steps of a burst.

    A level is None if nothing at that level was repeated.
    """

    blocks: Component | None
    bursts: Component | None
    steps: Component | None


def of_launches(samples: Samples) -> Components:
    """Return the components of the log step times of the launches of one cell, one launch for each block.

    If the launches took no turns, each has one burst. Then the steps vary within the block, and bursts are None.

    Raises:
        ValueError: there is no sample, or a step time that is not positive.
    """
    if not samples or any(not burst or min(burst) <= 0 for bursts in samples.values() for burst in bursts):
        raise ValueError("Components of variance need at least one step of positive length in each burst.")
    return _nested([[[math.log(step) for step in burst] for burst in bursts] for bursts in samples.values()])


def of_ratios(baseline: Samples, candidate: Samples) -> Components:
    """Return the components of the paired log-ratios of two launches of each block, burst by burst.

    The first burst of one launch is paired with the first burst of the other, and so on. What both have in common
    cancels. Bursts differ by their steps too, so that `bursts` includes the steps' part, and `steps` is None.

    Raises:
        ValueError: no block has both launches, or two launches of a block do not have equally many bursts.
    """
    blocks = [block for block in baseline if block in candidate]
    if not blocks or any(len(baseline[block]) != len(candidate[block]) for block in blocks):
        raise ValueError("Paired log-ratios need blocks in which both launches have equally many bursts.")
    return _nested([
        [[_log_mean(one) - _log_mean(other)] for one, other in zip(baseline[block], candidate[block], strict=True)]
        for block in blocks
    ])  # fmt: skip


def samples_of(records: Iterable[Record]) -> dict[int, list[list[float]]]:
    """Return the step seconds of usable launches of one cell, by block and burst.

    All steps of a launch that took no turns are one burst. Give the launches of one sitting only.
    """
    return {
        record.block: bursts_of(record) or [timed_step_seconds(record)] for record in records if record.error is None
    }


def _log_mean(seconds: Sequence[float]) -> float:
    return math.log(statistics.fmean(seconds))


def _nested(blocks: Sequence[Sequence[Sequence[float]]]) -> Components:
    """Return the components of values by block, burst and step."""
    bursts = [burst for block in blocks for burst in block]
    steps = _within(bursts)
    burst_means = [[statistics.fmean(burst) for burst in block] for block in blocks]
    between_bursts = _within(burst_means)
    block_means = [[statistics.fmean(means) for means in burst_means]]
    between_blocks = _within(block_means)
    if between_bursts is None:
        # One burst in each block: what varies below the block is the steps.
        return Components(_without(between_blocks, steps, bursts), None, steps)
    return Components(
        blocks=_without(between_blocks, between_bursts, blocks),
        bursts=_without(between_bursts, steps, bursts),
        steps=steps,
    )


def _within(groups: Sequence[Sequence[float]]) -> Component | None:
    """Return the pooled variance inside of the groups; None if no group has two values."""
    degrees = sum(len(group) - 1 for group in groups)
    if degrees == 0:
        return None
    squares = sum((value - statistics.fmean(group)) ** 2 for group in groups for value in group)
    return Component(squares / degrees, degrees)


def _without(total: Component | None, below: Component | None, groups: Sequence[Sequence[object]]) -> Component | None:
    """Return a variance of means without the part that comes from the level below. `groups` gives how many each has."""
    if total is None or below is None:
        return total
    harmonic = statistics.harmonic_mean([len(group) for group in groups])
    return Component(total.variance - below.variance / harmonic, total.degrees)
