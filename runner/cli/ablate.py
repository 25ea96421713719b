"""`ablate`: measures what each cause contributes. Runs a ladder of rungs, one change at a time, and reports each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.cli.engines import Engines, choose_engine
from runner.cli.measuring import carry_through, command_line
from runner.cli.progress import Progress, say
from runner.engines.environments import default_cache
from runner.errors import EXIT_DONE, UsageError
from runner.host.notes import notes_on
from runner.planning.ladder_plan import KIND
from runner.planning.rungs import describe_changes
from runner.report.measured import measured
from runner.session import allocators
from runner.session.execute import execute
from runner.session.image_lock_in_use import images_json
from runner.session.opening import begin, go_on, make_ready, stacks_of
from runner.session.options import EngineOptions, PinOptions
from runner.session.planned_ladder import LadderOptions, PlannedLadder, plan_ladder
from runner.session.prepared import measuring
from runner.session.resuming import in_words, require_kept_files, resumed_with
from runner.session.state import Session
from runner.stats.ladder import still_needed
from runner.storage import runs
from runner.storage.blocks import remaining
from runner.storage.runs import Run
from runner.vocabulary import Launch


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `resume` is a run's folder; an empty path means the newest unfinished one."""

    ladder: LadderOptions
    pin: PinOptions
    engine: EngineOptions
    out: Path | None
    resume: Path | None
    dry_run: bool


def run(options: Options, engines: Engines) -> int:
    """Run or resume a ladder; exit code 1 if a rung failed, 130 if interrupted."""
    if options.resume is not None:
        return _resume(options.engine, _named(options.resume), engines)
    planned = plan_ladder(options.ladder, options.pin)
    if options.dry_run:
        _print_plan(planned)
        return EXIT_DONE
    engine, why = choose_engine(options.engine, engines, planned.stacks)
    folder = options.out or runs.RUNS / runs.new_name(planned.label)
    with measuring(f"run {folder}", engine):
        say(why)
        libraries = allocators.fetch(planned.launches, options.engine.index, default_cache(), say)
        ready = make_ready(planned, engine, folder, say)
        images = images_json(options.engine)
        session = begin(ready, folder, command_line(), options.engine.memory_bytes, images)
        allocators.keep(libraries, session.run.folder)
        return _measure(session)


def launches_left(run: Run) -> list[Launch]:
    """All launches of each block that no single session has completed; a block is complete without inert rungs."""
    return remaining(run.launches, run.read_records(), {launch.launch_id for launch in _needed(run)})


def _needed(run: Run) -> list[Launch]:
    """The launches of rungs that no session has found to be inert."""
    found, needed = measured(run), run.launches
    for session in {record.session for record in found.records} or {1}:
        of_session = tuple(record for record in found.records if record.session == session)
        needed = still_needed(needed, replace(found, records=of_session).ladders)
    return needed


def _named(folder: Path) -> Run:
    """The ladder to resume.

    Raises:
        UsageError: there is none, or the folder holds a run of another kind.
    """
    resumed = runs.load(folder) if folder != Path() else runs.newest_unfinished(kind=KIND, left=launches_left)
    if not resumed.about.is_ladder:
        raise UsageError(
            f"{resumed.folder} is not a ladder. Resume it with: python -m runner compare --resume {resumed.folder}."
        )
    require_kept_files(resumed)
    return resumed


def _resume(given: EngineOptions, resumed: Run, engines: Engines) -> int:
    """Resume a ladder from its own plan: every block that is not complete is run again, with all its launches."""
    engine, _ = choose_engine(resumed_with(given, resumed), engines, stacks_of(resumed))
    with measuring(f"run {resumed.folder}", engine):
        say(in_words(resumed, launches_left(resumed)))
        return _measure(go_on(resumed, engine, say))


def _measure(session: Session) -> int:
    """Run the launches that are left and write the report, also after Ctrl-C; return the exit code."""

    def work() -> None:
        left = launches_left(session.run)
        with Progress(session.run, left) as progress:
            execute(session, _one_by_one(session.run, left, progress), progress)

    return carry_through(session, "ablate", work)


def _one_by_one(current: Run, launches: Sequence[Launch], progress: Progress) -> Iterator[Launch]:
    """Yield each launch when its turn has come, but no further launch of a rung that was found to be inert.

    The exception is a launch that an earlier session has run: its block is repeated with all its launches.
    """
    run_before = {record.launch_id for record in current.read_records()}
    for launch in launches:
        if launch.launch_id in run_before or launch in _needed(current):
            yield launch
        else:
            progress.passed_over(launch)


def _print_plan(planned: PlannedLadder) -> None:
    """Print the rungs: what each changes, and which are left out and why."""
    print(f"ladder   {planned.ladder.name}: {planned.ladder.title}; {len(planned.plan.launches)} launches")
    for note in notes_on(planned.machine, planned.plan.pin):
        print(f"note     {note}")
    for stack, rungs in planned.rungs.items():
        for rung in rungs:
            head = f"{'branch' if rung.is_branch else 'rung  '}   {stack} {rung.id:20}"
            print(f"{head} {f'left out: {rung.left_out}' if rung.left_out else describe_changes(rung) or rung.note}")
