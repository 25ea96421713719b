"""`repeat`: repeats a run from its record, on this host, and compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Stack, against_itself
from runner.catalogue.topology_file import keep, kept
from runner.cli.engines import Engines, choose_engine
from runner.cli.measuring import UntimedWork, command_line, measure
from runner.cli.progress import say
from runner.engines.protocol import FROM_RECORD, Notify
from runner.errors import EXIT_INTERRUPTED, UsageError
from runner.host.pin import Pin
from runner.machine import Machine, Processor
from runner.planning.plan import Plan
from runner.report.measured import measured
from runner.report.repeat_sections import repeat_sections
from runner.report.write import REPEAT_FILE
from runner.session.opening import Ready, begin, make_ready, stacks_of
from runner.session.options import EngineOptions, PinOptions
from runner.session.planned import pin_from
from runner.session.prepared import measuring
from runner.session.resuming import RECORDED, repeated_with
from runner.session.room_together import require_room_together
from runner.session.this_host import LIVE_ROOT, machine_below
from runner.session.topology_description import Description
from runner.storage import runs
from runner.storage.repetition import (
    isolated_in,
    keep_original,
    pin_like,
    plan_again,
    require_a_folder_of_its_own,
)
from runner.storage.runs import Run
from runner.vocabulary import Launch, one_of


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `run` is the folder of the run to repeat."""

    run: Path
    out: Path | None
    bkms: str | None
    pin: PinOptions
    engine: EngineOptions


@dataclass(frozen=True)
class PlannedRepetition:
    """A run's plan on this host. A user's own topology is not built first: each launch has the recorded settings."""

    original: Run
    machine: Machine
    stacks: tuple[Stack, ...]
    plan: Plan
    user_topology: None = None
    description: None = None

    @property
    def label(self) -> str:
        """What a new run's folder is named after."""
        return f"repeat-{self.original.name}"

    @property
    def launches(self) -> tuple[Launch, ...]:
        """All launches of the plan."""
        return self.plan.launches

    @property
    def remarks(self) -> list[str]:
        """The notes of the original on what it left out."""
        return list(self.original.about.notes)

    @property
    def kind_json(self) -> Mapping[str, Any]:
        """The keys that run.json takes from the original's run.json, and the original's name."""
        header = self.original.header
        same = {name: header[name] for name in ("images", "own_topology") if name in header}
        untimed = {"peak": bool(self.original.about.peak), "probes": bool(self.original.about.probes)}
        return {**untimed, **same, "repeats": self.original.name}

    def with_description(self, description: Description, notify: Notify) -> PlannedRepetition:
        """The same plan: no branches are counted."""
        return self


def run(options: Options, engines: Engines) -> int:
    """Repeat a run into a folder of its own; exit code 1 if a cell failed, whether or not the two agree."""
    original = runs.load(options.run)
    folder = options.out or runs.RUNS / runs.new_name(f"repeat-{original.name}")
    require_a_folder_of_its_own(folder, original)
    planned = _planned(options, original)
    with_record = repeated_with(options.engine, original)
    engine, why = choose_engine(with_record, engines, planned.stacks)
    why = f"engine {engine.name}: as recorded" if options.engine.engine == RECORDED else why
    with measuring(f"run {folder}", engine):
        say(f"repeating {original.folder}: {len(planned.launches)} launches; {why}")
        _say_if_pin_differs(original, planned.plan.pin)
        require_room_together(planned.launches)
        ready = make_ready(planned, engine, folder, say)
        session = begin(ready, folder, command_line(), with_record.memory_bytes, _workload(ready, original))
        created = session.run
        keep_original(created, original)
        for file in {launch.topology_file for launch in original.launches if launch.topology_file is not None}:
            keep(kept(original.folder, file), created.folder)
        untimed = UntimedWork(peak=bool(created.about.peak), probe=bool(created.about.probes))
        code = measure(session, created.launches, untimed)
    if code != EXIT_INTERRUPTED:
        say(f"\n{repeat_sections(measured(created))[0].paragraphs[0]}")
        say(f"comparison: {created.folder / REPEAT_FILE}")
    return code


def _planned(options: Options, original: Run) -> PlannedRepetition:
    machine = machine_below(LIVE_ROOT)
    recorded = original.about.plan.pin
    like = None if options.pin.is_given else pin_like(recorded, machine, isolated_in(original))
    pin = like or pin_from(options.pin, machine)
    plan = plan_again(original, pin, options.bkms)
    return PlannedRepetition(original, machine, _stacks(original, machine.processor), plan)


def _say_if_pin_differs(original: Run, pin: Pin) -> None:
    recorded = original.about.plan.pin
    if pin != recorded:
        say(f"the pin differs: CPUs {recorded.cpu_list} then, {pin.cpu_list} now")


def _stacks(original: Run, processor: Processor) -> tuple[Stack, ...]:
    """The original's stacks, as this version of the kit declares them.

    Raises:
        UsageError: the run is not a comparison, this version of the kit lacks one of its stacks, installations or
            variants, or this processor cannot run one of its variants.
    """
    if original.about.kind is not None:
        raise UsageError(
            f"{original.folder} is a {original.about.kind}, not a comparison; repeat it with the command in its "
            f"report: {original.about.command}"
        )
    stacks = stacks_of(original)
    if original.about.is_aa:
        stacks = tuple(against_itself(stack) for stack in stacks)
    by_name = {stack.name: stack for stack in stacks}
    for launch in original.launches:
        stack = by_name[launch.cell.stack]
        one_of(f"variant of {stack.name}", launch.cell.variant, stack.variants)
        one_of(f"installation of {stack.name}", launch.installation, stack.installations)
        why = stack.variants[launch.cell.variant].why_not_on(processor)
        if why:
            raise UsageError(f"{launch.cell.variant} of {stack.name} cannot be repeated on this host: {why}.")
    return stacks


def _workload(ready: Ready, original: Run) -> dict[str, Any]:
    """What run.json has of the workload: that of the original if its own images are run, since they contain it."""
    if all(artifact.provenance.get(FROM_RECORD) for artifact in ready.artifacts.values()):
        return {"workload_sha256": original.about.workload_sha256}
    return {}
