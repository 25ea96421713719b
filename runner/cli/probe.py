"""`probe`: obtains evidence for each variant and topology, for a run that lacks it or without a run.

Nothing is timed.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from runner.catalogue.stacks import Stack
from runner.catalogue.topology_file import chosen_topologies
from runner.cli.engines import Engines, choose_engine
from runner.cli.measuring import command_line
from runner.cli.missing_evidence import is_in_order, probe_missing
from runner.cli.progress import CONSOLE, say
from runner.cli.terminal import print_results
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED, UsageError
from runner.evidence import store
from runner.evidence.probed import Evidence
from runner.planning.plan import FEWEST_BLOCKS, Request
from runner.session.opening import begin, go_on, make_ready, stacks_of
from runner.session.options import EngineOptions, PinOptions
from runner.session.planned import PlannedComparison, plan_request, stacks_from
from runner.session.prepared import measuring
from runner.session.probing import STEPS
from runner.session.resuming import resumed_with
from runner.session.user_topology import user_topology_of
from runner.storage import runs
from runner.storage.runs import Run
from runner.vocabulary import ARTICLE_TOPOLOGIES, Launch, one_of

MOST_PRIMITIVES = 8


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `run` is a run's folder; without one, the other options say what is probed."""

    run: Path | None
    stack: tuple[str, ...] | None
    variants: tuple[str, ...] | None
    topologies: tuple[str, ...] | None
    topology_file: Path | None
    bkms: str
    batch_size: int
    out: Path | None
    pin: PinOptions
    engine: EngineOptions


@dataclass(frozen=True)
class PlannedProbes(PlannedComparison):
    """A plan of which only the requested variants of the first block are probed."""

    variants: tuple[str, ...] = ()

    @property
    def launches(self) -> Sequence[Launch]:
        """The launches that the probes represent."""
        return [launch for launch in self.plan.launches if launch.block == 1 and launch.cell.variant in self.variants]


def run(options: Options, engines: Engines) -> int:
    """Obtain and print evidence; exit code 1 if a probe or a verdict failed."""
    return _by_itself(options, engines) if options.run is None else _of_run(options, runs.load(options.run), engines)


def _of_run(options: Options, current: Run, engines: Engines) -> int:
    """Obtain the evidence that a run lacks, under the run's own conditions, and redraw its report."""
    engine, _ = choose_engine(resumed_with(options.engine, current), engines, stacks_of(current))
    with measuring(f"probe {current.folder}", engine):
        session = go_on(current, engine, say, match=False)
        probe_missing(session, current.launches, options.batch_size)
    _print_evidence(current)
    print_results(current)
    return _exit_code(current)


def _by_itself(options: Options, engines: Engines) -> int:
    """Probe without a run: its folder holds evidence and logs, and no run.json, since nothing is measured."""
    planned = _planned(options)
    engine, why = choose_engine(options.engine, engines, planned.stacks)
    folder = options.out or runs.RUNS / runs.new_name(planned.label)
    with measuring(f"probe {folder}", engine):
        say(why)
        ready = make_ready(planned, engine, folder, say, match=False)
        session = begin(ready, folder, command_line(), options.engine.memory_bytes, create=_create)
        probe_missing(session, ready.planned.launches, options.batch_size)
    _print_evidence(session.run)
    say(f"\nevidence: {folder / store.FILE_NAME}")
    return _exit_code(session.run)


def _planned(options: Options) -> PlannedProbes:
    user_topology = user_topology_of(options.topology_file)
    request = Request(
        stacks=stacks_from(options.stack),
        variants=(),
        topologies=chosen_topologies(options.topologies, ARTICLE_TOPOLOGIES, user_topology),
        batch_sizes=(options.batch_size,),
        blocks=FEWEST_BLOCKS,
        steps=STEPS,
        user_topology=user_topology.file if user_topology else None,
    )
    planned = plan_request("probe", request, options.pin, options.bkms, None, user_topology)
    _require_served(request.stacks, options.variants or (), planned)
    known = list(dict.fromkeys(launch.cell.variant for launch in planned.plan.launches))
    requested = tuple(one_of("variant", name, known) for name in options.variants or known)
    return PlannedProbes(
        planned.label,
        planned.machine,
        planned.request,
        planned.plan,
        user_topology,
        remarks=planned.remarks,
        variants=requested,
    )


def _require_served(stacks: Sequence[Stack], wanted: Sequence[str], planned: PlannedComparison) -> None:
    """Refuse a variant that is asked for by name and that this processor cannot run in any of the stacks.

    Raises:
        UsageError: there is one; the message has the reason.
    """
    kept = {name for stack in planned.stacks for name in stack.variants}
    for name in wanted:
        for stack in stacks:
            if name in stack.variants and name not in kept:
                why = stack.variants[name].why_not_on(planned.machine.processor)
                raise UsageError(f"{name} of {stack.name} cannot be probed on this host: {why}.")


def _create(folder: Path, header: Mapping[str, Any]) -> Run:
    """Make the folder of probes without a run. Its header is not named run.json, since nothing is measured.

    Raises:
        UsageError: the folder holds a run.
        DiskError: the folder cannot be written.
    """
    if (folder / "run.json").exists():
        raise UsageError(
            f"{folder} holds a run. Probe that run (python -m runner probe {shlex.quote(str(folder))}), or name "
            "another folder with --out."
        )
    return runs.with_header(folder, header, "probe.json")


def _exit_code(current: Run) -> int:
    in_order = all(is_in_order(evidence) for evidence in store.read(current.folder).values())
    return EXIT_DONE if in_order else EXIT_SOME_CELLS_FAILED


def _print_evidence(current: Run) -> None:
    for evidence in store.read(current.folder).values():
        subject = evidence.subject
        CONSOLE.print(f"\n{subject.stack} {subject.variant} {subject.topology}, batch size {evidence.batch_size}: "
                      f"{_library(evidence)}", markup=False, soft_wrap=True)  # fmt: skip
        if evidence.error is not None:
            CONSOLE.print(f"  no evidence: {evidence.error['message']}", markup=False, soft_wrap=True)
            continue
        if evidence.quiet_error is not None:
            message = evidence.quiet_error["message"]
            CONSOLE.print(f"  no trace and no fingerprint: {message}", markup=False, soft_wrap=True)
        for verdict in evidence.verdicts:
            mark = {True: "yes", False: "NO", None: "?"}[verdict.passed]
            CONSOLE.print(f"  {mark:4} {verdict.text}", markup=False, soft_wrap=True)
        if evidence.primitives:
            CONSOLE.print(_primitives(evidence))


def _library(evidence: Evidence) -> str:
    if evidence.library is None:
        return "no verbose line"
    return "; ".join(_described(each) for each in (evidence.library, *evidence.further_libraries))


def _described(library: Mapping[str, Any]) -> str:
    known = [str(library[name]) for name in ("name", "version", "isa", "runtime") if library[name] is not None]
    return ", ".join(known) + (f", {library['threads']} threads" if library["threads"] else "")


def _primitives(evidence: Evidence) -> Table:
    table = Table("  primitive", "implementation", box=None, pad_edge=False)
    for name in ("count", "ms", "share"):
        table.add_column(name, justify="right")
    for primitive in evidence.primitives[:MOST_PRIMITIVES]:
        share = primitive["milliseconds"] / evidence.milliseconds if evidence.milliseconds else 0.0
        table.add_row(f"  {primitive['kind']}", primitive["implementation"], str(primitive["count"]),
                      f"{primitive['milliseconds']:.1f}", f"{share:.1%}")  # fmt: skip
    return table
