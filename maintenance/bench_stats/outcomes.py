"""What simulated runs came to: how often each kind of interval held the truth, how wide it was, and what it showed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maintenance.bench_stats.intervals import Intervals, of_bars, of_largest, of_means, of_two_stages
from maintenance.bench_stats.simulation import Array
from runner.stats.intervals import CONFIDENCE, student_t
from runner.stats.sizing import FIRST_BLOCKS, STEP

NORMAL_QUANTILE = 1.959964
# The speedup for which the power is given, and the precision for which blocks are added.
SPEEDUP = 1.10
PRECISION = 0.04
# What a budget adds to the first blocks of each topology, on average.
ADDED_BLOCKS = 6
KINDS = ("bar", "mean", "simultaneous", "two stages")


@dataclass(frozen=True)
class Narrower:
    """A kind of interval whose widths are made smaller by a share, to see that the bounds notice it."""

    kind: str = ""
    share: float = 0.0

    def of(self, kind: str, intervals: Intervals) -> Intervals:
        """Return the intervals, narrower if they are of this kind."""
        return intervals.narrower(self.share) if kind == self.kind else intervals


AS_THEY_ARE = Narrower()


@dataclass(frozen=True)
class Outcome:
    """Shares of runs, at one number of blocks. Of several pairs or topologies, the worst counts.

    `bar`, `mean`, `largest` and `family` are coverages: of a bar's own interval, of that of the geometric mean over the
    topologies, of that of the largest bar, and of all simultaneous intervals at once. `power` is the share of bars
    called faster if their true speedup is SPEEDUP. `half_width` and `family_half_width` are medians, of logarithms.
    `bar_to_known` and `mean_to_known` divide the median width by the width if the variance were known.
    """

    blocks: int
    bar: float
    mean: float
    largest: float
    family: float
    power: float
    half_width: float
    family_half_width: float
    bar_to_known: float
    mean_to_known: float


@dataclass(frozen=True)
class TwoStages:
    """Coverages of intervals whose number of blocks was fixed by the spread of the first FIRST_BLOCKS blocks.

    `precise` is that of a bar's own interval where each topology has as many blocks as PRECISION needs; `blocks` is the
    median of their numbers. `budget` and `budget_family` are those of a bar and of all at once where a budget is spread
    over the topologies. `watched` is what `precise` would be if the final spread were taken of all blocks.
    """

    precise: float
    blocks: float
    budget: float
    budget_family: float
    watched: float


def truths(ratios: Array) -> Array:
    """Return the log-ratio of each topology and pair under a scenario: the mean over all runs, in balanced blocks."""
    found: Array = ratios.mean(axis=(0, 2))
    return found


def outcome(ratios: Array, truth: Array, narrower: Narrower = AS_THEY_ARE) -> Outcome:
    """Return what the intervals over all blocks of `ratios` came to, which are by run, topology, block and pair."""
    family = ratios.shape[1] * ratios.shape[3]
    bars = narrower.of("bar", of_bars(ratios))
    means = narrower.of("mean", of_means(ratios))
    together = narrower.of("simultaneous", of_bars(ratios, family))
    low, high = of_largest(together)
    top = truth.max(axis=0)
    return Outcome(
        blocks=ratios.shape[2],
        bar=float(bars.holds(truth).mean(axis=(0, 1)).min()),
        mean=float(means.holds(truth.mean(axis=0)).mean(axis=0).min()),
        largest=float(((low <= top) & (top <= high)).mean(axis=0).min()),
        family=float(together.holds(truth).all(axis=(1, 2)).mean()),
        power=float((together.centre - truth + np.log(SPEEDUP) > together.half).mean()),
        half_width=float(np.median(bars.half)),
        family_half_width=float(np.median(together.half)),
        bar_to_known=_to_known(bars),
        mean_to_known=_to_known(means),
    )


def two_stages(ratios: Array, truth: Array, narrower: Narrower = AS_THEY_ARE) -> TwoStages:
    """Return what intervals in two stages came to. No run has more blocks than `ratios` has."""
    family = ratios.shape[1] * ratios.shape[3]
    # The noisiest pair of a topology decides, because its pairs share launches and so have equally many blocks.
    spreads = ratios[:, :, :FIRST_BLOCKS].std(axis=2, ddof=1).max(axis=2)
    precise = blocks_for_precision(spreads, ratios.shape[2])
    spread_out = blocks_in_budget(spreads, ADDED_BLOCKS * ratios.shape[1], ratios.shape[2])
    kind = "two stages"
    own = narrower.of(kind, of_two_stages(ratios, FIRST_BLOCKS, precise))
    alone = narrower.of(kind, of_two_stages(ratios, FIRST_BLOCKS, spread_out))
    together = narrower.of(kind, of_two_stages(ratios, FIRST_BLOCKS, spread_out, family))
    return TwoStages(
        precise=float(own.holds(truth).mean(axis=(0, 1)).min()),
        blocks=float(np.median(precise)),
        budget=float(alone.holds(truth).mean(axis=(0, 1)).min()),
        budget_family=float(together.holds(truth).all(axis=(1, 2)).mean()),
        watched=float(_watched(ratios, precise).holds(truth).mean(axis=(0, 1)).min()),
    )


def blocks_for_precision(spreads: Array, most: int) -> Array:
    """Return `blocks_needed` for PRECISION by the spreads of the first blocks, but not more than there are."""
    t = student_t(CONFIDENCE, FIRST_BLOCKS - 1)
    needed = np.maximum(FIRST_BLOCKS, np.ceil((t * spreads / np.log1p(PRECISION)) ** 2))
    found: Array = np.minimum(needed + needed % STEP, most)
    return found


def blocks_in_budget(spreads: Array, added: int, most: int) -> Array:
    """Return `blocks_within` for topologies whose blocks take equally long: each run has `added` blocks to spread."""
    blocks = np.full(spreads.shape, float(FIRST_BLOCKS))
    everyone = np.arange(len(spreads))
    for _ in range(added // STEP):
        widths = np.where(blocks < most, spreads / np.sqrt(blocks), -1.0)
        blocks[everyone, widths.argmax(axis=1)] += STEP
    return blocks


def _watched(ratios: Array, blocks: Array) -> Intervals:
    """Return Student's interval over all blocks, as if their number had not been chosen by their spread."""
    count = blocks[..., np.newaxis]
    counted = (np.arange(ratios.shape[2]) < count)[..., np.newaxis]
    centre = (ratios * counted).sum(axis=2) / count
    squares = ((ratios - centre[:, :, np.newaxis]) ** 2 * counted).sum(axis=2)
    quantiles = np.array([0.0, 0.0, *(student_t(CONFIDENCE, count - 1) for count in range(2, ratios.shape[2] + 1))])
    return Intervals(centre, quantiles[count.astype(int)] * np.sqrt(squares / (count - 1) / count))


def _to_known(intervals: Intervals) -> float:
    """Return the median width over the width if the variance were known; the largest of the topologies and pairs."""
    known = NORMAL_QUANTILE * intervals.centre.std(axis=0)
    return float((np.median(intervals.half, axis=0) / known).max())
