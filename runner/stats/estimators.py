"""Computes a launch's speed from its raw step times: with the kit's estimator, and with the article's own."""

from __future__ import annotations

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


def images_per_second(record: Record) -> float:
    """Return batch size over median timed step. The median is robust against a step that something else disturbed.

    Raises:
        StatisticsError: the record has no timed step.
    """
    return record.cell.batch_size / statistics.median(timed_step_seconds(record))


def article_line(step_seconds: Sequence[float], batch_size: int) -> ArticleLine:
    """Return the article's own estimator over step times in seconds."""
    speeds = [batch_size / seconds for seconds in step_seconds]
    median = statistics.median(speeds)
    return ArticleLine(
        total=batch_size * len(step_seconds) / sum(step_seconds),
        uncertainty=statistics.pstdev(speeds) / len(speeds) ** 0.5,
        jitter=MAD_TO_SIGMA * statistics.median(abs(speed - median) for speed in speeds),
    )
