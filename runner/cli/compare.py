"""`compare`, the main job: plan, lock the machine, build, run every launch, report."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Installation, Stack, find_stack
from runner.catalogue.topology_file import keep, kept
from runner.catalogue.workload_files import workload_sha256
from runner.checks.conditions import flatten
from runner.cli.engines import Engines, by_digest, choose_engine, measuring, require_ready
from runner.cli.evidence import probe_missing
from runner.cli.images import match_installations, require_matched
from runner.cli.own_topology import built, own_topology_json
from runner.cli.plan import counted, print_plan
from runner.cli.planning import Planned, plan_from
from runner.cli.progress import Progress, say
from runner.cli.registries import lock_from
from runner.cli.terminal import print_results
from runner.engines.protocol import Artifact, Engine
from runner.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_SOME_CELLS_FAILED, KitError, UsageError
from runner.matching.diff import Match
from runner.planning.ladder_plan import is_ladder
from runner.registry import image_lock
from runner.registry.image_lock import ImageLock
from runner.session.execute import execute
from runner.session.header import make_header
from runner.session.peak import measure_peaks
from runner.session.state import Session
from runner.session.this_host import context_of, live_conditions, read_facts, require_fit
from runner.storage import runs
from runner.storage.repetition import images_of
from runner.storage.runs import Run
from runner.support.network import redact
from runner.vocabulary import Launch

# Records, logs and reports of a large run, generously.
RUN_BYTES = 200_000_000


@dataclass(frozen=True)
class Before:
    """What is obtained before the first timed launch: the matrix product's peak, and the probes' evidence."""

    peak: bool
    probe: bool


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Run or resume a comparison; exit code 1 if a cell failed, 130 if interrupted."""
    if arguments.resume is not None:
        return _resume(arguments, engines)
    planned = plan_from(arguments)
    engine, why = choose_engine(arguments, engines, planned.stacks)
    if arguments.dry_run:
        print_plan(counted(planned, engine, arguments.inter_op), engine)
        return EXIT_DONE
    name = runs.new_name(planned.preset.name)
    folder = arguments.out or runs.RUNS / name
    with measuring(f"run {folder}", engine):
        say(why)
        require_fit(planned.machine, planned.plan.pin, engine, say)
        artifacts = prepare(engine, planned.stacks, planned.plan.launches, folder)
        # Before the files are compared, which takes longer: a mistake in a topology is its author's to mend.
        plan, description = built(planned.own, planned.request, planned.plan, engine, artifacts, say)
        planned = replace(planned, plan=plan, description=description)
        matched = match_installations(engine, planned.stacks, artifacts, say)
        require_matched(matched)
        created = runs.create(folder, _header(folder.name, arguments, planned, engine, artifacts, matched))
        if planned.own is not None:
            keep(planned.own, created.folder)
        before = Before(peak=not arguments.no_peak, probe=not arguments.no_probe)
        session = Session(created, engine, artifacts, context_of(created, 1), read_facts)
        return measure(session, created.launches, before)


def prepare(
    engine: Engine, stacks: Sequence[Stack], launches: Sequence[Launch], folder: Path
) -> dict[tuple[str, str], Artifact]:
    """Make every installation ready that the launches need, by stack and installation, for a run below `folder`."""
    wanted = _wanted_by(launches, stacks)
    require_ready(engine, wanted, {folder: RUN_BYTES})

    def make(each: tuple[Stack, Installation]) -> Artifact:
        return engine.prepare(*each, say)

    # Nothing is measured yet, so downloads and unpacking may use the whole machine.
    with ThreadPoolExecutor(max_workers=len(wanted) if engine.prepares_in_parallel else 1) as pool:
        made = list(pool.map(make, wanted))
    return {(artifact.installation.stack, artifact.installation.name): artifact for artifact in made}


def _wanted_by(launches: Sequence[Launch], stacks: Sequence[Stack]) -> list[tuple[Stack, Installation]]:
    """The installations that launches need, each once and with its stack."""
    names = dict.fromkeys((launch.cell.stack, launch.installation) for launch in launches)
    by_name = {stack.name: stack for stack in stacks}
    return [(by_name[stack], by_name[stack].installations[installation]) for stack, installation in names]


def _resume(arguments: argparse.Namespace, engines: Engines) -> int:
    """Go on with a run from its own plan: no complete block is repeated, and every other one is run again whole."""
    resumed = runs.load(arguments.resume) if arguments.resume != Path() else runs.newest_unfinished()
    if resumed.is_of_compose:
        raise UsageError(
            f"{resumed.folder} is a run of Docker Compose, and no engine of the kit goes on with it. Run "
            f"docker-compose up with its Compose file again, then python -m runner report {resumed.folder}."
        )
    if is_ladder(resumed.header):
        raise UsageError(f"{resumed.folder} is a ladder: go on with python -m runner ablate --resume {resumed.folder}.")
    for file in {launch.topology_file for launch in resumed.launches if launch.topology_file is not None}:
        kept(resumed.folder, file)
    take_over(arguments, resumed)
    stacks = tuple(find_stack(name) for name in resumed.header["stacks"])
    engine, _ = choose_engine(arguments, engines, stacks)
    left = resumed.remaining()
    with measuring(f"run {resumed.folder}", engine):
        say(resuming(resumed, left))
        artifacts = prepare(engine, stacks, resumed.launches, resumed.folder)
        require_unchanged(resumed, artifacts)
        require_matched(match_installations(engine, stacks, artifacts, say))
        # A run that was begun without peak or probes, or before there were any, goes on without.
        before = Before(
            peak=bool(resumed.header.get("peak", False)) and not arguments.no_peak,
            probe=bool(resumed.header.get("probes", False)) and not arguments.no_probe,
        )
        session = Session(resumed, engine, artifacts, context_of(resumed, next_session(resumed)), read_facts)
        return measure(session, left, before)


def resuming(resumed: Run, left: Sequence[Launch]) -> str:
    """One line on what is left of a run, and on what of it has ended before and is run again with its block."""
    ended = {record.launch_id for record in resumed.read_records() if record.error is None}
    again = sum(launch.launch_id in ended for launch in left)
    why = f", {again} of them again: a block counts only whole and from one session" if again else ""
    return f"resuming {resumed.folder}: {len(left)} of {len(resumed.launches)} launches left{why}"


def next_session(resumed: Run) -> int:
    """The number of the session that goes on with a run."""
    return 1 + max((record.session for record in resumed.read_records()), default=1)


def take_over(arguments: argparse.Namespace, resumed: Run) -> None:
    """Set the options that make the engine and its artifacts to what the run was begun with."""
    engine = resumed.header["engine"]
    arguments.engine = engine["name"]
    arguments.memory = engine["enforced"]["memory_limit_bytes"]
    arguments.image_lock = _lock_taken_over(arguments, resumed)
    # The very images that the run began with, where they are still here, whatever has been built since.
    arguments.recorded_images = images_of(resumed)
    if not arguments.base_image and arguments.image_lock is None:
        arguments.base_image = base_images_of(resumed)


def base_images_of(begun: Run) -> dict[str, str]:
    """The base that each stack's images were built on in a run."""
    return {
        name: made["base_image"]
        for name, stack in begun.header["stacks"].items()
        for made in stack["installations"].values()
        if made.get("base_image")
    }


def _lock_taken_over(arguments: argparse.Namespace, resumed: Run) -> ImageLock | None:
    """The images lock that a run was begun with; None if its images were built.

    Raises:
        UsageError: --images names other images than those.
    """
    begun_with = lock_of(resumed)
    if arguments.images is None:
        return begun_with
    named = image_lock.read(arguments.images)
    if begun_with is None or named.images != begun_with.images:
        raise UsageError(
            f"{resumed.folder} was begun with {'other images' if begun_with else 'images that were built'} than those "
            f"of {arguments.images}. Leave --images out to go on with them, or start a new run."
        )
    return begun_with


def lock_of(begun: Run) -> ImageLock | None:
    """The images lock that a run keeps; None if its images were built."""
    kept_lock = begun.header.get("images")
    return None if kept_lock is None else ImageLock.from_json(kept_lock, f"{begun.folder / 'run.json'}, images,")


def measure(session: Session, launches: list[Launch], before: Before) -> int:
    """Run the launches, what is asked for before them, and report what there is, also after Ctrl-C."""
    interrupted, current = False, session.run
    try:
        if before.probe:
            probe_missing(session, current.launches)
        if before.peak:
            measure_peaks(session, say)
        with Progress(current, launches) as progress:
            execute(session, launches, progress)
    except KeyboardInterrupt:
        interrupted = True
        end_launches(session)
    except KitError:
        print(f"every finished launch is kept; afterwards go on with: {resume_command(current)}", file=sys.stderr)
        raise
    all_well = print_results(current)
    if interrupted:
        print(f"interrupted; every finished launch is kept. Go on with: {resume_command(current)}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_DONE if all_well else EXIT_SOME_CELLS_FAILED


def end_launches(session: Session) -> None:
    """After an interrupt: see that nothing of this run goes on. The next start sees to what cannot be ended now."""
    with suppress(KitError):
        session.engine.cleanup(session.run.name)


def resume_command(current: Run) -> str:
    """What to type to go on with a run."""
    return f"python -m runner compare --resume {shlex.quote(str(current.folder))}"


def _header(
    name: str,
    arguments: argparse.Namespace,
    planned: Planned,
    engine: Engine,
    artifacts: Mapping[tuple[str, str], Artifact],
    matched: Sequence[Match],
) -> dict[str, Any]:
    header = make_header(
        name,
        planned.plan,
        planned.machine,
        planned.stacks,
        engine,
        artifacts,
        command_line(),
        planned.left_out,
        arguments.memory,
        matched,
    )
    # The lock is kept whole, so that a resumed run takes the same images whatever has become of the file.
    images = {"images": lock_from(arguments).to_json()} if by_digest(arguments) else {}
    own = own_topology_json(planned.own, planned.description)
    return {**header, "peak": not arguments.no_peak, "probes": not arguments.no_probe, **images, **own}


def command_line() -> str:
    """What was typed, without passwords."""
    return redact(shlex.join(["python", "-m", "runner", *sys.argv[1:]]))


def require_unchanged(resumed: Run, artifacts: Mapping[tuple[str, str], Artifact]) -> None:
    """Refuse to mix launches that were run under other conditions into a run.

    Raises:
        UsageError: something that must match has changed since the run began; the message names it.
    """
    before = dict(flatten(resumed.header["machine_conditions"], "machine."))
    now = dict(flatten(live_conditions(), "machine."))
    before["workload_sha256"], now["workload_sha256"] = resumed.header["workload_sha256"], workload_sha256()
    for (stack, installation), artifact in artifacts.items():
        recorded = resumed.header["stacks"][stack]["installations"][installation]
        # A base is known where an image was built; one that was taken by digest brings its base with it.
        for field in ("lock_sha256", *(["base_image_id"] if recorded.get("base_image_id") else [])):
            key = f"{stack}.{installation}.{field}"
            before[key], now[key] = recorded.get(field), artifact.provenance.get(field)
    changed = [f"{key} (was {before[key]}, is {now.get(key)})" for key in before if before[key] != now.get(key)]
    if changed:
        raise UsageError(
            f"{resumed.folder} cannot be resumed: its launches could not be divided by new ones, because "
            f"{'; '.join(changed)}. Start a new run, or restore what changed."
        )
