"""Finds the components of noise in a run by turns: `python -m maintenance.bench_stats.measure RUN`.

Prints them for each cell and pair, and the numbers that components.toml is made from. A launch's and a burst's noise is
taken from the pairs, because what both launches of a block have in common cancels in a speedup.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.stats.components import Component, Components, of_launches, of_ratios, samples_of
from runner.stats.pairs import sitting_of
from runner.stats.results import Results, results_of
from runner.storage.records import Record
from runner.storage.runs import load
from runner.vocabulary import Cell, Group


@dataclass(frozen=True)
class Measured:
    """The components of one cell or pair, and how many steps its bursts have."""

    name: str
    components: Components
    steps: float


def cells(results: Results) -> list[Measured]:
    """Return the components of the log step times of each cell."""
    found = []
    for group, variant in _variants(results):
        cell = group.cell(variant)
        samples = samples_of(_of_sitting(results, cell, sitting_of(cell, results.usable)))
        if samples:
            found.append(Measured(f"{_words(group)} {variant}", of_launches(samples), _steps(samples.values())))
    return found


def pairs(results: Results) -> list[Measured]:
    """Return the components of the paired log-ratios of each pair whose launches have equally many bursts.

    Two variants that did not take turns with one another are left out.
    """
    found = []
    for pair in results.pairs:
        sitting = sitting_of(pair.comparison.cells[1], results.usable)
        one, two = (samples_of(_of_sitting(results, cell, sitting)) for cell in pair.comparison.cells)
        common = [block for block in one if block in two and len(one[block]) == len(two[block])]
        if common and not pair.through:
            sides = [{block: side[block] for block in common} for side in (one, two)]
            steps = statistics.fmean(_steps(side.values()) for side in sides)
            name = f"{_words(pair.group)} {pair.candidate} over {pair.baseline}"
            found.append(Measured(name, of_ratios(*sides), steps))
    return found


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
        print(f"| {each.name} | {' | '.join('' if level is None else f'{level.deviation:.2%}' for level in levels)} |")
    print()
    for name, deviation in of_one_launch(by_cell, by_pair).items():
        print(f"{name} = {deviation:.4f}")


def _mean(levels: Sequence[Component | None]) -> float:
    known = [level.variance for level in levels if level is not None]
    return statistics.fmean(known) if known else 0.0


def _variants(results: Results) -> list[tuple[Group, str]]:
    groups = sorted({launch.cell.group for launch in results.run.launches}, key=Group.report_order)
    return [(group, variant) for group in groups for variant in results.variants(group.stack)]


def _of_sitting(results: Results, cell: Cell, sitting: int | None) -> list[Record]:
    return [record for record in results.of_cell(cell) if record.sitting == sitting]


def _steps(samples: Iterable[Sequence[Sequence[float]]]) -> float:
    """Return the harmonic mean of how many steps a burst has."""
    return statistics.harmonic_mean([len(burst) for bursts in samples for burst in bursts])


def _words(group: Group) -> str:
    return f"{group.stack} {group.topology} {group.batch_size}"


if __name__ == "__main__":
    main()
