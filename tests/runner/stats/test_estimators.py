"""Estimators of one launch's speed."""

from __future__ import annotations

import pytest

from runner.stats.estimators import article_line, images_per_second, timed_step_seconds, typical_step
from tests.runner.builders import record


def test_warm_up_steps_are_not_timed() -> None:
    assert timed_step_seconds(record(seconds=[99.0, 1.0, 2.0])) == [1.0, 2.0]


def test_one_disturbed_step_does_not_move_our_estimate() -> None:
    """Batch size over the median step time."""
    assert images_per_second(record(seconds=[9.0, 1.0, 1.0, 50.0], batch_size=32)) == pytest.approx(32.0)


def test_a_launch_that_took_turns_is_estimated_from_its_bursts() -> None:
    """Four bursts of mean 1, 2, 8 and 100 s: the shortest and the longest are left out, and sqrt(2 x 8) is 4."""
    launch = record(
        seconds=[9.0, 0.5, 1.5, 100.0, 100.0, 2.0, 2.0, 6.0, 10.0], turns=[0, 2, 2, 5, 5, 6, 6, 9, 9], batch_size=32
    )
    assert images_per_second(launch) == pytest.approx(8.0)


def test_of_three_bursts_none_is_left_out() -> None:
    assert typical_step([[1.0], [2.0], [4.0]]) == pytest.approx(2.0)


def test_a_single_long_step_in_a_burst_counts_with_its_burst() -> None:
    """A step that is always slow, as the first after a switch may be, is not dropped."""
    assert typical_step([[3.0, 1.0], [3.0, 1.0]]) == pytest.approx(2.0)


def test_the_articles_line_by_hand() -> None:
    """Batch 32 in steps of 1, 2 and 4 s: 96 images in 7 s; speeds 32, 16, 8; median 16, deviations 16, 0, 8."""
    line = article_line([1.0, 2.0, 4.0], 32)
    assert line.total == pytest.approx(96 / 7)
    assert line.uncertainty == pytest.approx(9.9777 / 3**0.5, rel=1e-4)
    assert line.jitter == pytest.approx(1.4826 * 8)
