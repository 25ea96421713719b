"""Components of variance: simulated launches whose components are known, and what old records have."""

from __future__ import annotations

import math
import random

import pytest

from runner.stats.components import Components, of_launches, of_ratios, samples_of
from tests.runner.builders import record

BLOCK, BURST, STEP = 0.05, 0.06, 0.06


def simulated(
    rng: random.Random, blocks: int, shared: list[float], bursts: int = 6, steps: int = 4
) -> dict[int, list[list[float]]]:
    """Log-normal steps of launches that have `shared` noise, by block, and noise of their own at each level."""
    return {
        block: [
            [math.exp(launch + burst + rng.gauss(0, STEP)) for _ in range(steps)]
            for burst in [rng.gauss(0, BURST) for _ in range(bursts)]
        ]
        for block, launch in enumerate((part + rng.gauss(0, BLOCK) for part in shared), start=1)
    }  # fmt: skip


def deviations(found: Components) -> list[float | None]:
    return [None if level is None else level.deviation for level in (found.blocks, found.bursts, found.steps)]


def test_the_components_of_simulated_launches_are_found() -> None:
    """Over 1,500 blocks each is within 8% of what was simulated: 3 standard errors of the least certain one."""
    rng = random.Random(1925)
    assert deviations(of_launches(simulated(rng, 1500, [0.0] * 1500))) == pytest.approx([BLOCK, BURST, STEP], rel=0.08)


def test_the_estimate_of_each_variance_has_no_bias() -> None:
    """The mean over 600 runs of four blocks: not subtracting the bursts' part would make the blocks' 30% larger."""
    rng = random.Random(1940)
    runs = [of_launches(simulated(rng, 4, [0.0] * 4)) for _ in range(600)]
    levels = [(run.blocks, run.bursts, run.steps) for run in runs]
    means = [sum(level.variance for level in column if level) / len(runs) for column in zip(*levels, strict=True)]
    assert means == pytest.approx([BLOCK**2, BURST**2, STEP**2], rel=0.12)


def test_what_both_launches_of_a_block_have_in_common_cancels_in_ratios() -> None:
    """Noise of 30% that is shared by a block's launches is not in the ratios; the own noise of both is."""
    rng = random.Random(1966)
    shared = [rng.gauss(0, 0.3) for _ in range(1500)]
    found = of_ratios(simulated(rng, 1500, shared), simulated(rng, 1500, shared))
    burst = math.sqrt(2 * (BURST**2 + STEP**2 / 4))
    assert (found.blocks and found.blocks.deviation) == pytest.approx(math.sqrt(2) * BLOCK, rel=0.12)
    assert (found.bursts and found.bursts.deviation) == pytest.approx(burst, rel=0.05)
    assert found.steps is None


def test_a_launch_of_an_old_record_has_steps_and_no_bursts() -> None:
    """Logs 0 and 2, 1 and 3: variance 2 within each block; means 1 and 2, variance 0.5, minus half of 2."""
    old = [record(block=n, seconds=[9.0, math.exp(n - 1), math.exp(n + 1)]) for n in (1, 2)]
    found = of_launches(samples_of(old))
    assert found.bursts is None
    assert found.steps is not None
    assert (found.steps.variance, found.steps.degrees) == pytest.approx((2.0, 2))
    assert found.blocks is not None
    assert (found.blocks.variance, found.blocks.degrees) == pytest.approx((-0.5, 1))
    assert found.blocks.deviation == 0


def test_the_bursts_of_a_record_are_told_by_its_turns() -> None:
    one = record(seconds=[9.0, 1.0, 2.0, 3.0, 4.0], turns=[0, 2, 2, 5, 5])
    assert samples_of([one, record(block=2, error={"kind": "failed", "message": "it stopped"})]) == {
        1: [[1, 2], [3, 4]]
    }


def test_one_block_shows_no_variance_between_blocks() -> None:
    assert of_launches({1: [[1.0, 2.0], [1.0, 2.0]]}).blocks is None


@pytest.mark.parametrize("samples", [{}, {1: [[]]}, {1: [[1.0, 0.0]]}])
def test_what_is_no_step_time_is_refused(samples: dict[int, list[list[float]]]) -> None:
    with pytest.raises(ValueError, match="positive length"):
        of_launches(samples)


def test_launches_with_unequal_numbers_of_bursts_are_not_paired() -> None:
    with pytest.raises(ValueError, match="equally many bursts"):
        of_ratios({1: [[1.0]]}, {1: [[1.0], [1.0]]})
