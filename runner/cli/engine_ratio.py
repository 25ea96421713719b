"""What a container costs: the same launches in a container and as a process, in turn, as a ratio with its interval."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from runner.catalogue.stacks import Stack
from runner.cli.compare import prepare
from runner.cli.engines import Engines
from runner.cli.progress import CONSOLE, Progress, say
from runner.engines.protocol import Artifact, Engine
from runner.machine import Machine
from runner.planning.plan import Plan
from runner.report.wording import topology_title, with_interval
from runner.session.execute import execute
from runner.session.header import make_header
from runner.session.state import Session
from runner.session.this_host import context_of, read_facts
from runner.stats.estimators import images_per_second
from runner.stats.intervals import FEWEST, geometric_estimate
from runner.storage import runs
from runner.storage.records import Record, latest
from runner.vocabulary import Cell, Launch

ENGINE_NAMES = ("docker", "venv")
# A verdict that CI acts on: it may be wrong once in a thousand runs. So sure an interval holds any ratio over two
# blocks; over four it leaves out a factor of 1.5 where whole blocks differ by a twentieth.
CONFIDENCE = 0.999
BLOCKS = 4


@dataclass(frozen=True)
class Side:
    """An engine with the installations that it has ready, by stack and installation."""

    engine: Engine
    artifacts: Mapping[tuple[str, str], Artifact]


def ready_process(
    arguments: argparse.Namespace, engines: Engines, stacks: Sequence[Stack], launches: Sequence[Launch]
) -> Side | None:
    """Make the venv engine ready to be compared with; None, and why, where it cannot be held to the same.

    Raises:
        HostError: the installations cannot be made.
    """
    if arguments.memory is not None:
        say("container against process is left out: a process cannot be held to --memory")
        return None
    engine = engines["venv"](arguments)
    return Side(engine, prepare(engine, stacks, launches, runs.RUNS))


def measure_engine_ratio(container: Side, process: Side, plan: Plan, machine: Machine, stacks: Sequence[Stack]) -> None:
    """Run a plan on both engines, launch by launch in mirrored order, and print container over process."""
    say("\ncontainer against process: the same launches on both engines, in turn")
    sides = dict(zip(ENGINE_NAMES, (container, process), strict=True))
    started = {name: _create(side, plan, machine, stacks) for name, side in sides.items()}
    cells = list(dict.fromkeys(launch.cell for launch in plan.launches))
    for number, launch in enumerate(plan.launches):
        # From block to block another engine is first, and from cell to cell in a block.
        order = ENGINE_NAMES if (cells.index(launch.cell) + launch.block) % 2 else ENGINE_NAMES[::-1]
        for turn, name in enumerate(order):
            _run_one(started[name], plan.launches[number:], between=plan.launches[number + turn :])
    records = {name: each.run.read_records() for name, each in started.items()}
    CONSOLE.print(ratio_table(records))
    say(f"\n{verdict(records)}")


def verdict(records: Mapping[str, Sequence[Record]], confidence: float = CONFIDENCE) -> str:
    """One sentence: does a container cost or gain anything, over all cells of each block together?"""
    by_cell = engine_ratios(records)
    lacking = {record.cell for each in records.values() for record in each} - set(by_cell)
    if lacking:
        names = ", ".join(sorted(f"{topology_title(cell.topology)} {cell.variant}" for cell in lacking))
        return f"container and process: nothing to compare: no block has both for {names}"
    ratios = by_cell.values()
    blocks = [block for block in min(ratios, key=len, default={}) if all(block in each for each in ratios)]
    if len(blocks) < FEWEST:
        return "container and process: nothing to compare"
    pooled = [geometric_estimate([each[block] for each in ratios]).value for block in blocks]
    ratio = geometric_estimate(pooled, confidence)
    shown = f"{with_interval(ratio.value, ratio.low, ratio.high)} at {confidence:.1%}, all cells together"
    if ratio.low <= 1 <= ratio.high:
        return f"container and process: no clear difference ({shown})"
    return f"container and process differ: {shown}"


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
    """For each cell the ratios docker / venv of the launches that both engines ended well, by block."""
    usable = {
        name: {key: record for key, record in latest(list(each)).items() if record.error is None}
        for name, each in records.items()
    }
    found: dict[Cell, dict[int, float]] = {}
    for key, record in usable["docker"].items():
        if key in usable["venv"]:
            ratio = images_per_second(record) / images_per_second(usable["venv"][key])
            found.setdefault(record.cell, {})[record.block] = ratio
    return found


def _create(side: Side, plan: Plan, machine: Machine, stacks: Sequence[Stack]) -> Session:
    folder = runs.RUNS / runs.new_name(f"bench-{side.engine.name}")
    command = "python -m runner bench"
    header = make_header(folder.name, plan, machine, stacks, side.engine, side.artifacts, command, [], None)
    created = runs.create(folder, header)
    return Session(created, side.engine, side.artifacts, context_of(created, 1), read_facts)


def _run_one(session: Session, left: Sequence[Launch], between: Sequence[Launch]) -> None:
    """Run the first of the launches that one engine has left; `between` are those that the other has."""
    with Progress(session.run, left, name=session.engine.name, between=between) as progress:
        execute(session, left[:1], progress)
