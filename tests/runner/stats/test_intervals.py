"""Intervals: textbook values, coverage by simulation, and what they must never do."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.stats.family import largest, smallest
from runner.stats.intervals import geometric_estimate, half_width, quotient, simultaneous_confidence

speeds = st.lists(st.floats(0.01, 100), min_size=2, max_size=12)


def test_half_width_is_the_textbook_value() -> None:
    """Four values with standard deviation 2: t(0.975, 3) = 3.182446, half width 3.182446."""
    assert half_width([1.0, 3.0, 3.0, 5.0]) == pytest.approx(3.182446 * math.sqrt(8 / 3) / 2, rel=1e-6)


def test_two_equal_blocks_have_an_interval_of_no_width() -> None:
    """Without spread there is nothing to be uncertain of, as far as the blocks tell."""
    estimate = geometric_estimate([2.0, 2.0])
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((2.0, 2.0, 2.0))


def test_one_block_has_no_interval() -> None:
    estimate = geometric_estimate([2.0])
    assert estimate.value == pytest.approx(2.0)
    assert not estimate.has_interval


@given(speeds)
def test_the_inverse_ratio_has_the_inverse_interval(values: list[float]) -> None:
    """Dividing the other way round tells the same story."""
    there, back = geometric_estimate(values), geometric_estimate([1 / value for value in values])
    assert (1 / back.value, 1 / back.high, 1 / back.low) == pytest.approx((there.value, there.low, there.high))


@given(st.lists(speeds, min_size=1, max_size=6))
def test_the_largest_bars_interval_is_no_narrower_below_than_any_single_one_allows(samples: list[list[float]]) -> None:
    """Having picked the largest of several bars costs width: the bounds are those of widened intervals."""
    top = largest(samples, len(samples))
    singles = [geometric_estimate(values) for values in samples]
    assert top.low <= max(single.low for single in singles) * (1 + 1e-9)
    assert top.high >= max(single.high for single in singles) * (1 - 1e-9)


def test_simultaneous_confidence_splits_the_error_over_the_bars() -> None:
    """Five bars at 95% together need 99% each."""
    assert simultaneous_confidence(5) == pytest.approx(0.99)


@pytest.mark.parametrize("blocks", [2, 4, 8])
def test_intervals_hold_the_truth_as_often_as_they_say(blocks: int) -> None:
    """Of 2000 simulated runs with noise between launches, 95% of the intervals hold the true ratio (within 2%)."""
    rng = random.Random(20180101)
    true = 2.3
    hits = 0
    for _ in range(2000):
        estimate = geometric_estimate([true * math.exp(rng.gauss(0, 0.1)) for _ in range(blocks)])
        hits += estimate.low <= true <= estimate.high
    assert hits / 2000 == pytest.approx(0.95, abs=0.02)


def test_the_largest_of_equal_bars_is_not_taken_for_more_than_it_is() -> None:
    """Six bars of the same true speedup: the simultaneous interval of the largest holds it at least 95% of the time."""
    rng = random.Random(7)
    hits = 0
    for _ in range(1000):
        top = largest([[1.5 * math.exp(rng.gauss(0, 0.1)) for _ in range(4)] for _ in range(6)], 6)
        hits += top.low <= 1.5 <= top.high
    assert hits / 1000 >= 0.94


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [1.0, -1.0]])
def test_what_is_not_a_speed_is_refused(values: list[float]) -> None:
    """Empty and non-positive inputs are programming errors, not numbers."""
    with pytest.raises(ValueError, match="positive"):
        geometric_estimate(values)


def test_an_interval_without_bounds_still_has_ends() -> None:
    """Two replicates that differ much, at a high confidence, say that nothing is known; they raise nothing."""
    estimate = geometric_estimate([0.01, 100.0], 0.99999)
    assert (estimate.low, estimate.high) == pytest.approx((1e-12, 1e12))


def test_a_quotient_without_bounds_has_ends_too() -> None:
    """Two replicates a side, far apart, at the confidence of many bars: nothing is known, and nothing is raised."""
    estimate = quotient([1.0, 5.0], [1.0, 1.01], simultaneous_confidence(90))
    assert (estimate.low, estimate.high) == pytest.approx((1e-12, 1e12))


@given(st.lists(speeds, min_size=1, max_size=6))
def test_the_smallest_is_the_largest_of_the_inverse_ratios(samples: list[list[float]]) -> None:
    """Turning every ratio round turns the smallest bar and its interval into the largest one's."""
    low = smallest(samples, len(samples))
    top = largest([[1 / value for value in values] for values in samples], len(samples))
    assert (1 / low.value, 1 / low.high, 1 / low.low) == pytest.approx((top.value, top.low, top.high))
