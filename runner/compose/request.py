"""The request of a Compose file, as data. It is written into the file, kept by the run, and read to make the records.

The request and the BKMs are stored unresolved. When the CPUs of the host are known, the same code makes the plan from
them again. Knows neither Compose's format nor what was observed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from runner import __version__
from runner.catalogue.stacks import find_stack
from runner.catalogue.workload_files import workload_sha256
from runner.errors import RunFormatError
from runner.host.pin import Pin
from runner.planning.bkm import Bkms, bkms_from, resolve
from runner.planning.plan import Plan, Request, choose_variants, make_plan
from runner.storage.runs import COMPOSE_FILE
from runner.vocabulary import Steps, TurnSize

SCHEMA_VERSION = 2
# In version 1 the launches of a block follow one another: its requests have no turns.
READABLE = (1, SCHEMA_VERSION)
FILE_NAME = COMPOSE_FILE


@dataclass(frozen=True)
class ComposeRequest:
    """A request with its BKMs. `images` and `lock_sha256` are by stack and installation.

    `run`, `cpus`, `threads`, `memory` (bytes, 0 for no limit) and `images` are as the host set them, else the defaults.
    """

    run: str
    request: Request
    bkms: Bkms
    notes: tuple[str, ...]
    cpus: str
    threads: str
    memory: str
    images: Mapping[str, Mapping[str, str]]
    lock_sha256: Mapping[str, Mapping[str, str]]
    workload_sha256: str
    kit_version: str

    def plan(self, pin: Pin) -> Plan:
        """The plan on a pin: the same one that `compare` would make."""
        return make_plan(self.request, pin, resolve(self.bkms, pin))

    def to_json(self) -> dict[str, Any]:
        """The request as JSON data, which `request_from` reads."""
        request = self.request
        return {
            "schema_version": SCHEMA_VERSION,
            "kit_version": self.kit_version,
            "run": self.run,
            "cpus": self.cpus,
            "threads": self.threads,
            "memory": self.memory,
            "request": {
                "stacks": [stack.name for stack in request.stacks],
                "variants": list(request.variants),
                "topologies": list(request.topologies),
                "batch_sizes": list(request.batch_sizes),
                "blocks": request.blocks,
                "warmup_steps": request.steps.warmup,
                "timed_steps": request.steps.timed,
                "seed": request.seed,
                "time_limit_seconds": request.time_limit_seconds,
                "turns": None if request.turns is None else asdict(request.turns),
                "memory_bytes": request.memory_bytes,
            },
            "bkms": asdict(self.bkms),
            "notes": list(self.notes),
            "images": {stack: dict(names) for stack, names in self.images.items()},
            "lock_sha256": {stack: dict(names) for stack, names in self.lock_sha256.items()},
            "workload_sha256": self.workload_sha256,
        }


def compose_request(
    run: str, request: Request, bkms: Bkms, notes: tuple[str, ...], images: Mapping[str, Mapping[str, str]]
) -> ComposeRequest:
    """Make a Compose request: its variants named, the locks and workload of this version, the host's values empty."""
    chosen = {name for stack in request.stacks for name in choose_variants(stack, request)}
    named = dict.fromkeys(name for stack in request.stacks for name in stack.variants if name in chosen)
    return ComposeRequest(
        run=run,
        request=replace(request, variants=tuple(named)),
        bkms=bkms,
        notes=notes,
        cpus="",
        threads="",
        memory="",
        images=images,
        lock_sha256={
            stack.name: {name: each.lock_sha256() for name, each in stack.installations.items()}
            for stack in request.stacks
        },
        workload_sha256=workload_sha256(),
        kit_version=__version__,
    )


def read_request(folder: Path) -> ComposeRequest:
    """Read the request of the Compose run in a folder.

    Raises:
        RunFormatError: its file cannot be read, is damaged, or has another schema.
        UsageError: the request names a stack or a setting that this version of the kit does not have.
    """
    path = folder / FILE_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFormatError(f"{path} cannot be read, or is not of a Compose run: {error!r}.") from error
    if version not in READABLE:
        raise RunFormatError(
            f"{path} has schema_version {version}; this kit reads up to {SCHEMA_VERSION}. The Compose file was "
            "written by another version of the kit: report its run with that version."
        )
    try:
        return request_from(data)
    except (KeyError, TypeError) as error:
        raise RunFormatError(f"{path} is damaged: {error!r}. Copy it from the run's host again.") from error


def request_from(data: Mapping[str, Any]) -> ComposeRequest:
    """The request from data that `ComposeRequest.to_json` made."""
    request = data["request"]
    turns = request.get("turns")
    return ComposeRequest(
        run=data["run"],
        request=Request(
            stacks=tuple(find_stack(name) for name in request["stacks"]),
            variants=tuple(request["variants"]),
            topologies=tuple(request["topologies"]),
            batch_sizes=tuple(request["batch_sizes"]),
            blocks=request["blocks"],
            steps=Steps(request["warmup_steps"], request["timed_steps"]),
            seed=request["seed"],
            time_limit_seconds=request["time_limit_seconds"],
            turns=None if turns is None else TurnSize(turns["bursts"], turns["burst_seconds"], turns["together"]),
            memory_bytes=request.get("memory_bytes"),
        ),
        bkms=bkms_from(FILE_NAME, data["bkms"]),
        notes=tuple(data["notes"]),
        **{key: data[key] for key in ("cpus", "threads", "memory", "images", "lock_sha256", "workload_sha256")},
        kit_version=data["kit_version"],
    )
