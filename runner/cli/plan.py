"""`plan`: prints every launch in order with pin, environment and command. Nothing is run."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.cli.engines import Engines, choose_engine
from runner.cli.own_topology import branches_line, built_where_ready, disjoint_branches
from runner.cli.planning import Planned, plan_from
from runner.engines.protocol import Engine
from runner.errors import EXIT_DONE
from runner.session.execute import launch_folders
from runner.session.header import enforced
from runner.storage import runs
from runner.vocabulary import Launch

# Stands for the run's folder in printed commands; a real run has its time in the name.
FOLDER = runs.RUNS / "RUN"


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Print the plan, for people or as JSON."""
    planned = plan_from(arguments, arguments.sysroot)
    engine, _ = choose_engine(arguments, engines, planned.stacks)
    planned = counted(planned, engine, arguments.inter_op)
    if arguments.json:
        print(json.dumps(plan_json(planned, engine, arguments.memory), indent=1))
    else:
        print_plan(planned, engine)
    return EXIT_DONE


def counted(planned: Planned, engine: Engine, inter_op: int | None) -> Planned:
    """The plan with the branches of the user's own topology, which is built where its installations are ready."""
    plan, description = built_where_ready(planned.own, planned.request, planned.plan, engine, inter_op, _tell)
    return replace(planned, plan=plan, description=description)


def _tell(text: str) -> None:
    """Beside the plan, which standard output is for."""
    print(text, file=sys.stderr)


def plan_json(planned: Planned, engine: Engine, memory_bytes: int | None, folder: Path = FOLDER) -> dict[str, Any]:
    """The plan as data: machine, pin, what a run would be refused for, and every launch with its command."""
    plan = planned.plan
    launches = [{**launch.to_json(), "command": command(launch, planned, engine, folder)} for launch in plan.launches]
    return {
        "engine": engine.name,
        "machine": planned.machine.to_json(),
        "enforced": enforced(plan, engine, memory_bytes),
        "disjoint_branches": {
            name: disjoint_branches(name, planned.description) for name in planned.request.topologies
        },
        "notes": [*planned.problems, *planned.notes],
        **plan.to_json(),
        "launches": launches,
    }


def command(launch: Launch, planned: Planned, engine: Engine, folder: Path) -> str:
    """A line for a shell that does what the kit would do: folders, job file, launch."""
    folders = launch_folders(folder.name, folder, launch)
    job = shlex.quote(json.dumps(launch.job()))
    file = shlex.quote(str(folders.job / "job.json"))
    made = f"mkdir -p {shlex.quote(str(folders.job))} {shlex.quote(str(folders.result))} && printf %s {job} > {file}"
    if launch.topology_file is not None and planned.own is not None:
        made += f" && {shlex.join(['cp', str(planned.own.path), str(folders.job)])}"
    return f"{made} && {engine.command(launch, planned.plan.pin, folders)}"


def print_plan(planned: Planned, engine: Engine) -> None:
    """The plan for people: the pin, the settings, then the launches in the order they would run."""
    plan, pin = planned.plan, planned.plan.pin.to_json()
    print(f"engine   {engine.name}; cannot enforce: {', '.join(engine.cannot_enforce) or 'nothing'}")
    print(f"pin      CPUs {pin['cpus']}, memory nodes {pin['mems']}, {pin['threads']} threads")
    print(f"BKMs     {plan.bkms.name}: {plan.bkms.title}")
    for setting in plan.bkms.settings:
        print(f"         {setting.name}={setting.value}   ({setting.source})")
    for name in planned.request.topologies:
        print(f"network  {name}: {branches_line(name, plan, planned.description)}")
    for note in (*planned.problems, *planned.notes, *planned.left_out):
        print(f"note     {note}")
    for number, launch in enumerate(plan.launches, start=1):
        cell = launch.cell
        print(f"\n{number:4}  block {launch.block}, {cell.stack} {cell.variant} {cell.topology}, batch size "
              f"{cell.batch_size}, {launch.layout}, {launch.steps.warmup} + {launch.steps.timed} steps")  # fmt: skip
        print(f"      {command(launch, planned, engine, FOLDER)}")
