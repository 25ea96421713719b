"""The noise floor: the farthest end of an A/A run's intervals, found again by later runs of the same host and pin."""

from __future__ import annotations

import pytest

from runner.stats.intervals import Estimate
from runner.stats.noise_floor import factor_of, is_below
from runner.storage.header import NoiseFloor

FLOOR = NoiseFloor("then", "2026-01-01T00:00:00+00:00", factor=1.05, bars=4, blocks=4)


@pytest.mark.parametrize(("low", "high", "factor"), [(0.99, 1.03, 1.03), (0.8, 1.1, 1.25), (1.01, 1.02, 1.02)])
def test_the_farther_end_counts_in_either_direction(low: float, high: float, factor: float) -> None:
    assert factor_of(Estimate(1.0, low, high, 4)) == pytest.approx(factor)


@pytest.mark.parametrize(("value", "below"), [(1.04, True), (0.96, True), (1.06, False), (0.95, False)])
def test_a_speedup_is_below_the_floor_on_either_side_of_1(value: float, below: bool) -> None:
    assert is_below(Estimate(value, value, value, 4), FLOOR) is below
