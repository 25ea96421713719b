"""`plan`: prints every launch in order with pin, environment and command. Nothing is run."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

from runner import runs
from runner.cli.engines import Engines, choose_engine
from runner.cli.planning import Planned, plan_from
from runner.engines.protocol import Engine
from runner.errors import EXIT_DONE
from runner.execute import launch_folders
from runner.header import enforced
from runner.pin import Pin
from runner.vocabulary import Launch

# Stands for the run's folder in printed commands; a real run has its time in the name.
FOLDER = runs.RUNS / "RUN"


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Print the plan, for people or as JSON."""
    planned = plan_from(arguments, arguments.sysroot)
    engine, _ = choose_engine(arguments, engines, planned.stacks)
    if arguments.json:
        print(json.dumps(plan_json(planned, engine, arguments.memory), indent=1))
    else:
        print_plan(planned, engine)
    return EXIT_DONE


def plan_json(planned: Planned, engine: Engine, memory_bytes: int | None, folder: Path = FOLDER) -> dict[str, Any]:
    """The plan as data: machine, pin, and every launch with the command that does the same."""
    plan = planned.plan
    launches = [{**launch.to_json(), "command": command(launch, plan.pin, engine, folder)} for launch in plan.launches]
    return {
        "engine": engine.name,
        "machine": planned.machine.to_json(),
        "enforced": enforced(plan, engine, memory_bytes),
        **plan.to_json(),
        "launches": launches,
    }


def command(launch: Launch, pin: Pin, engine: Engine, folder: Path) -> str:
    """A line for a shell that does what the kit would do: folders, job file, launch."""
    folders = launch_folders(folder.name, folder, launch)
    job = shlex.quote(json.dumps(launch.job()))
    file = shlex.quote(str(folders.job / "job.json"))
    made = f"mkdir -p {shlex.quote(str(folders.job))} {shlex.quote(str(folders.result))} && printf %s {job} > {file}"
    return f"{made} && {engine.command(launch, pin, folders)}"


def print_plan(planned: Planned, engine: Engine) -> None:
    """The plan for people: the pin, the settings, then the launches in the order they would run."""
    plan, pin = planned.plan, planned.plan.pin.to_json()
    print(f"engine   {engine.name}; cannot enforce: {', '.join(engine.cannot_enforce) or 'nothing'}")
    print(f"pin      CPUs {pin['cpus']}, memory nodes {pin['mems']}, {pin['threads']} threads")
    print(f"BKMs     {plan.bkms.name}: {plan.bkms.title}")
    for setting in plan.bkms.settings:
        print(f"         {setting.name}={setting.value}   ({setting.source})")
    for note in planned.left_out:
        print(f"note     {note}")
    for number, launch in enumerate(plan.launches, start=1):
        cell = launch.cell
        print(f"\n{number:4}  block {launch.block}, {cell.stack} {cell.variant} {cell.topology}, batch size "
              f"{cell.batch_size}, {launch.layout}, {launch.steps.warmup} + {launch.steps.timed} steps")  # fmt: skip
        print(f"      {command(launch, plan.pin, engine, FOLDER)}")
