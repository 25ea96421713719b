"""The intervals of runner/stats for whole arrays of simulated runs, on logarithms. A test holds the two together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from maintenance.bench_stats.simulation import Array
from runner.stats.intervals import CONFIDENCE, simultaneous_confidence, student_t
from runner.stats.sizing import two_stage_half_width

Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Intervals:
    """Centres and half widths, of logarithms and of the same shape."""

    centre: Array
    half: Array

    def narrower(self, share: float) -> Intervals:
        """Return the intervals with their widths made smaller by this share, to see that the bounds notice it."""
        return Intervals(self.centre, self.half * (1 - share))

    def holds(self, truth: Array | float) -> Flags:
        """Return whether each interval contains the truth."""
        held: Flags = np.abs(self.centre - truth) <= self.half
        return held


def log_ratios(steps: Array) -> Array:
    """Return the log-ratio of speeds of every pair of variants, by run, topology, block and pair.

    `steps` are logarithms of step times by run, topology, block and variant. A pair is a candidate over a variant
    before it, and a speed is one over a step time.
    """
    pairs = list(combinations(range(steps.shape[-1]), 2))
    return np.stack([steps[..., baseline] - steps[..., candidate] for baseline, candidate in pairs], axis=-1)


def of_bars(ratios: Array, family: int = 1) -> Intervals:
    """Return the interval of each pair over its blocks (`geometric_estimate`, and `together` for a family).

    `ratios` are logarithms by run, topology, block and pair; the result is by run, topology and pair.
    """
    blocks = ratios.shape[2]
    t = student_t(simultaneous_confidence(family, CONFIDENCE), blocks - 1)
    return Intervals(ratios.mean(axis=2), t * ratios.std(axis=2, ddof=1) / np.sqrt(blocks))


def of_means(ratios: Array) -> Intervals:
    """Return the interval of each pair's geometric mean over the topologies, by run and pair, as tables.py has it."""
    bars = of_bars(ratios.mean(axis=1, keepdims=True))
    return Intervals(bars.centre[:, 0], bars.half[:, 0])


def of_largest(bars: Intervals) -> tuple[Array, Array]:
    """Return the ends of the interval of each pair's largest bar, by run and pair, given simultaneous intervals."""
    return (bars.centre - bars.half).max(axis=1), (bars.centre + bars.half).max(axis=1)


def of_two_stages(ratios: Array, first: int, blocks: Array, family: int = 1) -> Intervals:
    """Return Stein's interval of each pair (`two_stage_estimate`). `blocks` is how many each run and topology has."""
    spread = ratios[:, :, :first].std(axis=2, ddof=1)
    counted = np.arange(ratios.shape[2]) < blocks[..., np.newaxis]
    centre = (ratios * counted[..., np.newaxis]).sum(axis=2) / blocks[..., np.newaxis]
    one = two_stage_half_width(1.0, first, 1, simultaneous_confidence(family, CONFIDENCE))
    return Intervals(centre, one * spread / np.sqrt(blocks[..., np.newaxis]))
