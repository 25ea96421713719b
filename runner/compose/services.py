"""Makes the services of a Compose file from a request. A launch has the settings of the Docker engine's container.

For each variant one service checks that its image starts. Each launch of the plan is a service with its variant's
settings; it starts when the one before has ended, so that the order of the plan is kept. Knows no YAML.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Stack
from runner.compose.request import ComposeRequest
from runner.engines.container import ContainerSpec
from runner.engines.docker import RUN_LABEL, container_spec
from runner.engines.docker_images import ImageBuilder, build_arguments
from runner.engines.protocol import LaunchFolders
from runner.host.pin import Pin
from runner.planning.bkm import Bkms
from runner.planning.job import training_job
from runner.planning.plan import Plan
from runner.session.execute import GRACE_SECONDS
from runner.vocabulary import Launch

Service = dict[str, Any]

# Placeholders for values that the host sets; document.py writes them as Compose variables with defaults.
RUN, CPUS, THREADS, MEMORY, RESULTS = "@KIT_RUN@", "@KIT_CPUS@", "@KIT_THREADS@", "@KIT_MEMORY@", "@KIT_RESULTS@"
USER = "@KIT_UID@:@KIT_GID@"
NO_LIMIT = "0"

RUNS = "/runs"
HOST = "host"
SUCCESS = {"condition": "service_completed_successfully"}
_OF_A_LAUNCH = ("labels", "command", "depends_on")
# The host's service does not have these settings, so that its capture sees every CPU.
_OF_A_PIN = ("cpuset", "environment", "mem_limit", "memswap_limit")


@dataclass(frozen=True)
class Services:
    """The services of one plan, by name. `variants` has the shared settings, `launches` each launch's own settings."""

    variants: Mapping[str, Service]
    checks: Mapping[str, Service]
    host: Service
    launches: Mapping[str, Service]
    variant_of: Mapping[str, str]


def image_variable(stack: str, installation: str) -> str:
    """The variable that names an installation's image: KIT_IMAGE_TF_2_14_STOCK."""
    return f"KIT_IMAGE_{_variable_part(stack)}_{_variable_part(installation)}"


def base_image_variable(stack: str) -> str:
    """The variable that names a stack's base image: KIT_BASE_IMAGE_TF_2_14."""
    return f"KIT_BASE_IMAGE_{_variable_part(stack)}"


def image_tokens(stacks: tuple[Stack, ...]) -> dict[str, dict[str, str]]:
    """The placeholders for the images, by stack and installation."""
    return {
        stack.name: {name: f"@{image_variable(stack.name, name)}@" for name in stack.installations} for stack in stacks
    }


def defaults(composed: ComposeRequest, pin: Pin, memory_bytes: int | None, results: str) -> dict[str, str]:
    """Every variable that a host may set, with its default."""
    values = {
        "KIT_RUN": composed.run,
        "KIT_CPUS": pin.cpu_list,
        "KIT_THREADS": str(pin.threads),
        "KIT_MEMORY": NO_LIMIT if memory_bytes is None else str(memory_bytes),
        "KIT_UID": "1000",
        "KIT_GID": "1000",
        "KIT_RESULTS": results,
    }
    for stack in composed.request.stacks:
        values[base_image_variable(stack.name)] = stack.base_image
        for name in stack.installations:
            values[image_variable(stack.name, name)] = ImageBuilder.tag(stack.name, name)
    return values


def services_of(composed: ComposeRequest, pin: Pin, images_folder: str) -> Services:
    """Every service, in the order in which they run: a check of each variant's image, the host, the launches."""
    open_request = replace(composed, run=RUN, cpus=CPUS, threads=THREADS, memory=MEMORY)
    plan = replace(open_request, bkms=_open(composed.bkms, pin)).plan(pin)
    threads = {each.name for each in composed.bkms.settings if each.target == "job" and "{threads}" in each.value}
    variants: dict[str, Service] = {}
    launches: dict[str, Service] = {}
    for launch in plan.launches:
        name = f"{launch.cell.stack}-{launch.cell.variant}"
        service = service_of(_spec(launch, composed.images[launch.cell.stack][launch.installation]))
        shared = variants.setdefault(name, {key: value for key, value in service.items() if key not in _OF_A_LAUNCH})
        deadline = f"{launch.time_limit_seconds + GRACE_SECONDS:.0f}"
        launches[launch.launch_id] = {
            **{key: value for key, value in service.items() if shared.get(key) != value},
            "command": ["launch", RUN, launch.launch_id, deadline, _block(launch, plan), _job(launch, threads)],
            "depends_on": {next(reversed(launches), HOST): SUCCESS},
        }
    checks = _checks(composed, plan.launches, images_folder)
    host = {key: value for key, value in variants[next(iter(checks))].items() if key not in _OF_A_PIN}
    pinned = [] if pin.has_siblings else [CPUS, THREADS]
    host |= {
        "labels": {RUN_LABEL: RUN},
        "command": ["host", RUN, json.dumps(open_request.to_json(), indent=1), MEMORY, *pinned],
        "depends_on": {next(reversed(checks)): SUCCESS},
    }
    variant_of = {launch.launch_id: f"{launch.cell.stack}-{launch.cell.variant}" for launch in plan.launches}
    return Services(variants, checks, host, launches, variant_of)


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


def _block(launch: Launch, plan: Plan) -> str:
    """The ids of all launches of a launch's block, in the order of the plan."""
    block = (launch.cell.group, launch.block)
    return " ".join(each.launch_id for each in plan.launches if (each.cell.group, each.block) == block)


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


def _variable_part(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()


def relative_to(folder: Path, path: Path) -> str:
    """A path relative to `folder`, as a Compose file there names it."""
    relative = os.path.relpath(path.resolve(), folder.resolve())
    return relative if relative.startswith(".") else f"./{relative}"
