"""How often does a run call anything faster or slower where nothing differs? Counted over simulated runs.

    python -m runner.stats.null_runs

prints the table in results/README.md. Every launch's speed is the same but for noise: a block's own, which all its
launches share, and each launch's. The pairs of three variants share launches, as in a real run. What is counted is the
share of runs in which any verdict is "faster" or "slower": read off each pair's own interval, as if it were the only
one, and off those of the family.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from runner.stats.family import pairs_among, verdict

NOMINAL = 0.05
BLOCKS = 4
RUNS = 20_000
SEED = 1961
# Standard deviations of log-speeds. A verdict depends on neither: the first cancels in a ratio, the second scales all.
BLOCK_NOISE, LAUNCH_NOISE = 0.1, 0.03
APART = ("faster", "slower")
# The variants of each topology: one stack with two; that and one with three, as the sample; and four topologies each.
SHAPES = {
    "4 pairs: 4 topologies, 2 variants": (2,) * 4,
    "12 pairs: 4 topologies, 3 variants": (3,) * 4,
    "16 pairs: both, as in the sample": (2,) * 4 + (3,) * 4,
}


@dataclass(frozen=True)
class Share:
    """The share of runs with a wrong verdict, read off each interval alone and off all at once; `runs` were made."""

    alone: float
    together: float
    runs: int

    def error(self, share: float) -> float:
        """The standard error of a share of so many independent runs."""
        return math.sqrt(share * (1 - share) / self.runs)


def wrong_verdicts(variants: Sequence[int], blocks: int, runs: int, seed: int = SEED) -> Share:
    """The share of runs with any wrong verdict, for groups of so many variants each. The same seed, the same runs."""
    rng, family = random.Random(seed), pairs_among(variants)
    alone = together = 0
    for _ in range(runs):
        pairs = [ratios for count in variants for ratios in _ratios(rng, count, blocks)]
        alone += any(verdict(ratios, 1) in APART for ratios in pairs)
        together += any(verdict(ratios, family) in APART for ratios in pairs)
    return Share(alone / runs, together / runs, runs)


def table(runs: int = RUNS, seed: int = SEED) -> str:
    """The table in results/README.md."""
    lines = [
        f"| a run of {BLOCKS} blocks | each at 95% by itself | all at once |",
        "|---|---|---|",
    ]
    for name, variants in SHAPES.items():
        found = wrong_verdicts(variants, BLOCKS, runs, seed)
        lines.append(f"| {name} | {_shown(found, found.alone)} | {_shown(found, found.together)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table; it takes some minutes."""
    parser = argparse.ArgumentParser(prog="python -m runner.stats.null_runs", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="simulated runs of each kind (%(default)s)")
    print(table(parser.parse_args().runs))


def _shown(found: Share, share: float) -> str:
    return f"{100 * share:.1f}% ± {200 * found.error(share):.1f}%"


def _ratios(rng: random.Random, variants: int, blocks: int) -> list[list[float]]:
    """The block-wise ratios of every pair of one group whose variants are equally fast."""
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
