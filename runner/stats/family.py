"""The one rule by which anything is called faster or slower: all intervals of a run's family hold at once.

A run gives many verdicts. Suppose that nothing differs, and that each verdict is read off a 95% interval of its own.
Then one run in five calls at least one of four topologies faster or slower, and about half of all runs call at least
one of sixteen pairs so (runner/stats/null_runs.py counts them). Every statement that is not about one bar alone is
therefore read off intervals that all hold at once with a confidence of 95%: verdicts, counts of verdicts, the largest
and the smallest speedup, headlines, the lines on the terminal, and claims.

The family is fixed in the plan, before anything is measured. It does not shrink where something fails.

- The family of a comparison is every pair of every topology and batch size of every stack: each variant is compared
  with each variant before it.
- The family of a ladder has, for every topology and batch size: each rung and branch that is run and has a rung before
  it, the whole, the product of the rungs, and the product over the whole.

Each interval of a family of n is Student's t with the error probability divided by n (Bonferroni's inequality, Dunn
1961, Multiple comparisons among means, JASA 56: 52-64). The inequality holds for any dependence between the pairs. They
do depend on one another: the three pairs of three variants share launches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import comb

from runner.stats.intervals import CONFIDENCE, FEWEST, Estimate, geometric_estimate, simultaneous_confidence
from runner.stats.sizing import two_stage_estimate
from runner.stats.verdict_words import FASTER, NO_CLEAR_DIFFERENCE, SLOWER
from runner.storage.runs import Run
from runner.vocabulary import Group

# In place of a verdict.
TOO_FEW_BLOCKS = "too few blocks for an interval"
# Each ladder has three comparisons besides its steps: the product of the rungs, the whole, and product over whole.
TOTALS = 3


def family_of(run: Run) -> int:
    """Return how many comparisons of a run are judged at once: as many as were planned, measured or not."""
    variants: dict[Group, set[str]] = {}
    for launch in run.launches:
        variants.setdefault(launch.cell.group, set()).add(launch.cell.variant)
    if run.about.is_ladder:
        return sum(_steps(run, group) + TOTALS for group in variants)
    return pairs_among(len(names) for names in variants.values())


def pairs_among(variants: Iterable[int]) -> int:
    """Return how many pairs there are in all groups, given the number of variants of each group."""
    return sum(comb(count, 2) for count in variants)


def together(ratios: Sequence[float], family: int, first: int | None = None) -> Estimate:
    """Return the geometric mean of one comparison's ratios, with the interval that holds at once with its family's.

    `first` is how many of the ratios are of the first of two stages (`sizing.py`); None for one stage.

    Raises:
        ValueError: there is no ratio, or one is not positive.
    """
    return estimate(ratios, first, simultaneous_confidence(family, CONFIDENCE))


def estimate(ratios: Sequence[float], first: int | None = None, confidence: float = CONFIDENCE) -> Estimate:
    """Return the geometric mean of one comparison's ratios with its interval, over one stage or over two.

    Without two ratios of the first stage a run in two stages has no interval.

    Raises:
        ValueError: there is no ratio, or one is not positive.
    """
    if first is None:
        return geometric_estimate(ratios, confidence)
    if first < FEWEST:
        return replace(geometric_estimate(ratios, confidence), low=math.nan, high=math.nan)
    return two_stage_estimate(ratios, first, confidence)


def verdict(ratios: Sequence[float], family: int, first: int | None = None) -> str:
    """Return the verdict in words. It is "no clear difference" if the simultaneous interval contains 1.

    Raises:
        ValueError: there is no ratio, or one is not positive.
    """
    found = together(ratios, family, first)
    if not found.has_interval:
        return TOO_FEW_BLOCKS
    if found.low > 1:
        return FASTER
    return SLOWER if found.high < 1 else NO_CLEAR_DIFFERENCE


def simultaneous(
    samples: Sequence[Sequence[float]], family: int, firsts: Sequence[int | None] | None = None
) -> list[Estimate]:
    """Return the geometric mean of each of several comparisons of one family, with its simultaneous interval.

    `firsts` has for each comparison how many of its ratios are of the first of two stages; None: all have one stage.

    Raises:
        ValueError: there are no samples, or a bar has fewer than two replicates.
    """
    if not samples or min(len(each) for each in samples) < FEWEST:
        raise ValueError("each bar needs at least two replicates")
    stages = [None] * len(samples) if firsts is None else firsts
    return [together(ratios, family, first) for ratios, first in zip(samples, stages, strict=True)]


def largest(samples: Sequence[Sequence[float]], family: int, firsts: Sequence[int | None] | None = None) -> Estimate:
    """Return the largest of several geometric means, with an interval that allows for its having been picked.

    All simultaneous intervals of the family hold at once with a confidence of 95%. Where they do, the largest true
    value is at least the largest lower end and at most the largest upper end.

    Raises:
        ValueError: there are no samples, or a bar has fewer than two replicates.
    """
    return _extreme(max, simultaneous(samples, family, firsts))


def smallest(samples: Sequence[Sequence[float]], family: int, firsts: Sequence[int | None] | None = None) -> Estimate:
    """Return the smallest of several geometric means, with an interval by the same reasoning as in `largest`.

    Raises:
        ValueError: there are no samples, or a bar has fewer than two replicates.
    """
    return _extreme(min, simultaneous(samples, family, firsts))


def _extreme(pick: Callable[[Iterable[float]], float], bars: Sequence[Estimate]) -> Estimate:
    return Estimate(
        value=pick(bar.value for bar in bars),
        low=pick(bar.low for bar in bars),
        high=pick(bar.high for bar in bars),
        replicates=min(bar.replicates for bar in bars),
    )


def _steps(run: Run, group: Group) -> int:
    """Return how many rungs and branches of a ladder are run and compared with another rung."""
    return sum(bool(rung.of) and not rung.left_out for rung in run.about.rungs(group.stack))
