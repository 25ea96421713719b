"""Sizes in two stages: by hand, by simulation, and what must not change them."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.stats.intervals import geometric_estimate
from runner.stats.sizing import blocks_needed, blocks_within, spread_of, two_stage_estimate

# Logarithms -1, 0, 1: spread 1, and t(0.975, 2) = 4.302653.
FIRST = [math.exp(-1), 1.0, math.exp(1)]
ratios = st.lists(st.floats(0.1, 10), min_size=2, max_size=10)


def test_the_number_of_blocks_by_hand() -> None:
    """(4.302653 x 1 / 1)^2 = 18.5 blocks, rounded up to 19, and to an even 20."""
    assert blocks_needed(FIRST, math.e - 1) == 20


def test_a_family_needs_more_blocks() -> None:
    """Bonferroni for five pairs: t(0.995, 2) = 9.924843, squared 98.5."""
    assert blocks_needed(FIRST, math.e - 1, family=5) == 100


def test_blocks_that_are_precise_enough_need_no_more() -> None:
    assert blocks_needed([2.0, 2.0, 2.001, 2.001], 0.05) == 4


@given(ratios, st.floats(0.3, 3))
def test_the_size_depends_on_the_spread_and_not_on_the_speedup(values: list[float], factor: float) -> None:
    """Else a run would stop where its estimate pleases."""
    moved = [value * factor for value in values]
    assert spread_of(moved) == pytest.approx(spread_of(values), abs=1e-9)


@given(ratios)
def test_without_a_second_stage_the_interval_is_the_usual_one(values: list[float]) -> None:
    one, other = two_stage_estimate(values, len(values)), geometric_estimate(values)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_the_second_stage_narrows_the_interval_by_its_number_alone() -> None:
    """Later blocks move the estimate; how far apart they are does not count."""
    few, many = two_stage_estimate([*FIRST, 1.0], 3), two_stage_estimate([*FIRST, *[0.5, 2.0] * 6, 1.0], 3)
    assert math.log(few.high / few.value) == pytest.approx(2 * math.log(many.high / many.value))


def test_the_precision_is_reached_and_the_interval_holds_the_truth() -> None:
    """3,000 simulated runs: every interval is as narrow as was asked for, and 95% (within 1.2%) hold the truth."""
    rng, hits = random.Random(1945), 0
    for _ in range(3000):
        run = [1.4 * math.exp(rng.gauss(0, 0.05)) for _ in range(4)]
        run += [1.4 * math.exp(rng.gauss(0, 0.05)) for _ in range(blocks_needed(run, 0.05) - 4)]
        estimate = two_stage_estimate(run, 4)
        assert estimate.high / estimate.value <= 1.05 * (1 + 1e-9)
        hits += estimate.low <= 1.4 <= estimate.high
    assert hits / 3000 == pytest.approx(0.95, abs=0.012)


def test_a_budget_goes_to_the_widest_interval() -> None:
    """A group twice as noisy needs four times the blocks for the same width. The last 60 s fit two short ones."""
    found = blocks_within(24 * 60.0, {"calm": 30.0, "noisy": 60.0}, {"calm": 0.02, "noisy": 0.04}, first=4)
    assert found == {"calm": 8, "noisy": 26}


def test_a_budget_is_not_exceeded_and_what_fits_is_used() -> None:
    """130 s: two blocks of the noisy group would take 200 s, so the other group has them."""
    found = blocks_within(130.0, {"calm": 30.0, "noisy": 100.0}, {"calm": 0.02, "noisy": 0.04}, first=4)
    assert found == {"calm": 8, "noisy": 4}


def test_groups_without_spread_get_no_more_blocks() -> None:
    assert blocks_within(1000.0, {"still": 1.0}, {"still": 0.0}, first=4) == {"still": 4}


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 0.0]])
def test_what_has_no_spread_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive ratios"):
        blocks_needed(values, 0.05)


def test_a_precision_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive share"):
        blocks_needed(FIRST, 0.0)


def test_an_estimate_without_all_its_first_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="all of its 4 first ratios"):
        two_stage_estimate(FIRST, 4)
