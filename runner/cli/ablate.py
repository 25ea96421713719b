"""`ablate`: what each cause is worth. Runs a ladder of rungs, one change at a time, and reports the steps."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.catalogue.stacks import Stack, find_stack
from runner.catalogue.topology_file import OwnTopology, chosen_topologies, keep, kept
from runner.cli.compare import (
    command_line,
    end_launches,
    next_session,
    prepare,
    require_unchanged,
    resuming,
    take_over,
)
from runner.cli.engines import Engines, by_digest, choose_engine, measuring
from runner.cli.images import match_installations, require_matched
from runner.cli.own_topology import own_topology_json, own_topology_of
from runner.cli.planning import pin_from, stacks_from
from runner.cli.progress import Progress, say
from runner.cli.registries import lock_from
from runner.cli.terminal import print_results
from runner.engines.environments import default_cache
from runner.engines.protocol import Artifact, Engine
from runner.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_SOME_CELLS_FAILED, KitError, UsageError
from runner.host.notes import notes_on
from runner.host.pin import Pin
from runner.machine import Machine
from runner.planning.bkm import for_own_topology
from runner.planning.ladder import Ladder, load_ladder
from runner.planning.ladder_plan import KIND, is_ladder, ladder_header, make_ladder_plan
from runner.planning.plan import Plan, Request
from runner.planning.resolve_ladder import ladder_pins, plan_rungs
from runner.planning.rungs import PlannedRung, describe_changes
from runner.report.measured import measured
from runner.session.execute import execute
from runner.session.header import make_header
from runner.session.state import Session
from runner.session.this_host import LIVE_ROOT, context_of, machine_below, read_facts, require_fit
from runner.session.topology_description import Description, describe
from runner.stats.ladder import still_needed
from runner.storage import runs
from runner.storage.blocks import remaining
from runner.storage.runs import Run
from runner.vocabulary import Launch, Steps

# One launch of ResNet50 at this batch size takes about 15 s on two cores, start to end.
DEFAULT_TOPOLOGIES = ("resnet50",)
DEFAULT_BATCH_SIZES = (4,)


@dataclass(frozen=True)
class PlannedLadder:
    """A ladder's plan with what it was made from. `description` is of the user's own topology, once it was built."""

    ladder: Ladder
    machine: Machine
    request: Request
    rungs: Mapping[str, tuple[PlannedRung, ...]]
    plan: Plan
    own: OwnTopology | None = None
    description: Description | None = None

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks of the request."""
        return self.request.stacks


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Run or resume a ladder; exit code 1 if a rung failed, 130 if interrupted."""
    if arguments.resume is not None:
        return _resume(arguments, engines)
    planned = plan_ladder(arguments)
    if arguments.dry_run:
        _print_plan(planned)
        return EXIT_DONE
    engine, why = choose_engine(arguments, engines, planned.stacks)
    folder = arguments.out or runs.RUNS / runs.new_name(f"ladder-{planned.ladder.name}")
    with measuring(f"run {folder}", engine):
        say(why)
        require_fit(planned.machine, planned.plan.pin, engine, say)
        artifacts = prepare(engine, planned.stacks, planned.plan.launches, folder)
        planned = _with_own_branches(planned, engine, artifacts)
        matched = match_installations(engine, planned.stacks, artifacts, say)
        require_matched(matched)
        header = make_header(
            folder.name, planned.plan, planned.machine, planned.stacks, engine, artifacts, command_line(), [],
            arguments.memory, matched,
        )  # fmt: skip
        images = {"images": lock_from(arguments).to_json()} if by_digest(arguments) else {}
        own = own_topology_json(planned.own, planned.description)
        created = runs.create(folder, {**header, **images, **own, **ladder_header(planned.ladder, planned.rungs)})
        if planned.own is not None:
            keep(planned.own, created.folder)
        return _measure(Session(created, engine, artifacts, context_of(created, 1), read_facts))


def plan_ladder(arguments: argparse.Namespace) -> PlannedLadder:
    """Make the plan that the options ask for, on this host.

    Raises:
        UsageError: an option asks for something that does not exist or cannot be had on this host.
    """
    machine = machine_below(LIVE_ROOT)
    pin = pin_from(arguments, machine)
    own = own_topology_of(arguments)
    if own is not None and arguments.topologies:
        raise UsageError(
            "A rung has the same settings for all topologies of a ladder, and inter-op threads follow from a network's "
            "own disjoint branches. Run one ladder with --topology-file and another with --topologies."
        )
    request = Request(
        stacks=stacks_from(arguments),
        variants=(),
        topologies=chosen_topologies(arguments.topologies, DEFAULT_TOPOLOGIES, own),
        batch_sizes=arguments.batch_sizes or DEFAULT_BATCH_SIZES,
        blocks=arguments.blocks,
        steps=Steps(warmup=arguments.warmup, timed=arguments.steps),
        seed=arguments.seed,
        time_limit_seconds=arguments.time_limit,
        own_topology=own.file if own else None,
    )
    return _laid_out(load_ladder(arguments.ladder), machine, request, pin, own)


def _laid_out(ladder: Ladder, machine: Machine, request: Request, pin: Pin, own: OwnTopology | None) -> PlannedLadder:
    pins = ladder_pins(machine, pin)
    rungs = {stack.name: plan_rungs(ladder, stack, pins, machine.processor.isa) for stack in request.stacks}
    return PlannedLadder(ladder, machine, request, rungs, make_ladder_plan(request, ladder, rungs, pin), own)


def _with_own_branches(
    planned: PlannedLadder, engine: Engine, artifacts: Mapping[tuple[str, str], Artifact]
) -> PlannedLadder:
    """Build the user's own topology in every installation, and lay the ladder out for its disjoint branches."""
    own, plan = planned.own, planned.plan
    if own is None:
        return planned
    description = describe(own, plan.launches, plan.pin, engine, artifacts, default_cache(), say)
    ladder = replace(planned.ladder, bkms=for_own_topology(planned.ladder.bkms, description.disjoint_branches))
    laid_out = _laid_out(ladder, planned.machine, planned.request, plan.pin, own)
    return replace(laid_out, description=description)


def launches_left(run: Run) -> list[Launch]:
    """All launches of each block that no one session has completed; a rung that is inert is not what it waits for."""
    return remaining(run.launches, run.read_records(), {launch.launch_id for launch in _needed(run)})


def _needed(run: Run) -> list[Launch]:
    """The launches of rungs that no session has found to be inert."""
    found, needed = measured(run), run.launches
    for session in {record.session for record in found.records} or {1}:
        own = tuple(record for record in found.records if record.session == session)
        needed = still_needed(needed, replace(found, records=own).ladders)
    return needed


def _resume(arguments: argparse.Namespace, engines: Engines) -> int:
    """Go on with a ladder from its own plan: no complete block is repeated, and every other one is run again whole."""
    named = arguments.resume != Path()
    resumed = runs.load(arguments.resume) if named else runs.newest_unfinished(kind=KIND, left=launches_left)
    if not is_ladder(resumed.header):
        raise UsageError(
            f"{resumed.folder} is no ladder: go on with python -m runner compare --resume {resumed.folder}."
        )
    for file in {launch.topology_file for launch in resumed.launches if launch.topology_file is not None}:
        kept(resumed.folder, file)
    take_over(arguments, resumed)
    stacks = tuple(find_stack(name) for name in resumed.header["stacks"])
    engine, _ = choose_engine(arguments, engines, stacks)
    with measuring(f"run {resumed.folder}", engine):
        say(resuming(resumed, launches_left(resumed)))
        artifacts = prepare(engine, stacks, resumed.launches, resumed.folder)
        require_unchanged(resumed, artifacts)
        require_matched(match_installations(engine, stacks, artifacts, say))
        context = context_of(resumed, next_session(resumed))
        return _measure(Session(resumed, engine, artifacts, context, read_facts))


def _measure(session: Session) -> int:
    """Run what is left and report what there is, also after Ctrl-C."""
    interrupted, current = False, session.run
    go_on = f"python -m runner ablate --resume {shlex.quote(str(current.folder))}"
    try:
        left = launches_left(current)
        with Progress(current, left) as progress:
            launches = _one_by_one(current, left, progress)
            execute(session, launches, progress)
    except KeyboardInterrupt:
        interrupted = True
        end_launches(session)
    except KitError:
        print(f"every finished launch is kept; afterwards go on with: {go_on}", file=sys.stderr)
        raise
    all_well = print_results(current)
    if interrupted:
        print(f"interrupted; every finished launch is kept. Go on with: {go_on}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_DONE if all_well else EXIT_SOME_CELLS_FAILED


def _one_by_one(current: Run, launches: Sequence[Launch], progress: Progress) -> Iterator[Launch]:
    """Give each launch only when its turn has come: a rung that has turned out to be inert is not run in another block.

    In a block that is run again it is, where an earlier session has run it: the block is to be whole.
    """
    run_before = {record.launch_id for record in current.read_records()}
    for launch in launches:
        if launch.launch_id in run_before or launch in _needed(current):
            yield launch
        else:
            progress.passed_over(launch)


def _print_plan(planned: PlannedLadder) -> None:
    """The rungs for people: what each changes, and which are left out and why."""
    print(f"ladder   {planned.ladder.name}: {planned.ladder.title}; {len(planned.plan.launches)} launches")
    for note in notes_on(planned.machine, planned.plan.pin):
        print(f"note     {note}")
    for stack, rungs in planned.rungs.items():
        for rung in rungs:
            head = f"{'branch' if rung.is_branch else 'rung  '}   {stack} {rung.id:20}"
            print(f"{head} {f'left out: {rung.left_out}' if rung.left_out else describe_changes(rung) or rung.note}")
