"""Counts how often a run calls anything faster or slower although nothing differs, over simulated runs.

    python -m runner.stats.null_runs

prints the table in results/README.md. All launches are equally fast except for noise. One part of the noise is shared
by all launches of a block, the other part is each launch's own. The pairs of three variants share launches, as in a
real run. The table gives the share of runs in which any verdict is "faster" or "slower": once if verdicts are read off
each pair's own interval, and once if they are read off the intervals that hold at once for the family.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from runner.stats.family import pairs_among, verdict
from runner.stats.verdict_words import FASTER, SLOWER

NOMINAL = 0.05
BLOCKS = 4
RUNS = 20_000
SEED = 1961
# Standard deviations of log-speeds. A verdict depends on neither: the first cancels in a ratio, and the second scales
# every log-ratio and every interval alike.
BLOCK_NOISE, LAUNCH_NOISE = 0.1, 0.03
APART = (FASTER, SLOWER)
# The number of variants in each group of a run. Every stack has four topologies.
SHAPES = {
    "4 pairs: 4 topologies, 2 variants": (2,) * 4,
    "12 pairs: 4 topologies, 3 variants": (3,) * 4,
    "16 pairs: a stack of each kind": (2,) * 4 + (3,) * 4,
}


@dataclass(frozen=True)
class Share:
    """The share of `runs` with a wrong verdict, read off intervals that hold each alone, and off simultaneous ones."""

    alone: float
    together: float
    runs: int

    def error(self, share: float) -> float:
        """Return the standard error of a share, given the number of independent runs."""
        return math.sqrt(share * (1 - share) / self.runs)


def wrong_verdicts(variants: Sequence[int], blocks: int, runs: int, seed: int = SEED) -> Share:
    """Return the share of runs with any wrong verdict, given the number of variants in each group.

    The same seed gives the same runs.
    """
    rng, family = random.Random(seed), pairs_among(variants)
    alone = together = 0
    for _ in range(runs):
        pairs = [ratios for count in variants for ratios in _ratios(rng, count, blocks)]
        alone += any(verdict(ratios, 1) in APART for ratios in pairs)
        together += any(verdict(ratios, family) in APART for ratios in pairs)
    return Share(alone / runs, together / runs, runs)


def table(runs: int = RUNS, seed: int = SEED) -> str:
    """Return the table in results/README.md."""
    lines = [
        f"| a run of {BLOCKS} blocks | each at 95% by itself | all at once |",
        "|---|---|---|",
    ]
    for name, variants in SHAPES.items():
        found = wrong_verdicts(variants, BLOCKS, runs, seed)
        lines.append(f"| {name} | {_shown(found, found.alone)} | {_shown(found, found.together)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table. This takes some minutes."""
    parser = argparse.ArgumentParser(prog="python -m runner.stats.null_runs", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="simulated runs of each kind (%(default)s)")
    print(table(parser.parse_args().runs))


def _shown(found: Share, share: float) -> str:
    return f"{100 * share:.1f}% ± {200 * found.error(share):.1f}%"


def _ratios(rng: random.Random, variants: int, blocks: int) -> list[list[float]]:
    """Return the block-wise ratios of every pair of one group whose variants are equally fast."""
    speeds: list[list[float]] = [[] for _ in range(variants)]
    for _ in range(blocks):
        shared = rng.gauss(0, BLOCK_NOISE)
        for each in speeds:
            each.append(math.exp(shared + rng.gauss(0, LAUNCH_NOISE)))
    return [
        [other / base for base, other in zip(before, after, strict=True)] for before, after in combinations(speeds, 2)
    ]


if __name__ == "__main__":
    main()
