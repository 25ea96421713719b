"""Compares sizes of a block by their width in a given time, and estimators of a launch's speed by their width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from maintenance.bench_stats.intervals import log_ratios, of_bars
from maintenance.bench_stats.outcomes import truths
from maintenance.bench_stats.scenarios import SCENARIOS, TOPOLOGIES, Noise
from maintenance.bench_stats.simulation import Array, Size, launches, typical_step

VARIANTS = 3
FAMILY = TOPOLOGIES * 3
BLOCKS = (4, 6, 8, 10, 12)
BURSTS = (2, 4, 6, 8)
SEED = 1908


@dataclass(frozen=True)
class Design:
    """A size of a topology's blocks: the seconds it takes, its median half widths, and the share that is timed.

    Half widths are of logarithms.
    """

    blocks: int
    bursts: int
    seconds: float
    half_width: float
    family_half_width: float
    timed: float


def designs(noise: Noise, runs: int) -> list[Design]:
    """Return the width and the time of every size, with three variants and nothing but the measured noise."""
    found = []
    for bursts in BURSTS:
        ratios = log_ratios(launches(SCENARIOS[0], noise, Size(VARIANTS, max(BLOCKS), bursts), runs, SEED))
        for blocks in BLOCKS:
            halves = [np.median(of_bars(ratios[:, :, :blocks], family).half) for family in (1, FAMILY)]
            timed = VARIANTS * bursts * noise.seconds_of_a_burst
            seconds = noise.seconds_to_start + timed
            found.append(Design(blocks, bursts, blocks * seconds, float(halves[0]), float(halves[1]), timed / seconds))
    return found


def best_within(found: list[Design], seconds: float) -> Design | None:
    """Return the size with the narrowest simultaneous interval within this time; None if none ends in it."""
    fitting = [each for each in found if each.seconds <= seconds]
    return min(fitting, key=lambda each: each.family_half_width) if fitting else None


def median_step(seconds: Array) -> Array:
    """Return the logarithm of the median of all steps of each launch, by ..., burst, variant and step."""
    steps = np.moveaxis(seconds, -2, -3)
    found: Array = np.log(np.median(steps.reshape(*steps.shape[:-2], -1), axis=-1))
    return found


def mean_burst(seconds: Array) -> Array:
    """Return the mean of the logarithms of all bursts' mean steps."""
    found: Array = np.log(seconds.mean(axis=-1)).mean(axis=-2)
    return found


ESTIMATORS: Mapping[str, Callable[[Array], Array]] = {
    "interquartile mean of the bursts": typical_step,
    "mean of the bursts": mean_burst,
    "median of the steps": median_step,
}


def estimators(noise: Noise, runs: int, size: Size) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Yield each promised scenario with the coverage and the median half width of a bar by each estimator."""
    for scenario in SCENARIOS:
        if scenario.promised:
            found = []
            for estimator in ESTIMATORS.values():
                ratios = log_ratios(launches(scenario, noise, size, runs, SEED, estimator))
                bars = of_bars(ratios)
                found.append((float(bars.holds(truths(ratios)).mean()), float(np.median(bars.half))))
            yield scenario.name, found
