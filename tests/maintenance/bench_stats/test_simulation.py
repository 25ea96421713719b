"""Simulated launches: the kit's estimator, the plan's orders, and noise of the size that was asked for."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from maintenance.bench_stats.design import mean_burst, median_step
from maintenance.bench_stats.scenarios import SCENARIOS, Noise, Scenario, load_noise
from maintenance.bench_stats.simulation import Array, Size, draw_orders, launches, typical_step
from runner.stats.components import of_launches
from runner.stats.estimators import images_per_second
from runner.stats.estimators import typical_step as kits_typical_step
from tests.runner.builders import record

SIZE = Size(variants=3, blocks=4, bursts=4)
SILENT = replace(load_noise(), launch=0.0, burst=0.0, step=0.0)


def test_the_typical_step_is_the_kits() -> None:
    """For 3 to 9 bursts, of which the kit leaves out none, one or two at either end."""
    rng = np.random.default_rng(3)
    for bursts in range(3, 10):
        seconds = rng.lognormal(0, 1, (5, bursts, 2, 3))
        expected = [
            [np.log(kits_typical_step(launch[:, variant].tolist())) for variant in (0, 1)] for launch in seconds
        ]
        assert typical_step(seconds) == pytest.approx(np.array(expected))


def test_the_median_step_is_that_of_a_launch_without_turns() -> None:
    seconds = np.array([[[1.0, 2.0]], [[8.0, 4.0]]])  # two bursts of one variant, two steps each
    assert 4 / np.exp(median_step(seconds)) == pytest.approx(
        images_per_second(record(seconds=[9.0, 1.0, 2.0, 8.0, 4.0]))
    )
    assert np.exp(mean_burst(seconds)) == pytest.approx(3.0)


def test_each_variant_is_before_each_other_one_as_often_as_after_it() -> None:
    """Among the starts of all blocks, and in the rounds of each block."""
    orders = draw_orders(SIZE, random.Random(1))
    for one, other in combinations(range(3), 2):
        assert (orders.start[..., one] < orders.start[..., other]).sum(axis=1).tolist() == [2] * 4
        assert ((orders.place[..., one] < orders.place[..., other]).sum(axis=2) == 2).all()


def test_the_measured_components_are_in_the_simulated_steps() -> None:
    """What the kit finds in 1,600 simulated blocks is what was put in, within 5 standard errors."""
    noise = replace(load_noise(), steps_in_a_burst=2)  # one step does not tell a step from its burst
    kept: list[Array] = []

    def keep(seconds: Array) -> Array:
        kept.append(seconds)
        return typical_step(seconds)

    launches(SCENARIOS[0], noise, Size(2, 4, 4), 400, 5, keep)
    steps = kept[0][:, 0, :, :, 0].reshape(-1, 4, noise.steps_in_a_burst)
    found = of_launches({block: bursts.tolist() for block, bursts in enumerate(steps)})
    assert found.blocks is not None
    assert found.bursts is not None
    assert found.steps is not None
    assert found.steps.deviation == pytest.approx(noise.step, rel=0.05)
    assert found.bursts.variance == pytest.approx(noise.burst**2, abs=5 * 0.9e-4)
    assert found.blocks.variance == pytest.approx(noise.launch**2, abs=5 * 1.0e-4)


@pytest.mark.parametrize(
    ("scenario", "reached"),
    [
        (Scenario("", "", start=0.01), 0.01),
        (Scenario("", "", drift=0.02), 0.0),
        (Scenario("", "", place=0.01), 0.0),
        (Scenario("", "", state=0.0, memory=0.9), 0.0),
    ],
)
def test_what_orders_balance_within_a_block_is_in_no_ratio(scenario: Scenario, reached: float) -> None:
    """Drift and places in rounds cancel in each block of two variants; the order of starting only over two blocks."""
    mean = launches(scenario, SILENT, Size(2, 4, 4), 400, 2, mean_burst)
    ratios = mean[..., 0] - mean[..., 1]
    assert np.abs(ratios) == pytest.approx(np.full(ratios.shape, reached), abs=1e-9)
    assert ratios.mean(axis=2) == pytest.approx(np.zeros(ratios.shape[:2]), abs=1e-9)


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.is_alike], ids=lambda each: each.name)
def test_scenarios_that_are_alike_favour_no_variant(scenario: Scenario) -> None:
    """Else their wrong verdicts would be no false alarms. 6,400 launches of each; 5 standard errors."""
    noise: Noise = load_noise()
    found = launches(scenario, noise, Size(2, 4, 4), 400, 9)
    ratios = found[..., 0] - found[..., 1]
    assert abs(ratios.mean()) < 5 * ratios.std() / ratios.size**0.5
