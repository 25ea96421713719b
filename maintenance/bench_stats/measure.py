"""Finds the components of noise in a run by turns: `python -m maintenance.bench_stats.measure RUN`.

Prints them for each cell and pair, and the numbers that components.toml is made from. A launch's and a burst's noise is
taken from the pairs, because what both launches of a block have in common cancels in a speedup.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from runner.stats.components import Component
from runner.stats.noise import Measured, cells, pairs
from runner.stats.results import results_of
from runner.storage.runs import load


def of_one_launch(by_cell: Sequence[Measured], by_pair: Sequence[Measured]) -> dict[str, float]:
    """Return the deviations of one launch, its bursts and its steps: roots of means over pairs or cells."""
    step = _mean([each.components.steps for each in by_cell])
    in_bursts = statistics.fmean(2 * step / each.steps for each in by_pair) if by_pair else 0.0
    burst = (_mean([each.components.bursts for each in by_pair]) - in_bursts) / 2
    launch = _mean([each.components.blocks for each in by_pair]) / 2
    return {name: math.sqrt(max(0.0, variance)) for name, variance in
            (("launch", launch), ("burst", burst), ("step", step))}  # fmt: skip


def main() -> None:
    """Print the components of a run."""
    parser = argparse.ArgumentParser(prog="python -m maintenance.bench_stats.measure", description=__doc__)
    parser.add_argument("run", type=Path, help="the folder of a run by turns")
    results = results_of(load(parser.parse_args().run))
    by_cell, by_pair = cells(results), pairs(results)
    print("| cell or pair | between blocks | between bursts | between steps |\n|---|---|---|---|")
    for each in (*by_cell, *by_pair):
        levels = (each.components.blocks, each.components.bursts, each.components.steps)
        shown = ("" if level is None else f"{level.deviation:.2%}" for level in levels)
        print("|", " | ".join([_words(each), *shown]), "|")
    print()
    for name, deviation in of_one_launch(by_cell, by_pair).items():
        print(f"{name} = {deviation:.4f}")


def _words(each: Measured) -> str:
    group = each.group
    return f"{group.stack} {group.topology} {group.batch_size} {each.name}"


def _mean(levels: Sequence[Component | None]) -> float:
    known = [level.variance for level in levels if level is not None]
    return statistics.fmean(known) if known else 0.0


if __name__ == "__main__":
    main()
