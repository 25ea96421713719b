"""How many blocks a run needs for a precision, or can have in a budget, from the results of its first blocks.

The decision rests on spreads and durations alone, never on which side was faster (`sizing.py`). Pure functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.stats.living_together import members_of
from runner.stats.pairs import Pair
from runner.stats.sizing import STEP, blocks_needed, blocks_within, spread_of
from runner.storage.records import Record
from runner.vocabulary import Group

# A precision that would take more is not reached, and the run says what it would take.
MOST_BLOCKS = 60


@dataclass(frozen=True)
class Size:
    """What a run is to reach. `precision` is a half width as a share: 0.05 is 5%. `budget_seconds` is wall time."""

    precision: float | None = None
    budget_seconds: float | None = None

    @property
    def options(self) -> str:
        """The options of `compare` that ask for it; empty if nothing is asked for."""
        precision = [] if self.precision is None else [f"--precision {100 * self.precision:g}%"]
        budget = [] if self.budget_seconds is None else [f"--budget {self.budget_seconds:.0f}s"]
        return " ".join([*precision, *budget])


@dataclass(frozen=True)
class Shortfall:
    """A group whose widest interval is wider than requested. `half_width` is a share, `seconds` an estimate."""

    group: Group
    half_width: float
    more_blocks: int
    seconds: float


def seconds_per_block(records: Sequence[Record]) -> dict[Group, float]:
    """The mean wall time of a block of each group that has a record. Launches that live together share their time."""
    spent: dict[Group, float] = {}
    blocks: dict[Group, set[int]] = {}
    for record in records:
        group = record.cell.group
        spent[group] = spent.get(group, 0.0) + float(record.facts["seconds"]) / members_of(record)
        blocks.setdefault(group, set()).add(record.block)
    return {group: seconds / len(blocks[group]) for group, seconds in spent.items()}


def blocks_wanted(
    pairs: Sequence[Pair], first: int, size: Size, seconds_left: float | None, durations: Mapping[Group, float]
) -> dict[Group, int]:
    """How many blocks each group is to have in all, the first ones included.

    A group without two complete first blocks gets no more: nothing is known of its spread.
    """
    spreads = _largest_spreads(pairs, first)
    needed = dict.fromkeys(spreads, first)
    if size.precision is not None:
        for pair in pairs:
            ratios = _first_ratios(pair, first)
            if pair.group in spreads and len(ratios) > 1:
                wanted = min(MOST_BLOCKS, blocks_needed(ratios, size.precision))
                needed[pair.group] = max(needed[pair.group], wanted)
    if size.budget_seconds is None or seconds_left is None:
        return needed
    affordable = blocks_within(seconds_left, durations, spreads, first)
    return (
        affordable
        if size.precision is None
        else {group: min(count, needed[group]) for group, count in affordable.items()}
    )


def shortfalls(
    pairs: Sequence[Pair], half_widths: Mapping[Group, float], size: Size, durations: Mapping[Group, float]
) -> list[Shortfall]:
    """The groups that have not reached the precision, with about what each would take; none without a precision."""
    if size.precision is None:
        return []
    found = []
    for group, width in half_widths.items():
        if width <= size.precision:
            continue
        blocks = max((len(pair.ratios) for pair in pairs if pair.group == group), default=0)
        wanted = blocks * (math.log1p(width) / math.log1p(size.precision)) ** 2
        more = max(STEP, math.ceil((wanted - blocks) / STEP) * STEP)
        found.append(Shortfall(group, width, more, more * durations.get(group, math.nan)))
    return found


def _first_ratios(pair: Pair, first: int) -> list[float]:
    return [ratio for block, ratio in pair.ratio_by_block.items() if block <= first]


def _largest_spreads(pairs: Sequence[Pair], first: int) -> dict[Group, float]:
    spreads: dict[Group, float] = {}
    for pair in pairs:
        ratios = _first_ratios(pair, first)
        if len(ratios) > 1:
            spreads[pair.group] = max(spreads.get(pair.group, 0.0), spread_of(ratios))
    return spreads
