"""Prints a plan as text or JSON: every launch in order, with pin, environment and command. Nothing is run."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.engines.protocol import Engine
from runner.planning.job import JOB_FILE, training_job
from runner.session.execute import launch_folders
from runner.session.header import enforced
from runner.session.opening import with_user_topology_if_ready
from runner.session.planned import PlannedComparison
from runner.session.user_topology import branches_line, disjoint_branches
from runner.storage import runs
from runner.vocabulary import Launch

# A placeholder for the run's folder in printed commands; the name of a real run has its time.
FOLDER = runs.RUNS / "RUN"


def with_branches(planned: PlannedComparison, engine: Engine, inter_op: int | None) -> PlannedComparison:
    """The plan with the branches of the user's own topology, which is built if its installations are ready."""
    return with_user_topology_if_ready(planned, engine, inter_op, _notify)


def _notify(text: str) -> None:
    """Print to standard error, because standard output is for the plan."""
    print(text, file=sys.stderr)


def plan_json(
    planned: PlannedComparison, engine: Engine, memory_bytes: int | None, folder: Path = FOLDER
) -> dict[str, Any]:
    """The plan as data: machine, pin, reasons to refuse a run on this host, and every launch with its command."""
    plan = planned.plan
    launches = [{**launch.to_json(), "command": command(launch, planned, engine, folder)} for launch in plan.launches]
    return {
        "engine": engine.name,
        "machine": planned.machine.to_json(),
        "enforced": asdict(enforced(plan, engine, memory_bytes)),
        "disjoint_branches": {
            name: disjoint_branches(name, planned.description) for name in planned.request.topologies
        },
        "notes": [*planned.problems, *planned.notes, *planned.remarks],
        **plan.to_json(),
        "launches": launches,
    }


def command(launch: Launch, planned: PlannedComparison, engine: Engine, folder: Path) -> str:
    """A shell command that does what the kit would do: make the folders and the job file, and start the launch."""
    folders = launch_folders(folder.name, folder, launch)
    job = shlex.quote(json.dumps(training_job(launch)))
    file = shlex.quote(str(folders.job / JOB_FILE))
    needed = [folders.job, folders.result, *([] if folders.turns is None else [folders.turns])]
    made = f"{shlex.join(['mkdir', '-p', *map(str, needed)])} && printf %s {job} > {file}"
    if launch.topology_file is not None and planned.user_topology is not None:
        made += f" && {shlex.join(['cp', str(planned.user_topology.path), str(folders.job)])}"
    return f"{made} && {engine.command(launch, planned.plan.pin, folders)}"


def print_plan(planned: PlannedComparison, engine: Engine) -> None:
    """Print the plan as text: the pin, the settings, then the launches in the order in which they would run."""
    plan, pin = planned.plan, planned.plan.pin.to_json()
    print(f"engine   {engine.name}; cannot enforce: {', '.join(engine.cannot_enforce) or 'nothing'}")
    print(f"pin      CPUs {pin['cpus']}, memory nodes {pin['mems']}, {pin['threads']} threads")
    print(f"BKMs     {plan.bkms.name}: {plan.bkms.title}")
    for setting in plan.bkms.settings:
        print(f"         {setting.name}={setting.value}   ({setting.source})")
    for name in planned.request.topologies:
        print(f"network  {name}: {branches_line(name, plan, planned.description)}")
    for note in (*planned.problems, *planned.notes, *planned.remarks):
        print(f"note     {note}")
    if any(launch.members > 1 for launch in plan.launches):
        print("note     the launches of a block take turns: their commands below only work if all are started together")
    for number, launch in enumerate(plan.launches, start=1):
        cell = launch.cell
        print(f"\n{number:4}  block {launch.block}, {cell.stack} {cell.variant} {cell.topology}, batch size "
              f"{cell.batch_size}, {launch.layout}, {launch.steps.warmup} + {launch.steps.timed} steps")  # fmt: skip
        print(f"      {command(launch, planned, engine, FOLDER)}")
