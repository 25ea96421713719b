"""`repeat`: runs someone's run again from its record, on this host, and compares the two."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from runner.catalogue.stacks import Stack, find_stack
from runner.catalogue.topology_file import keep, kept
from runner.cli.compare import Before, base_images_of, lock_of, measure, prepare
from runner.cli.engines import Engines, choose_engine, measuring
from runner.cli.images import match_installations, require_matched
from runner.cli.planning import pin_from
from runner.cli.progress import say
from runner.engines.protocol import FROM_RECORD, Artifact, Engine
from runner.errors import EXIT_INTERRUPTED, UsageError
from runner.host.pin import Pin
from runner.machine import Machine
from runner.matching.diff import Match
from runner.planning.plan import Plan
from runner.report.measured import measured
from runner.report.repeat_sections import repeat_sections
from runner.report.write import REPEAT_FILE
from runner.session.header import make_header
from runner.session.state import Session
from runner.session.this_host import LIVE_ROOT, context_of, machine_below, read_facts, require_fit
from runner.storage import runs
from runner.storage.repetition import (
    images_of,
    isolated_in,
    keep_original,
    pin_like,
    plan_again,
    require_a_folder_of_its_own,
)
from runner.storage.runs import Run
from runner.support.network import redact
from runner.vocabulary import one_of

RECORDED = "recorded"


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Repeat a run into a folder of its own; exit code 1 if a cell failed, whether or not the two agree."""
    original = runs.load(arguments.run)
    folder = arguments.out or runs.RUNS / runs.new_name(f"repeat-{original.name}")
    require_a_folder_of_its_own(folder, original)
    machine = machine_below(LIVE_ROOT)
    recorded = Pin.from_json(original.header["plan"]["pin"])
    pin = pin_from(arguments, machine) if _chosen(arguments) else pin_like(recorded, machine, isolated_in(original))
    plan = plan_again(original, pin, arguments.bkms)
    stacks = _stacks(original)
    as_recorded = arguments.engine == RECORDED
    take_over(arguments, original)
    engine, why = choose_engine(arguments, engines, stacks)
    why = f"engine {engine.name}: as recorded" if as_recorded else why
    with measuring(f"run {folder}", engine):
        say(f"repeating {original.folder}: {len(plan.launches)} launches; {why}")
        if pin != recorded:
            say(f"the pin differs: CPUs {recorded.to_json()['cpus']} then, {pin.to_json()['cpus']} now")
        require_fit(machine, pin, engine, say)
        artifacts = prepare(engine, stacks, plan.launches, folder)
        matched = match_installations(engine, stacks, artifacts, say)
        require_matched(matched)
        created = runs.create(
            folder, _header(folder.name, arguments, original, plan, machine, stacks, engine, artifacts, matched)
        )
        keep_original(created, original)
        for file in {launch.topology_file for launch in original.launches if launch.topology_file is not None}:
            keep(kept(original.folder, file), created.folder)
        before = Before(peak=created.header["peak"], probe=created.header["probes"])
        code = measure(
            Session(created, engine, artifacts, context_of(created, 1), read_facts), created.launches, before
        )
    if code != EXIT_INTERRUPTED:
        say(f"\n{repeat_sections(measured(created))[0].paragraphs[0]}")
        say(f"comparison: {created.folder / REPEAT_FILE}")
    return code


def take_over(arguments: argparse.Namespace, original: Run) -> None:
    """Fill in, from the record, the options that make the engine and its images, where none was given."""
    engine = original.header["engine"]
    if arguments.engine == RECORDED:
        arguments.engine = engine["name"]
    if arguments.memory is None and arguments.engine == engine["name"]:
        arguments.memory = engine["enforced"]["memory_limit_bytes"]
    arguments.image_lock = lock_of(original)
    arguments.recorded_images = images_of(original)
    arguments.base_image = arguments.base_image or base_images_of(original)


def _chosen(arguments: argparse.Namespace) -> bool:
    return arguments.cpus is not None or arguments.cores is not None or arguments.headroom > 0


def _stacks(original: Run) -> tuple[Stack, ...]:
    """The original's stacks, as this kit has them.

    Raises:
        UsageError: a stack, installation or variant of the run is not in this version of the kit.
    """
    if original.header.get("kind", "comparison") != "comparison":
        raise UsageError(
            f"{original.folder} is a {original.header['kind']}, not a comparison; repeat it with the command in its "
            f"report: {original.header['command']}"
        )
    stacks = tuple(find_stack(name) for name in original.header["stacks"])
    by_name = {stack.name: stack for stack in stacks}
    for launch in original.launches:
        stack = by_name[launch.cell.stack]
        one_of(f"variant of {stack.name}", launch.cell.variant, stack.variants)
        one_of(f"installation of {stack.name}", launch.installation, stack.installations)
    return stacks


def _header(
    name: str,
    arguments: argparse.Namespace,
    original: Run,
    plan: Plan,
    machine: Machine,
    stacks: tuple[Stack, ...],
    engine: Engine,
    artifacts: Mapping[tuple[str, str], Artifact],
    matched: Sequence[Match],
) -> dict[str, Any]:
    command = redact(shlex.join(["python", "-m", "runner", *sys.argv[1:]]))
    notes = list(original.header["notes"])
    header = make_header(name, plan, machine, stacks, engine, artifacts, command, notes, arguments.memory, matched)
    # An image carries its workload with it: what runs in the original's own images is the original's workload.
    if all(artifact.provenance.get(FROM_RECORD) for artifact in artifacts.values()):
        header["workload_sha256"] = original.header["workload_sha256"]
    same = {name: original.header[name] for name in ("images", "own_topology") if name in original.header}
    before = {name: bool(original.header.get(name, False)) for name in ("peak", "probes")}
    return {**header, **before, **same, "repeats": original.name}
