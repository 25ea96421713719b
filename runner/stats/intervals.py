"""Intervals for ratios of speeds, from independent blocks. Pure arithmetic on logarithms.

The unit of replication is the block (one launch of each variant), not the step: steps of one launch share its memory
layout, its placement and its minute. With few blocks the interval is Student's t on the log-ratios, which is exact
for normal log-ratios at any number of blocks from two (Student 1908; Kalibera and Jones 2013 on launches as the unit).
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scipy import stats

CONFIDENCE = 0.95
FEWEST = 2
# Natural logarithm of a factor of 10^12: an interval that reaches so far says that nothing is known.
FURTHEST = math.log(1e12)


@dataclass(frozen=True)
class Estimate:
    """A positive quantity with its interval. Without enough replicates `low` and `high` are NaN."""

    value: float
    low: float
    high: float
    replicates: int

    @property
    def has_interval(self) -> bool:
        """Were there enough replicates for an interval?"""
        return not math.isnan(self.low)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends; None without an interval."""
        return (self.low, self.high) if self.has_interval else None


def geometric_estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Geometric mean of positive replicates with a t interval on their logarithms.

    Raises:
        ValueError: there is no value, or one is not positive.
    """
    if not values or min(values) <= 0:
        raise ValueError(f"positive values were expected, not {list(values)}")
    logs = [math.log(value) for value in values]
    centre = statistics.fmean(logs)
    if len(logs) < FEWEST:
        return Estimate(math.exp(centre), math.nan, math.nan, len(logs))
    half = half_width(logs, confidence)
    return Estimate(math.exp(centre), _end(centre - half), _end(centre + half), len(logs))


def _end(log: float) -> float:
    """An end of an interval from its logarithm; one that is further off than `FURTHEST` is told as that."""
    return math.exp(max(-FURTHEST, min(FURTHEST, log)))


def half_width(values: Sequence[float], confidence: float = CONFIDENCE) -> float:
    """Half the width of Student's t interval for a mean."""
    return _quantile(confidence, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))


@cache
def _quantile(confidence: float, degrees: int) -> float:
    """Student's t for a two-sided interval. A report asks for the same few, each some hundred times."""
    return float(stats.t.ppf(0.5 + confidence / 2, df=degrees))


def quotient(numerator: Sequence[float], denominator: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """The ratio of two independent geometric means, with Welch's interval for the difference of the logarithms' means.

    The two may have different spreads and numbers of replicates (Welch 1947).

    Raises:
        ValueError: either has fewer than two values, or one that is not positive.
    """
    if min(len(numerator), len(denominator)) < FEWEST or min(*numerator, *denominator) <= 0:
        raise ValueError(f"two or more positive values each were expected, not {numerator} and {denominator}")
    logs = [[math.log(value) for value in values] for values in (numerator, denominator)]
    centre = statistics.fmean(logs[0]) - statistics.fmean(logs[1])
    low, high = _welch(logs[0], logs[1], confidence)
    return Estimate(math.exp(centre), _end(low), _end(high), min(len(numerator), len(denominator)))


def _welch(one: Sequence[float], other: Sequence[float], confidence: float) -> tuple[float, float]:
    """Welch's interval for the difference of two means."""
    if statistics.variance(one) == statistics.variance(other) == 0:
        # Without any spread there is no uncertainty, and Welch's degrees of freedom are 0 / 0.
        return (statistics.fmean(one) - statistics.fmean(other),) * 2
    with warnings.catch_warnings():
        # Of values that are nearly the same SciPy warns that their spread has few digits. It is as good as none.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(confidence)
    return float(interval.low), float(interval.high)


def simultaneous_confidence(bars: int, confidence: float = CONFIDENCE) -> float:
    """The confidence each of several intervals needs so that all hold at once (Bonferroni: any dependence)."""
    return 1 - (1 - confidence) / bars
