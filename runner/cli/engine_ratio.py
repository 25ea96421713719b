"""Measures what a container costs: the same launch in a container and as a process, which live together and take turns.

The result is the ratio of their speeds, with its interval.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from rich.table import Table

from runner.cli.engines import Engines
from runner.cli.progress import CONSOLE, clock, describe, say
from runner.planning.plan import turn_order
from runner.report.value_text import topology_title, with_interval
from runner.session.execute import Seat, carry_out_block
from runner.session.opening import Ready, begin
from runner.session.options import EngineOptions
from runner.session.planned import PlannedComparison
from runner.session.prepared import prepare
from runner.session.state import Session
from runner.stats.estimators import images_per_second
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate
from runner.storage import runs
from runner.storage.records import Record, append, latest
from runner.vocabulary import Cell, Turns, TurnSize

ENGINE_NAMES = ("docker", "venv")
BLOCKS = 4  # over two, an interval is so wide that it decides little
TURNS = TurnSize(bursts=4, burst_seconds=1.0)


def ready_process(given: EngineOptions, engines: Engines, planned: PlannedComparison) -> Ready | None:
    """Make the venv engine ready for the comparison. None, with a printed reason, if it cannot enforce --memory.

    Raises:
        HostError: the installations cannot be made.
    """
    if given.memory is not None:
        say("container compared with process is left out: --memory cannot be enforced on a process")
        return None
    engine = engines["venv"](given)
    return Ready(planned, engine, prepare(engine, planned.stacks, planned.launches, runs.RUNS, say))


def measure_engine_ratio(container: Ready, process: Ready) -> None:
    """Run a plan on both engines, launch by launch and by turns, and print the ratio container / process."""
    say("\ncontainer compared with process: the same launches on both engines, which take turns")
    sides = by_turns(dict(zip(ENGINE_NAMES, (container, process), strict=True)))
    sessions = {name: _begin(side) for name, side in sides.items()}
    blocks = list(zip(*([Seat(sessions[name], each) for each in sides[name].planned.launches] for name in ENGINE_NAMES),
                      strict=True))  # fmt: skip
    spent = 0.0
    for number, block in enumerate(blocks, start=1):
        seats = sorted(block, key=lambda seat: seat.launch.position)
        for seat, record in zip(seats, carry_out_block(seats), strict=True):
            append(seat.session.run.records_file, record)
            say(f"{seat.session.engine.name:6} {number:{len(str(len(blocks)))}}/{len(blocks)}  {describe(record)}")
            seconds = float(record.facts["seconds"])
        spent += seconds
        if number < len(blocks):
            say(f"~{clock(spent / number * (len(blocks) - number))} left")
    records = {name: each.run.read_records() for name, each in sessions.items()}
    CONSOLE.print(ratio_table(records))
    say(f"\n{verdict(records)}")


def by_turns(sides: Mapping[str, Ready]) -> dict[str, Ready]:
    """Each engine's plan with its launches taking turns with the same launches of the other engine.

    The engine that starts first alternates from block to block, and from cell to cell within a block.
    """
    launches = next(iter(sides.values())).planned.launches
    cells = list(dict.fromkeys(launch.cell for launch in launches))
    rng = random.Random(launches[0].seed)
    orders = [turn_order(len(sides), launch.steps, TURNS, rng) for launch in launches]
    found = {}
    for side, (name, ready) in enumerate(sides.items()):
        taking_turns = []
        for launch, order in zip(ready.planned.launches, orders, strict=True):
            member = (side + cells.index(launch.cell) + launch.block) % len(sides)
            timed = sum(turn.steps for turn in order if (turn.member, turn.phase) == (member, "timed"))
            taking_turns.append(
                replace(
                    launch,
                    launch_id=f"{launch.launch_id}-{name}",
                    position=member + 1,
                    steps=replace(launch.steps, timed=timed),
                    turns=Turns(member, order, TURNS.burst_seconds),
                )
            )
        planned = cast(PlannedComparison, ready.planned)
        found[name] = replace(ready, planned=replace(planned, plan=replace(planned.plan, launches=tuple(taking_turns))))
    return found


def verdict(records: Mapping[str, Sequence[Record]]) -> str:
    """One sentence on whether containers and processes differ in speed, over all cells of each block together."""
    by_cell = engine_ratios(records)
    lacking = {record.cell for each in records.values() for record in each} - set(by_cell)
    if lacking:
        names = ", ".join(sorted(f"{topology_title(cell.topology)} {cell.variant}" for cell in lacking))
        return f"container and process: nothing to compare: no block has both for {names}"
    ratio = over_all_cells(by_cell)
    if ratio is None:
        return "container and process: nothing to compare"
    shown = f"{with_interval(ratio.value, ratio.low, ratio.high)}, all cells together"
    if ratio.low <= 1 <= ratio.high:
        return f"container and process: no clear difference ({shown})"
    return f"container and process differ: {shown}"


def over_all_cells(by_cell: Mapping[Cell, Mapping[int, float]]) -> Estimate | None:
    """The geometric mean of the cells' ratios over the blocks that all of them have, with its 95% interval.

    None for fewer than two blocks.
    """
    ratios = by_cell.values()
    blocks = [block for block in min(ratios, key=len, default={}) if all(block in each for each in ratios)]
    if len(blocks) < FEWEST:
        return None
    return geometric_estimate([geometric_estimate([each[block] for each in ratios]).value for block in blocks])


def ratio_table(records: Mapping[str, Sequence[Record]]) -> Table:
    """Container over process in images per second, paired by launch, for each cell."""
    table = Table("topology", "variant", box=None, pad_edge=False, title_justify="left", title="\ncontainer / process")
    table.add_column("ratio [95%]", justify="right")
    table.add_column("launches", justify="right")
    for cell, by_block in engine_ratios(records).items():
        ratio = geometric_estimate(list(by_block.values()))
        shown = with_interval(ratio.value, ratio.low, ratio.high)
        table.add_row(topology_title(cell.topology), cell.variant, shown, str(ratio.replicates))
    return table


def engine_ratios(records: Mapping[str, Sequence[Record]]) -> dict[Cell, dict[int, float]]:
    """For each cell the ratios docker / venv of the blocks in which the launches of both engines succeeded."""
    usable = {
        name: {(each.cell, each.block): each for each in latest(list(records[name])).values() if each.error is None}
        for name in ENGINE_NAMES
    }
    found: dict[Cell, dict[int, float]] = {}
    for (cell, block), record in usable["docker"].items():
        if (cell, block) in usable["venv"]:
            ratio = images_per_second(record) / images_per_second(usable["venv"][cell, block])
            found.setdefault(cell, {})[block] = ratio
    return found


def _begin(side: Ready) -> Session:
    folder = runs.RUNS / runs.new_name(f"bench-{side.engine.name}")
    return begin(side, folder, "python -m runner bench", memory_bytes=None)
