"""Intervals for ratios of speeds, from independent blocks. Pure arithmetic on logarithms.

The unit of replication is the block (one launch of each variant), not the step. The steps of one launch are not
independent: they share its memory layout, its placement and the state of the host at that time. The interval is
Student's t on the log-ratios. It is exact for normal log-ratios from two blocks on (Student 1908, The probable error of
a mean; Kalibera and Jones 2013, Rigorous benchmarking in reasonable time, on launches as the unit).
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
# Natural logarithm of a factor of 10^12. An interval that reaches so far says that nothing is known. It is cut there.
FURTHEST = math.log(1e12)


@dataclass(frozen=True)
class Estimate:
    """A positive quantity with its interval. `low` and `high` are NaN if there are fewer than two replicates."""

    value: float
    low: float
    high: float
    replicates: int

    @property
    def has_interval(self) -> bool:
        """Whether there were enough replicates for an interval."""
        return not math.isnan(self.low)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The lower and the upper end; None if there is no interval."""
        return (self.low, self.high) if self.has_interval else None


def geometric_estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the geometric mean of positive replicates, with a t interval on their logarithms.

    Raises:
        ValueError: there is no value, or one is not positive.
    """
    if not values or min(values) <= 0:
        raise ValueError(f"A geometric mean needs at least one value, all of them positive, not {list(values)}.")
    logs = [math.log(value) for value in values]
    centre = statistics.fmean(logs)
    if len(logs) < FEWEST:
        return Estimate(math.exp(centre), math.nan, math.nan, len(logs))
    return around(centre, half_width(logs, confidence), len(logs))


def around(centre: float, half: float, replicates: int) -> Estimate:
    """Return the estimate with this centre and half width, both of logarithms."""
    return Estimate(math.exp(centre), _end(centre - half), _end(centre + half), replicates)


def _end(log: float) -> float:
    """Return an end of an interval from its logarithm, which is cut at `FURTHEST` in either direction."""
    return math.exp(max(-FURTHEST, min(FURTHEST, log)))


def half_width(values: Sequence[float], confidence: float = CONFIDENCE) -> float:
    """Return half the width of Student's t interval for the mean of these values, in their unit.

    Raises:
        StatisticsError: there are fewer than two values.
    """
    return student_t(confidence, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))


@cache
def student_t(confidence: float, degrees: int) -> float:
    """Return Student's t for a two-sided interval. Cached, because a report uses a few values hundreds of times."""
    return float(stats.t.ppf(0.5 + confidence / 2, df=degrees))


def quotient(numerator: Sequence[float], denominator: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the ratio of two independent geometric means, with Welch's interval on the logarithms.

    The interval is that of the difference of the two means of logarithms. The two samples may have different spreads
    and numbers of replicates (Welch 1947, The generalization of "Student's" problem).

    Raises:
        ValueError: a sample has fewer than two values, or a value that is not positive.
    """
    if min(len(numerator), len(denominator)) < FEWEST or min(*numerator, *denominator) <= 0:
        raise ValueError(
            "A ratio of two geometric means needs at least two positive values on each side, not "
            f"{list(numerator)} and {list(denominator)}."
        )
    logs = [[math.log(value) for value in values] for values in (numerator, denominator)]
    centre = statistics.fmean(logs[0]) - statistics.fmean(logs[1])
    low, high = _welch(logs[0], logs[1], confidence)
    return Estimate(math.exp(centre), _end(low), _end(high), min(len(numerator), len(denominator)))


def _welch(one: Sequence[float], other: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return Welch's interval for the difference of two means."""
    if statistics.variance(one) == statistics.variance(other) == 0:
        # Without any spread there is no uncertainty, and Welch's degrees of freedom would be 0 / 0.
        return (statistics.fmean(one) - statistics.fmean(other),) * 2
    with warnings.catch_warnings():
        # SciPy warns if values are nearly the same, because few digits of their spread are exact. Such a spread is as
        # good as none.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(confidence)
    return float(interval.low), float(interval.high)


def simultaneous_confidence(bars: int, confidence: float = CONFIDENCE) -> float:
    """Return the confidence that each of several intervals needs so that all hold at once with `confidence`.

    This is Bonferroni's inequality. It holds for any dependence between the bars.
    """
    return 1 - (1 - confidence) / bars
