"""Begins a ladder and carries its launches out, for every command that measures one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from runner.cli.measuring import carry_through
from runner.cli.progress import Progress, say
from runner.cli.sized import while_there_is_time
from runner.engines.environments import default_cache
from runner.engines.protocol import Engine
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED
from runner.host.notes import notes_on
from runner.planning.rungs import describe_changes
from runner.report.measured import measured
from runner.session import allocators
from runner.session.execute import execute
from runner.session.image_lock_in_use import images_json
from runner.session.opening import Create, begin, make_ready
from runner.session.options import EngineOptions
from runner.session.planned_ladder import PlannedLadder
from runner.session.state import Session
from runner.stats.enough import Size
from runner.stats.ladder import still_needed
from runner.storage import runs
from runner.storage.blocks import remaining
from runner.storage.runs import Run
from runner.vocabulary import Launch


def begin_ladder(
    planned: PlannedLadder, engine: Engine, folder: Path, options: EngineOptions, command: str,
    create: Create = runs.create,
) -> Session:  # fmt: skip
    """Make everything ready for a new ladder, make its folder, and open its first session.

    Raises:
        UsageError: the folder holds a run, or the user's own topology cannot be built.
        HostError: the host cannot measure, or an installation or an allocator's library cannot be had.
        DiskError: the folder cannot be written.
    """
    libraries = allocators.fetch(planned.launches, options.index, default_cache(), say)
    ready = make_ready(planned, engine, folder, say)
    session = begin(ready, folder, command, options.memory_bytes, images_json(options), create)
    allocators.keep(libraries, session.run.folder)
    return session


def measure_ladder(session: Session, go_on: str, size: Size) -> int:
    """Run the launches that are left and write the report, also after Ctrl-C; return the exit code.

    `go_on` is the command that resumes the ladder. Within a budget, no further two blocks are begun that would not end
    in time; what was measured has no part in that. A ladder that is out of time has not failed.
    """

    def work() -> None:
        started, left = time.monotonic(), launches_left(session.run)
        with Progress(session.run, left) as progress:
            within = while_there_is_time(left, size, started)
            execute(session, _one_by_one(session.run, within, progress), progress)

    code = carry_through(session, go_on, work)
    is_out_of_time = size.budget_seconds is not None and not measured(runs.load(session.run.folder)).failed
    return EXIT_DONE if code == EXIT_SOME_CELLS_FAILED and is_out_of_time else code


def launches_left(run: Run) -> list[Launch]:
    """All launches of each block that no single session has completed; a block is complete without inert rungs."""
    return remaining(run.launches, run.read_records(), {launch.launch_id for launch in _needed(run)})


def print_ladder_plan(planned: PlannedLadder) -> None:
    """Print the rungs: what each changes, and which are left out and why."""
    print(f"ladder   {planned.ladder.name}: {planned.ladder.title}; {len(planned.plan.launches)} launches")
    for note in notes_on(planned.machine, planned.plan.pin):
        print(f"note     {note}")
    for stack, rungs in planned.rungs.items():
        for rung in rungs:
            head = f"{'branch' if rung.is_branch else 'rung  '}   {stack} {rung.id:20}"
            print(f"{head} {f'left out: {rung.left_out}' if rung.left_out else describe_changes(rung) or rung.note}")


def _needed(run: Run) -> list[Launch]:
    """The launches of rungs that no session has found to be inert."""
    found, needed = measured(run), run.launches
    for session in {record.session for record in found.records} or {1}:
        of_session = tuple(record for record in found.records if record.session == session)
        needed = still_needed(needed, replace(found, records=of_session).ladders)
    return needed


def _one_by_one(current: Run, launches: Iterable[Launch], progress: Progress) -> Iterator[Launch]:
    """Yield each launch when its turn has come, but no further launch of a rung that was found to be inert.

    The exception is a launch that an earlier session has run: its block is repeated with all its launches.
    """
    run_before = {record.launch_id for record in current.read_records()}
    for launch in launches:
        if launch.launch_id in run_before or launch in _needed(current):
            yield launch
        else:
            progress.passed_over(launch)
