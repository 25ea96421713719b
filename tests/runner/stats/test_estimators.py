"""Estimators of one launch's speed."""

from __future__ import annotations

import pytest

from runner.stats.estimators import article_line, images_per_second, timed_step_seconds
from tests.runner.builders import record


def test_warm_up_steps_are_not_timed() -> None:
    assert timed_step_seconds(record(seconds=[99.0, 1.0, 2.0])) == [1.0, 2.0]


def test_one_disturbed_step_does_not_move_our_estimate() -> None:
    """Batch size over the median step time."""
    assert images_per_second(record(seconds=[9.0, 1.0, 1.0, 50.0], batch_size=32)) == pytest.approx(32.0)


def test_the_articles_line_by_hand() -> None:
    """Batch 32 in steps of 1, 2 and 4 s: 96 images in 7 s; speeds 32, 16, 8; median 16, deviations 16, 0, 8."""
    line = article_line([1.0, 2.0, 4.0], 32)
    assert line.total == pytest.approx(96 / 7)
    assert line.uncertainty == pytest.approx(9.9777 / 3**0.5, rel=1e-4)
    assert line.jitter == pytest.approx(1.4826 * 8)
