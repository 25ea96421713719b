"""The simulated intervals are those of runner/stats, on examples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maintenance.bench_stats.intervals import log_ratios, of_bars, of_largest, of_means, of_two_stages
from runner.stats.family import largest, together
from runner.stats.intervals import Estimate, geometric_estimate, simultaneous_confidence
from runner.stats.pairs import Pair
from runner.stats.sizing import two_stage_estimate
from runner.stats.tables import speedups, summaries
from runner.status import Status
from runner.vocabulary import Group

TOPOLOGIES = ("inception3", "resnet50", "vgg16")
# Two runs of three topologies, five blocks and three variants: log step times, and the log-ratios of their pairs.
STEPS = np.random.default_rng(7).normal(0, 0.2, (2, 3, 5, 3))
RATIOS = log_ratios(STEPS)


def ratios_of(run: int, topology: int, pair: int) -> list[float]:
    return [float(ratio) for ratio in np.exp(RATIOS[run, topology, :, pair])]


def ends(estimate: Estimate) -> tuple[float, float, float]:
    return math.log(estimate.value), math.log(estimate.low), math.log(estimate.high)


def test_a_ratio_is_of_speeds_and_of_the_later_variant_over_the_earlier() -> None:
    """A candidate whose steps take half as long is twice as fast. The pairs are 1 over 0, 2 over 0 and 2 over 1."""
    steps = np.log(np.array([8.0, 4.0, 1.0]))[np.newaxis, np.newaxis, np.newaxis]
    assert np.exp(log_ratios(steps)).flatten() == pytest.approx([2, 8, 4])


@pytest.mark.parametrize("family", [1, 9])
def test_bars_have_the_kits_intervals(family: int) -> None:
    found = of_bars(RATIOS, family)
    for run, topology, pair in np.ndindex(found.centre.shape):
        ratios, at = ratios_of(run, topology, pair), (run, topology, pair)
        kits = together(ratios, family) if family > 1 else geometric_estimate(ratios)
        centre, half = found.centre[at], found.half[at]
        assert (centre, centre - half, centre + half) == pytest.approx(ends(kits))


def test_the_largest_bar_has_the_kits_interval() -> None:
    low, high = of_largest(of_bars(RATIOS, 9))
    for run, pair in np.ndindex(low.shape):
        kits = largest([ratios_of(run, topology, pair) for topology in range(len(TOPOLOGIES))], 9)
        assert (low[run, pair], high[run, pair]) == pytest.approx(ends(kits)[1:])


def test_the_mean_over_topologies_has_the_kits_interval() -> None:
    found = of_means(RATIOS)
    for run, number in np.ndindex(found.centre.shape):
        pairs = [
            Pair(Group("tf-2.14", name, 4), "stock", "intel", (1.0,) * 5, tuple(ratios_of(run, topology, number)),
                 None, Status.OK, "", (1, 2, 3, 4, 5))
            for topology, name in enumerate(TOPOLOGIES)
        ]  # fmt: skip
        (summary,) = summaries(speedups(pairs).values())
        assert summary.mean is not None
        centre, half = found.centre[run, number], found.half[run, number]
        assert (centre, centre - half, centre + half) == pytest.approx(ends(summary.mean))


def test_two_stages_have_the_kits_interval() -> None:
    """The first run stops after its three first blocks on one topology, and goes on elsewhere."""
    blocks = np.array([[3.0, 4.0, 5.0], [5.0, 5.0, 4.0]])
    found = of_two_stages(RATIOS, 3, blocks, family=9)
    for run, topology, pair in np.ndindex(found.centre.shape):
        ratios = ratios_of(run, topology, pair)[: int(blocks[run, topology])]
        kits = two_stage_estimate(ratios, 3, simultaneous_confidence(9))
        centre, half = found.centre[run, topology, pair], found.half[run, topology, pair]
        assert (centre, centre - half, centre + half) == pytest.approx(ends(kits))
