"""Numbers of blocks and shares of runs, on examples that can be counted."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from maintenance.bench_stats.bounds import faults
from maintenance.bench_stats.outcomes import (
    PRECISION,
    Outcome,
    TwoStages,
    blocks_for_precision,
    blocks_in_budget,
    outcome,
)
from maintenance.bench_stats.scenarios import SCENARIOS
from runner.stats.sizing import FIRST_BLOCKS, blocks_needed, blocks_within, spread_of

GOOD = Outcome(6, 0.95, 0.95, 0.98, 0.95, 0.5, 0.05, 0.1, 1.3, 1.3)
STAGED = TwoStages(0.95, 12, 0.95, 0.95, 0.92)
UNCOVERED = next(each for each in SCENARIOS if not each.promised)


def test_blocks_for_a_precision_are_the_kits() -> None:
    rng = random.Random(3)
    runs = [[math.exp(rng.gauss(0, 0.05)) for _ in range(FIRST_BLOCKS)] for _ in range(20)]
    spreads = np.array([[spread_of(run)] for run in runs])
    expected = [[min(16, blocks_needed(run, PRECISION))] for run in runs]
    assert blocks_for_precision(spreads, 16).tolist() == expected
    assert len({each for (each,) in expected}) > 3


def test_blocks_in_a_budget_are_the_kits() -> None:
    """Where all blocks take a second, 16 more blocks are 16 seconds."""
    spreads = np.random.default_rng(1).lognormal(0, 0.5, (20, 4))
    for row, blocks in zip(spreads, blocks_in_budget(spreads, 16, 100), strict=True):
        kits = blocks_within(16.0, dict.fromkeys(range(4), 1.0), dict(enumerate(row)), FIRST_BLOCKS)
        assert blocks.tolist() == list(kits.values())


def test_shares_are_counted_over_runs() -> None:
    """Four runs of two blocks at -d and +d around a centre: half width 12.706 d. Only the third misses 0."""
    centres, d = np.array([0.0, 0.1, 0.2, -0.1]), 0.01
    ratios = np.stack([centres - d, centres + d], axis=1)[:, np.newaxis, :, np.newaxis]
    found = outcome(ratios, np.zeros((1, 1)))
    assert (found.bar, found.mean, found.largest, found.family) == (0.75, 0.75, 0.75, 0.75)
    assert found.half_width == pytest.approx(12.7062 * d, rel=1e-4)
    assert found.bar_to_known == pytest.approx(12.7062 * d / (1.959964 * centres.std()), rel=1e-4)


def test_nothing_is_wrong_with_what_holds() -> None:
    assert faults(SCENARIOS[0], [GOOD], STAGED, 40_000) == []


@pytest.mark.parametrize(
    ("outcomes", "staged", "words"),
    [
        ([Outcome(6, 0.93, 0.95, 0.98, 0.95, 0.5, 0.05, 0.1, 1.3, 1.3)], STAGED, "a bar: 93.0% is below 94%"),
        ([Outcome(6, 0.95, 0.93, 0.98, 0.95, 0.5, 0.05, 0.1, 1.3, 1.3)], STAGED, "the mean: 93.0% is below 94%"),
        ([Outcome(6, 0.95, 0.95, 0.93, 0.95, 0.5, 0.05, 0.1, 1.3, 1.3)], STAGED, "largest bar: 93.0% is below 94%"),
        ([Outcome(6, 0.95, 0.95, 0.98, 0.942, 0.5, 0.05, 0.1, 1.3, 1.3)], STAGED, "5.8% false alarms are above 5.5%"),
        ([Outcome(6, 0.98, 0.95, 0.98, 0.95, 0.5, 0.05, 0.1, 1.4, 1.3)], STAGED, "98.0% is above 97%, at 1.40 times"),
        ([GOOD], TwoStages(0.93, 12, 0.95, 0.95, 0.92), "two stages, a bar by precision: 93.0% is below 94%"),
        ([GOOD], TwoStages(0.95, 12, 0.95, 0.93, 0.92), "two stages, all at once by budget: 93.0% is below 94%"),
    ],
)
def test_each_broken_bound_is_told(outcomes: list[Outcome], staged: TwoStages, words: str) -> None:
    (fault,) = faults(SCENARIOS[0], outcomes, staged, 40_000)
    assert fault.startswith(f"{SCENARIOS[0].name}: ")
    assert words in fault


def test_too_high_a_coverage_is_fine_where_the_interval_is_narrow() -> None:
    assert faults(SCENARIOS[0], [Outcome(6, 0.98, 0.98, 1, 0.95, 0.5, 0.05, 0.1, 1.3, 1.3)], STAGED, 40_000) == []


def test_a_scenario_without_a_promise_breaks_none() -> None:
    assert faults(UNCOVERED, [Outcome(6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.05, 0.1, 1.3, 1.3)], STAGED, 40_000) == []
