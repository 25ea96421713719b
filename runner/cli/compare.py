"""`compare`, the main command: plan, lock the machine, build, run every launch, report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from runner.cli.comparison_run import begin_comparison, untimed_of
from runner.cli.engines import Engines, choose_engine
from runner.cli.measuring import ONE_STAGE, UntimedWork, measure
from runner.cli.printed_plan import print_plan, with_branches
from runner.cli.progress import say
from runner.errors import EXIT_DONE, UsageError
from runner.planning.extend import extended
from runner.session.opening import go_on, stacks_of
from runner.session.options import EngineOptions, PinOptions, RequestOptions
from runner.session.planned import plan_from
from runner.session.prepared import measuring
from runner.session.resuming import in_words, require_kept_files, resumed_with
from runner.stats.enough import Size
from runner.stats.sizing import FIRST_BLOCKS
from runner.storage import runs
from runner.storage.runs import Run
from runner.vocabulary import runs_containers


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `resume` is a run's folder; an empty path means the newest unfinished one."""

    request: RequestOptions
    pin: PinOptions
    engine: EngineOptions
    out: Path | None
    resume: Path | None
    dry_run: bool
    no_peak: bool
    no_probe: bool
    precision: float | None
    budget: float | None
    more_blocks: int | None
    aa: bool

    @property
    def size(self) -> Size:
        """What the run is to reach, if its number of blocks is not fixed."""
        return Size(self.precision, self.budget)


def run(options: Options, engines: Engines) -> int:
    """Run or resume a comparison; exit code 1 if a cell failed, 130 if interrupted."""
    if options.resume is not None and options.aa:
        raise UsageError("--aa begins a run of its own. An A/A run is resumed like any other: leave --aa out.")
    if options.resume is not None:
        return _resume(options, _named(options.resume), engines)
    if options.more_blocks is not None:
        raise UsageError("--more-blocks adds blocks to a run that exists. Name it with --resume RUN, or use --blocks.")
    request = options.request
    if options.size != ONE_STAGE and request.blocks is None:
        request = replace(request, blocks=FIRST_BLOCKS)
    planned = plan_from(request, options.pin, contained=runs_containers(options.engine.engine), aa=options.aa)
    engine, why = choose_engine(options.engine, engines, planned.stacks)
    if options.dry_run:
        print_plan(with_branches(planned, engine, options.request.inter_op), engine)
        return EXIT_DONE
    folder = options.out or runs.RUNS / runs.new_name(planned.label)
    # A variant that is compared with itself needs no evidence of what differs.
    untimed = UntimedWork(peak=not options.no_peak and not options.aa, probe=not options.no_probe and not options.aa)
    with measuring(f"run {folder}", engine):
        say(why)
        session = begin_comparison(planned, engine, folder, options.engine, untimed, aa=options.aa)
        return measure(session, session.run.launches, untimed, options.size)


def _named(folder: Path) -> Run:
    """The run to resume.

    Raises:
        UsageError: there is none, or this command cannot resume it.
    """
    resumed = runs.load(folder) if folder != Path() else runs.newest_unfinished()
    if resumed.is_of_compose:
        raise UsageError(
            f"{resumed.folder} was begun by Docker Compose, and no engine of the kit can resume it. Run "
            f"docker-compose up with its Compose file again, then python -m runner report {resumed.folder}."
        )
    if resumed.about.is_ladder:
        raise UsageError(
            f"{resumed.folder} is a ladder. Resume it with: python -m runner ablate --resume {resumed.folder}"
        )
    require_kept_files(resumed)
    return resumed


def with_more_blocks(resumed: Run, more: int) -> Run:
    """The run with so many more blocks of each group, which its run.json then plans.

    Raises:
        DiskError: run.json cannot be written.
    """
    plan = resumed.about.plan
    return runs.planned_anew(resumed, extended(plan, {group: plan.blocks_of(group) + more for group in plan.groups}))


def require_even(more: int | None) -> None:
    """Refuse an odd number of further blocks.

    Raises:
        UsageError: the number is odd.
    """
    if more is not None and more % 2:
        raise UsageError(
            f"--more-blocks {more} is odd. The order of the variants is mirrored from block to block, which needs an "
            f"even number. Ask for {more + 1}."
        )


def _resume(options: Options, resumed: Run, engines: Engines) -> int:
    """Resume a run from its own plan: every block that is not complete is run again, with all its launches."""
    begun_with = resumed_with(options.engine, resumed)
    engine, _ = choose_engine(begun_with, engines, stacks_of(resumed))
    require_even(options.more_blocks)
    with measuring(f"run {resumed.folder}", engine):
        session = go_on(runs.load(resumed.folder), engine, say)
        if options.more_blocks is not None:
            session = replace(session, run=with_more_blocks(session.run, options.more_blocks))
        left = session.run.remaining()
        say(in_words(session.run, left))
        untimed = untimed_of(resumed, no_peak=options.no_peak, no_probe=options.no_probe)
        return measure(session, left, untimed, options.size)
