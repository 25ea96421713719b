"""The sentence for an interval that is so wide that no one can use it. Pure functions."""

from __future__ import annotations

import math

from runner.report.value_text import with_interval
from runner.stats.intervals import CONFIDENCE, FEWEST, Estimate, student_t
from runner.stats.sizing import STEP

# An interval whose upper end is so many times its lower end: the true value may be half the estimate, or twice it.
TOO_WIDE = 4.0
# The half width, as a factor, that the advice on more blocks aims at, and the most blocks that it asks for.
AIM = 1.25
MOST_BLOCKS = 20
# With fewer blocks Student's t alone makes an interval several times wider than more blocks would.
ENOUGH_BLOCKS = 4


def is_unusable(estimate: Estimate) -> bool:
    """Return whether the estimate has an interval, and that is too wide to use."""
    return estimate.has_interval and estimate.high > TOO_WIDE * estimate.low


def cannot_bound(estimate: Estimate) -> str:
    """Return what to do about an interval that is too wide to use; empty if it is not.

    The advice is on the number of blocks, or on the host where even many blocks would not help.
    """
    if not is_unusable(estimate):
        return ""
    what = (
        f"{estimate.replicates} blocks cannot bound this ({with_interval(estimate.value, estimate.low, estimate.high)})"
    )
    if estimate.replicates < ENOUGH_BLOCKS:
        return f"{what}; use {ENOUGH_BLOCKS} or more (--blocks)"
    needed = _blocks_for(AIM, estimate)
    if needed <= MOST_BLOCKS:
        return f"{what}; use {needed} or more (--blocks)"
    return f"{what}: the host changes too much from block to block; `python -m runner doctor` says what may cause it"


def _blocks_for(factor: float, estimate: Estimate) -> int:
    """Return how many blocks would give this half width if their spread stays the same, as an even number.

    The spread is taken back from the interval as if it were one of a single bar. For an interval that holds at once
    with others this asks for more blocks than a bar alone would need.
    """
    half = math.log(estimate.high / estimate.low) / 2
    spread = half * math.sqrt(estimate.replicates) / student_t(CONFIDENCE, estimate.replicates - 1)
    blocks = estimate.replicates
    while blocks < MOST_BLOCKS + STEP and _half_width(spread, blocks) > math.log(factor):
        blocks += STEP
    return blocks + blocks % STEP


def _half_width(spread: float, blocks: int) -> float:
    return student_t(CONFIDENCE, max(FEWEST, blocks) - 1) * spread / math.sqrt(blocks)
