"""Makes the services of a Compose file from a request. A launch has the settings of the Docker engine's container.

For each variant one service checks that its image starts. Each launch of the plan is a service with its variant's
settings. Launches that take turns start together, when those before them in the plan have ended. Knows no YAML.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Stack
from runner.compose.request import ComposeRequest
from runner.compose.variables import CPUS, MEMORY, RESULTS, RUN, THREADS, USER, base_image_variable
from runner.engines.container import ContainerSpec
from runner.engines.docker import RUN_LABEL, container_spec
from runner.engines.docker_images import build_arguments
from runner.engines.protocol import LaunchFolders
from runner.host.pin import Pin
from runner.planning.bkm import Bkms
from runner.planning.job import training_job
from runner.planning.memory import free_bytes_needed
from runner.planning.plan import Plan
from runner.session.execute import deadline_seconds, launch_folders, living_together
from runner.vocabulary import Launch

Service = dict[str, Any]

RUNS = "/runs"
HOST = "host"
SUCCESS = {"condition": "service_completed_successfully"}
_OF_A_LAUNCH = ("labels", "command", "depends_on")
# The host's service does not have these settings, so that its capture sees every CPU.
_OF_A_PIN = ("cpuset", "environment", "mem_limit", "memswap_limit")


@dataclass(frozen=True)
class Services:
    """The services of one plan, by name. `variants` has the shared settings, `launches` each launch's own settings.

    `take_turns` says whether launches of a block live together.
    """

    variants: Mapping[str, Service]
    checks: Mapping[str, Service]
    host: Service
    launches: Mapping[str, Service]
    variant_of: Mapping[str, str]
    take_turns: bool


def services_of(composed: ComposeRequest, pin: Pin, images_folder: str) -> Services:
    """Every service, in the order in which they run: a check of each variant's image, the host, the launches."""
    open_request = replace(composed, run=RUN, cpus=CPUS, threads=THREADS, memory=MEMORY)
    plan = replace(open_request, bkms=_open(composed.bkms, pin)).plan(pin)
    threads = {each.name for each in composed.bkms.settings if each.target == "job" and "{threads}" in each.value}
    variants: dict[str, Service] = {}
    launches: dict[str, Service] = {}
    for launch, together, before in _started(plan):
        name = f"{launch.cell.stack}-{launch.cell.variant}"
        service = service_of(_spec(launch, composed.images[launch.cell.stack][launch.installation]))
        shared = variants.setdefault(name, {key: value for key, value in service.items() if key not in _OF_A_LAUNCH})
        deadline = f"{deadline_seconds(together):.0f}"
        launches[launch.launch_id] = {
            **{key: value for key, value in service.items() if shared.get(key) != value},
            "command": [
                *("launch", RUN, launch.launch_id, deadline, _block(launch, plan), _job(launch, threads)),
                *_turns_folder(launch),
            ],
            "depends_on": dict.fromkeys(before, SUCCESS),
        }
    checks = _checks(composed, plan.launches, images_folder)
    host = {key: value for key, value in variants[next(iter(checks))].items() if key not in _OF_A_PIN}
    pinned = [] if pin.has_siblings else [CPUS, THREADS]
    host |= {
        "labels": {RUN_LABEL: RUN},
        "command": ["host", RUN, json.dumps(open_request.to_json(), indent=1), MEMORY, _needed(plan), *pinned],
        "depends_on": {next(reversed(checks)): SUCCESS},
    }
    variant_of = {launch.launch_id: f"{launch.cell.stack}-{launch.cell.variant}" for launch in plan.launches}
    take_turns = any(launch.members > 1 for launch in plan.launches)
    return Services(variants, checks, host, launches, variant_of, take_turns)


def service_of(spec: ContainerSpec) -> Service:
    """A container as Compose describes it. Compose has no key for memory nodes; `collect` checks those observed."""
    return {
        "image": spec.image_id,
        "user": spec.user,
        "network_mode": spec.network_mode,
        "read_only": spec.read_only_root,
        "tmpfs": [f"{folder}:{options}" for folder, options in spec.tmpfs.items()],
        "cap_drop": list(spec.cap_drop),
        "security_opt": list(spec.security_opt),
        "init": spec.init,
        "shm_size": spec.shm_bytes,
        "cpuset": spec.cpuset_cpus,
        "mem_limit": MEMORY,
        "memswap_limit": MEMORY,
        "environment": dict(spec.environment),
        "volumes": [f"{RESULTS}:{RUNS}"],
        "labels": dict(spec.labels),
    }


def _spec(launch: Launch, image: str) -> ContainerSpec:
    nowhere = LaunchFolders(RUN, Path("job"), Path("result"), Path("log.txt"))
    spec = container_spec(launch, image=image, cpuset_cpus=CPUS, cpuset_mems="", memory_bytes=None, folders=nowhere)
    return replace(spec, user=USER, read_only={}, writable={})


def _open(bkms: Bkms, pin: Pin) -> Bkms:
    """The BKMs with a placeholder for the host's threads in variables; in jobs `_job` inserts it later."""
    cpus = str(len(pin.cpus)) if pin.has_siblings else THREADS
    settings = [
        replace(each, value=each.value.replace("{threads}", THREADS).replace("{cpus}", cpus))
        if each.target == "environment"
        else each
        for each in bkms.settings
    ]
    return replace(bkms, settings=tuple(settings))


def _started(plan: Plan) -> Iterator[tuple[Launch, Sequence[Launch], Sequence[str]]]:
    """Each launch with those that start together with it, itself among them, and the services that end before it."""
    before: tuple[str, ...] = (HOST,)
    for together in living_together(plan.launches):
        for launch in together:
            yield launch, together, before
        before = tuple(launch.launch_id for launch in together)


def _needed(plan: Plan) -> str:
    """The bytes of free memory that the largest block needs, whose launches live together; 0 if there is none."""
    cells = {(launch.cell.topology, launch.cell.batch_size, launch.members) for launch in plan.launches}
    return str(max((free_bytes_needed(*each) for each in cells if each[-1] > 1), default=0))


def _turns_folder(launch: Launch) -> list[str]:
    """The folder in the run's folder through which a launch takes turns; nothing if it takes none."""
    turns = launch_folders(RUN, Path(), launch).turns
    return [] if turns is None else [turns.as_posix()]


def _block(launch: Launch, plan: Plan) -> str:
    """The ids of all launches of a launch's block, in the order of the plan."""
    return " ".join(
        each.launch_id
        for each in plan.launches
        if (each.cell.group, each.block, each.sitting) == (launch.cell.group, launch.block, launch.sitting)
    )


def _job(launch: Launch, threads: set[str]) -> str:
    """The job as JSON text, with a placeholder for the numbers that follow from the host's threads."""
    job = {**training_job(launch), **dict.fromkeys(threads, THREADS)}
    return json.dumps(job, sort_keys=True).replace(f'"{THREADS}"', THREADS)


def _checks(composed: ComposeRequest, launches: tuple[Launch, ...], images_folder: str) -> dict[str, Service]:
    """The service that checks each variant's image, in the stacks' order; the first of an installation builds it."""
    run = {(launch.cell.stack, launch.cell.variant) for launch in launches}
    checks: dict[str, Service] = {}
    built: set[tuple[str, str]] = set()
    for stack in composed.request.stacks:
        for name, variant in stack.variants.items():
            if (stack.name, name) not in run:
                continue
            service: Service = {"labels": {RUN_LABEL: RUN}, "command": ["--version"]}
            if (stack.name, variant.installation) not in built:
                built.add((stack.name, variant.installation))
                service["build"] = _build(stack, variant.installation, images_folder)
            if checks:
                service["depends_on"] = {next(reversed(checks)): SUCCESS}
            checks[f"{stack.name}-{name}"] = service
    return checks


def _build(stack: Stack, installation: str, images_folder: str) -> Service:
    arguments = build_arguments(stack.installations[installation], f"@{base_image_variable(stack.name)}@")
    return {
        "context": images_folder,
        "dockerfile": f"rendered/{stack.name}/{installation}/Dockerfile",
        "args": arguments,
    }


def relative_to(folder: Path, path: Path) -> str:
    """A path relative to `folder`, as a Compose file there names it."""
    relative = os.path.relpath(path.resolve(), folder.resolve())
    return relative if relative.startswith(".") else f"./{relative}"
