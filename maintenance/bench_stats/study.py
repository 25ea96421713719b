"""Simulates every scenario with two and three variants, at every number of blocks, from one set of runs for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maintenance.bench_stats.intervals import log_ratios
from maintenance.bench_stats.outcomes import AS_THEY_ARE, Narrower, Outcome, TwoStages, outcome, truths, two_stages
from maintenance.bench_stats.scenarios import Noise, Scenario
from maintenance.bench_stats.simulation import Size, launches

SEED = 1945
RUNS = 40_000
BLOCKS = range(3, 11)
VARIANTS = (2, 3)
BURSTS = 4
# The most blocks of a run in two stages. A run that would need more has these.
MOST_BLOCKS = 20


@dataclass(frozen=True)
class Study:
    """One scenario with one number of variants: an outcome for each number of blocks, and for two stages."""

    scenario: Scenario
    variants: int
    outcomes: list[Outcome]
    staged: TwoStages | None


def studies(
    scenarios: Sequence[Scenario], noise: Noise, *, runs: int = RUNS, variants: Sequence[int] = VARIANTS,
    blocks: Sequence[int] = BLOCKS, narrower: Narrower = AS_THEY_ARE, staged: bool = True, bursts: int = BURSTS,
) -> Iterator[Study]:  # fmt: skip
    """Yield each study as soon as it is simulated. Fewer blocks are the first of the same run's more blocks."""
    most = MOST_BLOCKS if staged else max(blocks) + max(blocks) % 2
    for scenario in scenarios:
        for count in variants:
            ratios = log_ratios(launches(scenario, noise, Size(count, most, bursts), runs, SEED))
            truth = truths(ratios)
            yield Study(
                scenario,
                count,
                [outcome(ratios[:, :, :number], truth, narrower) for number in blocks],
                two_stages(ratios, truth, narrower) if staged else None,
            )
