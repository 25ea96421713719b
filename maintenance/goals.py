"""Holds runs against the goals of measuring by turns: `python -m maintenance.goals [RUN ...]`, or `make bench`.

Reads what runs recorded, and measures nothing. Without arguments it looks at results/sample and at every run in
results/runs, and takes the newest that has what a row needs. A row that no run can fill says so.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from runner.cli.engine_ratio import ENGINE_NAMES, engine_ratios, over_all_cells
from runner.errors import RunFormatError
from runner.report.observer import own_share
from runner.report.sequence import is_by_turns
from runner.report.value_text import with_interval
from runner.session.planned import DEFAULT_PRESET
from runner.stats.agreement import compare_pairs
from runner.stats.intervals import FEWEST, geometric_estimate, quotient
from runner.stats.launch_time import launch_time
from runner.stats.pairs import Pair
from runner.stats.results import Results, results_of
from runner.stats.tables import half_width
from runner.storage import runs

SAMPLE = Path("results/sample")
IN_SEQUENCE = "--in-sequence"
SIZES = ("--blocks", "--topologies", "--topology-file", "--batch-sizes", "--bursts", "--burst-seconds", "--steps",
         "--warmup", "--variants", "--budget", "--precision", "--aa", IN_SEQUENCE)  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """A bound for one number. `limit` and `before` are in the number's unit; `before` is None if it was not measured.

    `at_least` is false if the number must not be above the limit. Numbers are shares, unless `unit` is "min".
    """

    what: str
    before: float | None
    limit: float
    at_least: bool = False
    unit: str = "%"

    def holds(self, value: float) -> bool:
        """Whether a number meets the goal."""
        return value >= self.limit if self.at_least else value <= self.limit

    def text(self, value: float) -> str:
        """A number in the goal's unit."""
        return f"{value:.0f} min" if self.unit == "min" else f"{value:.1%}"


@dataclass(frozen=True)
class Found:
    """A goal with the number that a run has, and where it comes from; None if no run has it."""

    goal: Goal
    value: float | None
    source: str


TIMED = Goal("quick: share of the launches' wall time that is timed", 0.104, 0.5, at_least=True)
QUICK = (
    Goal("quick: minutes, probes included", 18, 15, unit="min"),
    Goal("quick: half width of a 95% interval, median", 0.23, 0.09),
    Goal("quick: half width of a 95% interval, largest", 0.27, 0.15),
)
# With a budget: what the minutes and the half widths are to be, by preset and budget. Of 8 minutes no width is asked.
WITH_BUDGET = {
    ("quick", "8m"): (Goal("quick --budget 8m: minutes", None, 8, unit="min"),),
    ("quick", "35m"): (
        Goal("quick --budget 35m: minutes", None, 35, unit="min"),
        Goal("quick --budget 35m: half width of a 95% interval, median", None, 0.05),
        Goal("quick --budget 35m: half width of a 95% interval, largest", None, 0.09),
    ),
    ("figure1", "2h"): (
        Goal("figure1 --budget 2h on tf-1.12 and tf-2.14: minutes", None, 120, unit="min"),
        Goal("figure1 --budget 2h: half width of a 95% interval, median", None, 0.035),
        Goal("figure1 --budget 2h: half width of a 95% interval, largest", None, 0.06),
    ),
}
OF_FIGURE1 = {"tf-1.12", "tf-2.14"}
FIGURE1 = (
    Goal("figure1 on tf-1.12 and tf-2.14: minutes", 60, 60, unit="min"),
    Goal("figure1: half width of a 95% interval, median", 0.074, 0.05),
    Goal("figure1: half width of a 95% interval, largest", 0.13, 0.09),
)
CONTAINER = (
    Goal("container and process: how far the ratio is from 1", 0.01, 0.01),
    Goal("container and process: half width of its 95% interval", 0.37, 0.01),
)
BY_HAND = (
    Goal("inside the kit and by hand: how far the ratio is from 1", None, 0.03),
    Goal("inside the kit and by hand: half width of its 95% interval", None, 0.03),
)
SEQUENCE = (
    Goal("turns and separate launches: speedups whose difference excludes 0", None, 0),
    Goal("turns and separate launches: pooled difference of speedups", None, 0.02),
)
OBSERVER = Goal("the kit's own CPU time while launches run, of one core, median", 0.18, 0.01)


def preset_of(measured: Results, budget: str = "") -> str:
    """The preset that a run was made with, with this --budget and no other size of its own; "" for any other run."""
    words = [part for word in shlex.split(measured.header.command) for part in word.split("=", 1)]
    if budget:
        if "--budget" not in words or words[words.index("--budget") + 1 :][:1] != [budget]:
            return ""
        words.remove("--budget")
    if "compare" not in words or any(word in SIZES for word in words):
        return ""
    return words[words.index("--preset") + 1] if "--preset" in words else DEFAULT_PRESET


def minutes_of(measured: Results) -> float:
    """The minutes from the run's creation, before its probes, to the end of its last launch."""
    ended = max(datetime.fromisoformat(str(record.facts["ended"])) for record in measured.records)
    return (ended - datetime.fromisoformat(measured.header.created)).total_seconds() / 60


def half_widths(measured: Results) -> list[float]:
    """The half width of each bar's own 95% interval."""
    known = [row.alone for row in measured.speedups.values() if row.alone is not None and row.alone.has_interval]
    return [half_width(each) for each in known]


def of_quick(measured: Results) -> list[Found]:
    """What a run of the preset quick says."""
    time = launch_time(measured.usable)
    return [Found(TIMED, None if time is None else time.timed_share, _source(measured)), *_widths(QUICK, measured)]


def of_figure1(measured: Results) -> list[Found]:
    """What a run of the preset figure1 says."""
    return _widths(FIGURE1, measured)


def of_engines(container: Results, process: Results) -> list[Found]:
    """What the two runs say in which containers and processes took turns."""
    sides = dict(zip(ENGINE_NAMES, (container.records, process.records), strict=True))
    pooled = over_all_cells(engine_ratios(sides))
    if pooled is None:
        return []
    source = f"{with_interval(pooled.value, pooled.low, pooled.high)}, {_source(container)}"
    values = (abs(pooled.value - 1), half_width(pooled))
    return [Found(goal, value, source) for goal, value in zip(CONTAINER, values, strict=True)]


def of_by_hand(measured: Results) -> list[Found]:
    """What a run says in which launches that the kit started took turns with launches that were started by hand."""
    by_block = _by_block([pair for pair in measured.pairs if pair.is_measured])
    if len(by_block) < FEWEST:
        return []
    ratio = geometric_estimate([1 / each for each in by_block])
    source = f"{with_interval(ratio.value, ratio.low, ratio.high)}, {_source(measured)}"
    values = (abs(ratio.value - 1), half_width(ratio))
    return [Found(goal, value, source) for goal, value in zip(BY_HAND, values, strict=True)]


def of_sequence(turns: Results, sequence: Results) -> list[Found]:
    """What two runs say of the pairs that both have, one by turns and one with --in-sequence."""
    both = [{pair.comparison: pair for pair in each.pairs if pair.is_measured} for each in (turns, sequence)]
    common = [comparison for comparison in both[0] if comparison in both[1]]
    by_turns, in_sequence = ([pairs[comparison] for comparison in common] for pairs in both)
    known = [each for each in compare_pairs(in_sequence, by_turns) if each.ratio is not None]
    ours, theirs = _by_block(by_turns), _by_block(in_sequence)
    if not known or min(len(ours), len(theirs)) < FEWEST:
        return []
    pooled = quotient(ours, theirs)
    apart = sum(each.agrees is False for each in known)
    source = (
        f"{apart} of {len(known)} speedups, pooled {with_interval(pooled.value, pooled.low, pooled.high)}; "
        f"{_source(turns)} and {sequence.run.name}"
    )
    values = (apart / len(known), abs(pooled.value - 1))
    return [Found(goal, value, source) for goal, value in zip(SEQUENCE, values, strict=True)]


def of_observer(measured: Results) -> list[Found]:
    """What a run by turns says of the runner's own CPU time."""
    shares = [share for record in measured.usable if (share := own_share(record)) is not None]
    return [Found(OBSERVER, statistics.median(shares), _source(measured))] if shares else []


def goals(everything: Sequence[Results]) -> Iterator[Found]:
    """Every goal, with the number of the newest run that has it. `everything` has the newest run first."""
    by_turns = [each for each in everything if is_by_turns(each)]
    yield from _first(map(of_quick, (each for each in by_turns if preset_of(each) == "quick")), (TIMED, *QUICK))
    yield from _first(map(of_figure1, (each for each in by_turns if _is_of(each, "figure1"))), FIGURE1)
    for (preset, budget), wanted in WITH_BUDGET.items():
        fit = (each for each in by_turns if _is_of(each, preset, budget))
        yield from _first((_widths(wanted, each) for each in fit), wanted)
    sides = {name: [each for each in everything if each.run.name.endswith(f"bench-{name}")] for name in ENGINE_NAMES}
    engines = (of_engines(*both) for both in zip(*sides.values(), strict=False))
    yield from _first(engines, CONTAINER)
    by_hand = (each for each in everything if each.run.name.endswith("bench-by-hand"))
    yield from _first(map(of_by_hand, by_hand), BY_HAND)
    same = (
        of_sequence(*sorted(both, key=lambda each: IN_SEQUENCE in each.header.command))
        for both in combinations(everything, 2)
        if _differ_in_turns_alone(*both)
    )
    yield from _first(same, SEQUENCE)
    yield from _first(map(of_observer, by_turns), (OBSERVER,))


def table_of(found: Sequence[Found]) -> Table:
    """The goals as a table: what was before, the goal, what a run has, that as a share of the goal, and which run."""
    numbers = [Column(name, no_wrap=True) for name in ("before", "bound", "found", "share", "holds")]
    table = Table("goal", *numbers, Column("from", overflow="fold"), box=None, pad_edge=False)
    for each in found:
        goal, value = each.goal, each.value
        before = "—" if goal.before is None else goal.text(goal.before)
        bound = f"{'≥' if goal.at_least else '≤'} {goal.text(goal.limit)}"
        if value is None:
            table.add_row(goal.what, before, bound, "—", "—", "—", "no run here has it")
            continue
        ratio = f"{value / goal.limit:.2f}" if goal.limit else "—"
        holds = "yes" if goal.holds(value) else "NO"
        table.add_row(goal.what, before, bound, goal.text(value), ratio, holds, each.source)
    return table


def read(folders: Sequence[Path]) -> list[Results]:
    """The runs in these folders that can be read and have a record, the newest first."""
    found = []
    for folder in folders:
        try:
            measured = results_of(runs.load(folder))
        except RunFormatError:
            continue
        if measured.records and not measured.header.is_ladder:
            found.append(measured)
    return sorted(found, key=lambda each: each.header.created, reverse=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m maintenance.goals", description=__doc__)
    parser.add_argument("run", type=Path, nargs="*", help="a run's folder (default: results/sample and results/runs/*)")
    folders = parser.parse_args().run or [SAMPLE, *(path.parent for path in runs.RUNS.glob("*/run.json"))]
    Console().print(table_of(list(goals(read(folders)))))


def _first(found: Iterator[list[Found]], wanted: Sequence[Goal]) -> list[Found]:
    return next(filter(None, found), [Found(goal, None, "") for goal in wanted])


def _is_of(measured: Results, preset: str, budget: str = "") -> bool:
    """Whether a run is one of this preset with this budget. The goals of figure1 are of two stacks."""
    return preset_of(measured, budget) == preset and (preset != "figure1" or set(measured.stacks) == OF_FIGURE1)


def _widths(wanted: Sequence[Goal], measured: Results) -> list[Found]:
    """The minutes of a run, and its half widths in the median and at most, as far as they are wanted."""
    widths = half_widths(measured)
    values = [minutes_of(measured), *((statistics.median(widths), max(widths)) if widths else (None, None))]
    return [Found(goal, value, _source(measured)) for goal, value in zip(wanted, values, strict=False)]


def _by_block(pairs: Sequence[Pair]) -> list[float]:
    """The geometric mean over these pairs, for each block that all of them have."""
    blocks = [block for block in pairs[0].blocks if all(block in pair.blocks for pair in pairs)] if pairs else []
    return [geometric_estimate([pair.ratio_by_block[block] for pair in pairs]).value for block in blocks]


def _differ_in_turns_alone(one: Results, other: Results) -> bool:
    """Whether one run is by turns and the other is not, with the same blocks of the same groups.

    One of them may have fewer variants.
    """
    some, others = ({(launch.cell.group, launch.block) for launch in each.run.launches} for each in (one, other))
    return some == others and {is_by_turns(one), is_by_turns(other)} == {True, False}


def _source(measured: Results) -> str:
    return f"{measured.run.name}, {measured.header.engine.name}, {measured.header.machine.processor.model_name}"


if __name__ == "__main__":
    main()
