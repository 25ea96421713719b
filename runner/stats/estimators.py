"""Computes a launch's speed from its raw step times: with the kit's estimator, and with the article's own.

The kit's estimator depends on how the launch was run. A launch that took turns has bursts, and its speed comes from the
interquartile mean of its bursts. A launch of an older run has only steps, and its speed comes from their median.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from runner.storage.records import Record

# Scales a median absolute deviation to a standard deviation for normal data: 1 / quantile(3/4) (any textbook).
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class ArticleLine:
    """The line that the article's script prints, in images per second (tf_cnn_benchmarks, commit 0704f19, 2017).

    `total` is batch size x steps / elapsed seconds. `uncertainty` is std(batch size / step seconds) / sqrt(steps).
    `jitter` is the median absolute deviation of batch size / step seconds, times MAD_TO_SIGMA.
    """

    total: float
    uncertainty: float
    jitter: float


def timed_step_seconds(record: Record) -> list[float]:
    """Return the seconds of every timed step of a usable launch, without the warm-up steps."""
    return [step.seconds for step in record.training.timed_steps] if record.training else []


def bursts_of(record: Record) -> list[list[float]]:
    """Return the seconds of the timed steps of each burst, in the order of the turns; empty for a launch without turns.

    A burst is what the launch did in one turn.
    """
    bursts: dict[int, list[float]] = {}
    for step in record.training.timed_steps if record.training else ():
        if step.turn is not None:
            bursts.setdefault(step.turn, []).append(step.seconds)
    return [bursts[turn] for turn in sorted(bursts)]


def images_per_second(record: Record) -> float:
    """Return batch size over the launch's typical step time: `typical_step` of its bursts, or else the median step.

    Both are robust against a step that something else disturbed.

    Raises:
        StatisticsError: the record has no timed step.
    """
    bursts = bursts_of(record)
    seconds = typical_step(bursts) if bursts else statistics.median(timed_step_seconds(record))
    return record.cell.batch_size / seconds


def typical_step(bursts: Sequence[Sequence[float]]) -> float:
    """Return the interquartile mean, on logarithms, of the bursts' mean step times.

    As many of the shortest and of the longest bursts are left out as make up a quarter of all, rounded down: one at
    either end of 4 to 7 bursts, none of 3. So one disturbed burst does not count, and a mean of several bursts is
    closer to normal than a median of a few steps is. results/coverage.md compares it with other estimators.

    Raises:
        StatisticsError: there is no burst, or one without a step.
    """
    logs = sorted(math.log(statistics.fmean(steps)) for steps in bursts)
    outside = len(logs) // 4
    return math.exp(statistics.fmean(logs[outside : len(logs) - outside]))


def article_line(step_seconds: Sequence[float], batch_size: int) -> ArticleLine:
    """Return the article's own estimator over step times in seconds."""
    speeds = [batch_size / seconds for seconds in step_seconds]
    median = statistics.median(speeds)
    return ArticleLine(
        total=batch_size * len(step_seconds) / sum(step_seconds),
        uncertainty=statistics.pstdev(speeds) / len(speeds) ** 0.5,
        jitter=MAD_TO_SIGMA * statistics.median(abs(speed - median) for speed in speeds),
    )
