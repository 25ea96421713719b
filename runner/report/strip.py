"""Makes the strip of time: every burst of every launch over the run's clock, by how it differs from its cell's others.

A drift, a neighbour or a throttled minute is a slope or a step that all variants show at the same time.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runner.report.document import Section
from runner.report.drawing import colour
from runner.report.plot import Bar, Strip, StripPanel, StripRow, Tick
from runner.report.value_text import plural, significant, topology_title
from runner.stats.results import Results
from runner.storage.records import Record
from runner.vocabulary import Cell, Group

TITLE = "The run over time"
# Pixels: a row's height, and a bar's.
ROW, BAR = 46, 4
# A burst that is further than this factor from its cell's typical one is drawn at the edge of its row.
FARTHEST = 1.5
# Shares of the axis that a bar has at least, so that a short burst is seen, in percent.
NARROWEST = 0.25
MOST_TICKS = 8
At = Callable[[float], float]  # from seconds on the session's clock to percent of the axis
STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120)  # minutes between two ticks


@dataclass(frozen=True)
class TimedBurst:
    """One timed burst of a launch. `began` and `ended` are in seconds on the session's clock.

    `factor` is its mean step time over the geometric mean of all bursts of its cell; `seconds` is the mean step time.
    """

    record: Record
    turn: int | None
    began: float
    ended: float
    seconds: float
    factor: float


def strip_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section; nothing for a run whose steps have no beginning, which are those of the first versions."""
    found = bursts(measured.usable)
    if not found:
        return ()
    slowest = max(found, key=lambda each: each.factor)
    told = (
        f"{plural(len(found), 'burst')}; the slowest took {significant(slowest.factor)} times its cell's typical step"
    )
    return (Section(TITLE, strip=_strip(measured, found), summary=told),)


def bursts(records: Sequence[Record]) -> list[TimedBurst]:
    """Return every timed burst of these launches, in the order of their beginnings in each session."""
    plain = [each for record in records for each in _bursts_of(record)]
    by_cell: dict[Cell, list[float]] = {}
    for each in plain:
        by_cell.setdefault(each.record.cell, []).append(math.log(each.seconds))
    typical = {cell: statistics.fmean(logs) for cell, logs in by_cell.items()}
    found = [
        TimedBurst(each.record, each.turn, each.began, each.ended, each.seconds,
              math.exp(math.log(each.seconds) - typical[each.record.cell]))
        for each in plain
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.record.session, each.began))


def _bursts_of(record: Record) -> Iterator[TimedBurst]:
    by_turn: dict[int | None, list[tuple[float, float]]] = {}
    for step in record.training.timed_steps if record.training else ():
        if step.began is not None and step.seconds > 0:
            by_turn.setdefault(step.turn, []).append((step.began, step.seconds))
    for turn, steps in by_turn.items():
        began, ended = steps[0][0], steps[-1][0] + steps[-1][1]
        yield TimedBurst(record, turn, began, ended, statistics.fmean(seconds for _, seconds in steps), 1.0)


def _strip(measured: Results, found: Sequence[TimedBurst]) -> Strip:
    sessions: dict[int, list[TimedBurst]] = {}
    for each in found:
        sessions.setdefault(each.record.session, []).append(each)
    panels = tuple(_panel(measured, number, of_it, len(sessions) > 1) for number, of_it in sessions.items())
    cells = {(each.record.cell.stack, each.record.cell.variant) for each in found}
    keys = tuple(
        (colour(measured, stack, variant), f"{stack} {variant}" if len(measured.stacks) > 1 else variant)
        for stack in measured.stacks
        for variant in measured.variants(stack)
        if (stack, variant) in cells
    )
    caption = (
        "Every timed burst of every launch, at the time at which it ran. A bar's height in its row is its step time "
        f"over that of the cell's typical burst (the line; geometric mean), up to {FARTHEST:g} times either way: "
        "higher is slower. Where bars of all colours rise together, the host was slower; where one colour does, that "
        "variant alone was. Sessions of a run that was resumed have a clock of their own."
    )
    return Strip(panels, keys, caption)


def _panel(measured: Results, number: int, found: Sequence[TimedBurst], is_one_of_several: bool) -> StripPanel:
    start, end = min(each.began for each in found), max(each.ended for each in found)
    span = max(end - start, 1e-9)

    def at(seconds: float) -> float:
        return round(100 * (seconds - start) / span, 2)

    by_group: dict[Group, list[TimedBurst]] = {}
    for each in found:
        by_group.setdefault(each.record.cell.group, []).append(each)
    rows = tuple(
        StripRow(_name(measured, group), ROW, tuple(_bar(measured, each, at) for each in by_group[group]))
        for group in sorted(by_group, key=Group.report_order)
    )
    minutes = span / 60
    step = next((each for each in STEPS if minutes / each <= MOST_TICKS), STEPS[-1])
    ticks = tuple(Tick(at(start + 60 * each), f"{each} min") for each in range(0, int(minutes) + 1, step))
    return StripPanel(f"session {number}" if is_one_of_several else "", rows, ticks)


def _name(measured: Results, group: Group) -> str:
    size = f", batch size {group.batch_size}" if len(measured.batch_sizes) > 1 else ""
    stack = f"{group.stack} " if len(measured.stacks) > 1 else ""
    return f"{stack}{topology_title(group.topology)}{size}"


def _bar(measured: Results, each: TimedBurst, at: At) -> Bar:
    cell = each.record.cell
    height = math.log(min(max(each.factor, 1 / FARTHEST), FARTHEST)) / math.log(FARTHEST)
    turn = "" if each.turn is None else f", turn {each.turn}"
    title = (
        f"{cell.stack} {cell.variant}, {topology_title(cell.topology)}, block {each.record.block}{turn}: "
        f"{significant(each.seconds)} s a step, {significant(each.factor)} times its cell's typical one"
    )
    y = round(ROW / 2 - BAR / 2 - height * (ROW / 2 - BAR), 1)
    width = max(NARROWEST, round(at(each.ended) - at(each.began), 2))
    return Bar(min(at(each.began), 100 - NARROWEST), width, y, colour(measured, cell.stack, cell.variant), title)
