"""The components of noise in a run: of each cell's step times, and of each pair's ratios."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.stats.components import Components, of_launches, of_ratios, samples_of
from runner.stats.pairs import groups_of, sitting_of
from runner.stats.results import Results
from runner.storage.records import Record
from runner.vocabulary import Cell, Group


@dataclass(frozen=True)
class Measured:
    """The components of one cell or pair of a group, and how many steps its bursts have.

    `name` is the variant, or the candidate and the baseline.
    """

    group: Group
    name: str
    components: Components
    steps: float


def cells(results: Results) -> list[Measured]:
    """Return the components of the log step times of each cell."""
    found = []
    variants = ((group, name) for group in groups_of(results.run) for name in results.variants(group.stack))
    for group, variant in variants:
        cell = group.cell(variant)
        samples = samples_of(_of_sitting(results, cell, sitting_of(cell, results.usable)))
        if samples:
            found.append(Measured(group, variant, of_launches(samples), _steps(samples.values())))
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
            name = f"{pair.candidate} / {pair.baseline}"
            found.append(Measured(pair.group, name, of_ratios(*sides), steps))
    return found


def _of_sitting(results: Results, cell: Cell, sitting: int | None) -> list[Record]:
    return [record for record in results.of_cell(cell) if record.sitting == sitting]


def _steps(samples: Iterable[Sequence[Sequence[float]]]) -> float:
    """Return the harmonic mean of how many steps a burst has."""
    return statistics.harmonic_mean([len(burst) for bursts in samples for burst in bursts])
