"""The one rule by which anything is called faster or slower: all intervals of a run's family hold at once.

A run gives many verdicts. At 95% each, where nothing differs anywhere, one run in five would call one of four
topologies faster or slower, and about half of all runs one of sixteen pairs (runner/stats/null_runs.py counts them).
So whatever says more than "this bar, by itself" is read off intervals that hold all at once with 95%: verdicts, counts
of verdicts, the largest and the smallest, headlines, the terminal's lines, claims.

The family is fixed in the plan, before anything is measured, and does not shrink where something fails:

- of a comparison, every pair of every topology and batch size of every stack: each variant against each before it;
- of a ladder, on every topology and batch size: each rung and branch that is run and has a rung before it, the whole,
  the product of the rungs, and the product held against the whole.

Each interval of a family of n is Student's t with the error probability divided by n (Bonferroni's inequality, Dunn
1961, Multiple comparisons among means, JASA 56: 52-64). It holds whatever the pairs have to do with one another: those
of three variants share launches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import comb

from runner.stats.intervals import CONFIDENCE, FEWEST, Estimate, geometric_estimate, simultaneous_confidence
from runner.storage.runs import Run
from runner.vocabulary import Group

NO_CLEAR_DIFFERENCE = "no clear difference"
TOO_FEW_BLOCKS = "too few blocks for an interval"
# Of each ladder: the product of the rungs, the whole, and the one over the other.
TOTALS = 3


def family_of(run: Run) -> int:
    """How many comparisons of a run are judged: as planned, whatever was measured of them."""
    variants: dict[Group, set[str]] = {}
    for launch in run.launches:
        variants.setdefault(launch.cell.group, set()).add(launch.cell.variant)
    if run.about.is_ladder:
        return sum(_steps(run, group) + TOTALS for group in variants)
    return pairs_among(len(names) for names in variants.values())


def pairs_among(variants: Iterable[int]) -> int:
    """How many pairs groups of so many variants have."""
    return sum(comb(count, 2) for count in variants)


def together(ratios: Sequence[float], family: int) -> Estimate:
    """The geometric mean of one comparison's ratios, with the interval that holds at once with its family's others.

    Raises:
        ValueError: there is no ratio, or one is not positive.
    """
    return geometric_estimate(ratios, simultaneous_confidence(family, CONFIDENCE))


def verdict(ratios: Sequence[float], family: int) -> str:
    """In words: a simultaneous interval across 1 is no clear difference."""
    estimate = together(ratios, family)
    if not estimate.has_interval:
        return TOO_FEW_BLOCKS
    if estimate.low > 1:
        return "faster"
    return "slower" if estimate.high < 1 else NO_CLEAR_DIFFERENCE


def simultaneous(samples: Sequence[Sequence[float]], family: int) -> list[Estimate]:
    """Several comparisons of one family, each with its simultaneous interval.

    Raises:
        ValueError: no samples, or a bar with fewer than two replicates.
    """
    if not samples or min(len(each) for each in samples) < FEWEST:
        raise ValueError("each bar needs at least two replicates")
    return [together(ratios, family) for ratios in samples]


def largest(samples: Sequence[Sequence[float]], family: int) -> Estimate:
    """The largest of several geometric means, with an interval that allows for having picked it.

    All simultaneous intervals of the family hold together with the confidence of 95%; then the largest true value is at
    least the largest lower bound and at most the largest upper bound.

    Raises:
        ValueError: no samples, or a bar with fewer than two replicates.
    """
    return _extreme(max, simultaneous(samples, family))


def smallest(samples: Sequence[Sequence[float]], family: int) -> Estimate:
    """The smallest of several geometric means, by the same reasoning as `largest`.

    Raises:
        ValueError: no samples, or a bar with fewer than two replicates.
    """
    return _extreme(min, simultaneous(samples, family))


def _extreme(pick: Callable[[Iterable[float]], float], bars: Sequence[Estimate]) -> Estimate:
    return Estimate(
        value=pick(bar.value for bar in bars),
        low=pick(bar.low for bar in bars),
        high=pick(bar.high for bar in bars),
        replicates=min(bar.replicates for bar in bars),
    )


def _steps(run: Run, group: Group) -> int:
    """The rungs and branches of a ladder that are run and compared with another."""
    return sum(bool(rung.of) and not rung.left_out for rung in run.about.rungs(group.stack))
