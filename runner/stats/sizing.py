"""Decides how many blocks a run has: from the first blocks' spread, and never by watching an interval shrink.

A run that goes on until its interval is narrow stops where the spread happens to look small, and its intervals hold the
truth less often than they say: 93% to 94% in results/coverage.md. Stein's two stages avoid that. The spread of the
first blocks fixes the number of the rest. The final interval is around the mean of all blocks, but its spread and its
degrees of freedom stay those of the first blocks (Stein 1945, A two-sample test for a linear hypothesis whose power is
independent of the variance, Annals of Mathematical Statistics 16: 243-258). For normal log-ratios it is exact.

The number of blocks may depend on the spread of the first blocks in any way. It must not depend on their mean, nor on
any later block. So the same interval holds if a budget is spread over groups by their first spreads.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from runner.stats.intervals import CONFIDENCE, FEWEST, Estimate, around, simultaneous_confidence, student_t

# With four first blocks Student's t stays at 3.18 for ever, and with those of twelve pairs at 7.9. Six cost two blocks
# more and lower them to 2.57 and 5.0.
FIRST_BLOCKS = 6
# The order of the variants is mirrored from block to block, so blocks are added in pairs.
STEP = 2

Key = TypeVar("Key", bound=Hashable)


def blocks_needed(
    first_ratios: Sequence[float], precision: float, confidence: float = CONFIDENCE, family: int = 1
) -> int:
    """Return how many blocks a pair needs in all, given the ratios of its first blocks. The number is even.

    `precision` is the half width to reach as a share: with 0.05 the interval reaches from a 1.05th of the estimate to
    1.05 times it. With a `family` above 1 it is the half width of the interval that holds at once with the family's.

    Raises:
        ValueError: there are fewer than two ratios, one is not positive, or the precision is not.
    """
    if precision <= 0:
        raise ValueError(f"A precision is a positive share, not {precision}.")
    spread = spread_of(first_ratios)
    t = student_t(simultaneous_confidence(family, confidence), len(first_ratios) - 1)
    blocks = max(len(first_ratios), math.ceil((t * spread / math.log1p(precision)) ** 2))
    return blocks + blocks % STEP


def spread_of(first_ratios: Sequence[float]) -> float:
    """Return the standard deviation of the logarithms of the first blocks' ratios.

    Raises:
        ValueError: there are fewer than two ratios, or one is not positive.
    """
    if len(first_ratios) < FEWEST or min(first_ratios) <= 0:
        raise ValueError(f"A spread needs at least two positive ratios, not {list(first_ratios)}.")
    return statistics.stdev(math.log(ratio) for ratio in first_ratios)


def two_stage_half_width(spread: float, first: int, blocks: int, confidence: float = CONFIDENCE) -> float:
    """Return half the width, in logarithms, of the interval over `blocks` blocks by the spread of the first ones."""
    return student_t(confidence, first - 1) * spread / math.sqrt(blocks)


def two_stage_estimate(ratios: Sequence[float], first: int, confidence: float = CONFIDENCE) -> Estimate:
    """Return the geometric mean of all blocks' ratios, with Stein's interval. `ratios` begins with the `first` ones.

    Without a second stage it is the estimate of `geometric_estimate`.

    Raises:
        ValueError: there are fewer than two first ratios, fewer ratios than that, or one is not positive.
    """
    if len(ratios) < first or min(ratios) <= 0:
        raise ValueError(f"An estimate in two stages needs all of its {first} first ratios, not {list(ratios)}.")
    half = two_stage_half_width(spread_of(ratios[:first]), first, len(ratios), confidence)
    return around(statistics.fmean(math.log(ratio) for ratio in ratios), half, len(ratios))


def blocks_within(
    budget_seconds: float, seconds_per_block: Mapping[Key, float], spreads: Mapping[Key, float], first: int
) -> dict[Key, int]:
    """Return how many blocks each group has in all, the `first` ones included. Each number is even if `first` is.

    `budget_seconds` is what is left after the first blocks. Two blocks more go to the group whose interval is the
    widest, again and again. A group whose next two blocks do not fit any more is passed over. `spreads` has the
    largest spread of each group's pairs (`spread_of`).
    """
    blocks = dict.fromkeys(spreads, first)
    left = budget_seconds
    while fitting := [key for key in spreads if STEP * seconds_per_block[key] <= left and spreads[key] > 0]:
        widest = max(fitting, key=lambda key: spreads[key] / math.sqrt(blocks[key]))
        blocks[widest] += STEP
        left -= STEP * seconds_per_block[widest]
    return blocks
