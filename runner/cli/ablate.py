"""`ablate`: measures what each cause contributes. Runs a ladder of rungs, one change at a time, and reports each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.cli.engines import Engines, choose_engine
from runner.cli.ladder_run import begin_ladder, launches_left, measure_ladder, print_ladder_plan
from runner.cli.measuring import ONE_STAGE, command_line, resuming
from runner.cli.progress import say
from runner.errors import EXIT_DONE, UsageError
from runner.planning.ladder_plan import KIND
from runner.session.opening import go_on, stacks_of
from runner.session.options import EngineOptions, PinOptions
from runner.session.planned_ladder import LadderOptions, plan_ladder
from runner.session.prepared import measuring
from runner.session.resuming import in_words, require_kept_files, resumed_with
from runner.storage import runs
from runner.storage.runs import Run


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
        print_ladder_plan(planned)
        return EXIT_DONE
    engine, why = choose_engine(options.engine, engines, planned.stacks)
    folder = options.out or runs.RUNS / runs.new_name(planned.label)
    with measuring(f"run {folder}", engine):
        say(why)
        session = begin_ladder(planned, engine, folder, options.engine, command_line())
        return measure_ladder(session, resuming("ablate", session.run.folder), ONE_STAGE)


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
        return measure_ladder(go_on(resumed, engine, say), resuming("ablate", resumed.folder), ONE_STAGE)
