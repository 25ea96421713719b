"""`probe`: evidence for each variant and topology, of a run that has none or by itself. Nothing is timed."""

from __future__ import annotations

import argparse
import json
import shlex

from rich.table import Table

from runner.catalogue.stacks import find_stack
from runner.catalogue.topology_file import chosen_topologies, keep
from runner.cli.compare import command_line, next_session, prepare, require_unchanged, take_over
from runner.cli.engines import Engines, choose_engine, measuring
from runner.cli.evidence import is_in_order, probe_missing
from runner.cli.own_topology import built, own_topology_json, own_topology_of
from runner.cli.planning import pin_from, stacks_from
from runner.cli.progress import CONSOLE, say
from runner.cli.terminal import print_results
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED, DiskError, UsageError
from runner.evidence import store
from runner.evidence.probed import Evidence
from runner.planning.bkm import load_bkms, resolve
from runner.planning.plan import FEWEST_BLOCKS, Plan, Request, make_plan
from runner.session.header import make_header
from runner.session.probing import STEPS
from runner.session.state import Session
from runner.session.this_host import LIVE_ROOT, context_of, machine_below, read_facts, require_fit
from runner.storage import runs
from runner.storage.runs import Run
from runner.support.atomic import write_whole
from runner.vocabulary import ARTICLE_TOPOLOGIES, Launch, one_of

MOST_PRIMITIVES = 8


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Obtain and print evidence; exit code 1 if a probe or a verdict failed."""
    return _of_run(arguments, engines) if arguments.run is not None else _by_itself(arguments, engines)


def _of_run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Probe what a finished or unfinished run lacks, under the run's own conditions, and redraw its report."""
    current = runs.load(arguments.run)
    take_over(arguments, current)
    stacks = tuple(find_stack(name) for name in current.header["stacks"])
    engine, _ = choose_engine(arguments, engines, stacks)
    with measuring(f"probe {current.folder}", engine):
        artifacts = prepare(engine, stacks, current.launches, current.folder)
        require_unchanged(current, artifacts)
        context = context_of(current, next_session(current))
        probe_missing(Session(current, engine, artifacts, context, read_facts), current.launches, arguments.batch_size)
    _print_evidence(current)
    print_results(current)
    return _exit_code(current)


def _by_itself(arguments: argparse.Namespace, engines: Engines) -> int:
    """Probe without a run: its folder holds evidence and logs, and no run.json, since nothing is measured."""
    machine = machine_below(LIVE_ROOT)
    pin = pin_from(arguments, machine)
    stacks = stacks_from(arguments)
    own = own_topology_of(arguments)
    request = Request(
        stacks=stacks,
        variants=(),
        topologies=chosen_topologies(arguments.topologies, ARTICLE_TOPOLOGIES, own),
        batch_sizes=(arguments.batch_size,),
        blocks=FEWEST_BLOCKS,
        steps=STEPS,
        own_topology=own.file if own else None,
    )
    plan = make_plan(request, pin, resolve(load_bkms(arguments.bkms), pin))
    launches = _chosen(plan, arguments.variants)
    engine, why = choose_engine(arguments, engines, stacks)
    folder = arguments.out or runs.RUNS / runs.new_name("probe")
    with measuring(f"probe {folder}", engine):
        say(why)
        require_fit(machine, pin, engine, say)
        artifacts = prepare(engine, stacks, launches, folder)
        plan, description = built(own, request, plan, engine, artifacts, say)
        launches = _chosen(plan, arguments.variants)
        header = make_header(
            folder.name, plan, machine, stacks, engine, artifacts, command_line(), [], arguments.memory
        )
        current = Run(folder, {**header, **own_topology_json(own, description)})
        _write_header(current)
        if own is not None:
            keep(own, folder)
        session = Session(current, engine, artifacts, context_of(current, 1), read_facts)
        probe_missing(session, launches, arguments.batch_size)
    _print_evidence(current)
    say(f"\nevidence: {folder / store.FILE_NAME}")
    return _exit_code(current)


def _chosen(plan: Plan, variants: tuple[str, ...] | None) -> list[Launch]:
    """The first block's launches, of the variants that were asked for."""
    known = list(dict.fromkeys(launch.cell.variant for launch in plan.launches))
    asked = [one_of("variant", name, known) for name in variants or known]
    return [launch for launch in plan.launches if launch.block == 1 and launch.cell.variant in asked]


def _write_header(current: Run) -> None:
    folder = current.folder
    if (folder / "run.json").exists():
        raise UsageError(
            f"{folder} holds a run. Probe that run (python -m runner probe {shlex.quote(str(folder))}), or name "
            "another folder with --out."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "probe.json", json.dumps(current.header, indent=1) + "\n")
    except OSError as error:
        raise DiskError(f"The folder {folder} cannot be written: {error}. Name another with --out.") from error


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
    names = ("name", "version", "isa", "runtime")
    known = [str(evidence.library[name]) for name in names if evidence.library[name] is not None]
    threads = evidence.library["threads"]
    return ", ".join(known) + (f", {threads} threads" if threads else "")


def _primitives(evidence: Evidence) -> Table:
    table = Table("  primitive", "implementation", box=None, pad_edge=False)
    for name in ("count", "ms", "share"):
        table.add_column(name, justify="right")
    for primitive in evidence.primitives[:MOST_PRIMITIVES]:
        share = primitive["milliseconds"] / evidence.milliseconds if evidence.milliseconds else 0.0
        table.add_row(f"  {primitive['kind']}", primitive["implementation"], str(primitive["count"]),
                      f"{primitive['milliseconds']:.1f}", f"{share:.1%}")  # fmt: skip
    return table
