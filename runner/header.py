"""run.json: what was planned, on which machine, by which version of the kit, so that a report needs nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runner import __version__, runs
from runner.engines.protocol import Artifact, Engine
from runner.machine import Machine, conditions
from runner.plan import Plan
from runner.stacks import IMAGES, Stack
from runner.workload_files import workload_sha256

# Every condition of a launch that an engine may or may not hold a launch to, and the name it is refused by.
ENFORCEABLE = {
    "mems": "memory nodes",
    "memory_limit_bytes": "memory limit",
    "cpu_quota_cpus": "CPU quota",
    "network": "no network",
    "file_system": "read-only file system",
}


def make_header(
    name: str,
    plan: Plan,
    machine: Machine,
    stacks: Sequence[Stack],
    engine: Engine,
    artifacts: Mapping[tuple[str, str], Artifact],
    command: str,
    notes: Sequence[str],
    memory_bytes: int | None,
) -> dict[str, Any]:
    """Everything that a run's report and its repetition need to know."""
    return {
        "schema_version": runs.SCHEMA_VERSION,
        "run": name,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "kit": {"version": __version__, "revision": revision(IMAGES.parent)},
        "command": command,
        "notes": list(notes),
        "plan": plan.to_json(),
        "machine": machine.to_json(),
        "machine_conditions": conditions(machine),
        "engine": {
            "name": engine.name,
            "cannot_enforce": list(engine.cannot_enforce),
            "enforced": enforced(plan, engine, memory_bytes),
        },
        "stacks": {stack.name: _stack(stack, artifacts) for stack in stacks},
        "workload_sha256": workload_sha256(),
    }


def enforced(plan: Plan, engine: Engine, memory_bytes: int | None) -> dict[str, Any]:
    """What the engine holds each launch to; null for what it cannot."""
    wanted: dict[str, Any] = {
        "mems": plan.pin.to_json()["mems"],
        "memory_limit_bytes": memory_bytes,
        "cpu_quota_cpus": None,
        "network": "none",
        "file_system": "read-only",
    }
    return {key: None if ENFORCEABLE[key] in engine.cannot_enforce else value for key, value in wanted.items()}


def revision(folder: Path) -> str | None:
    """The git revision of the kit, with a plus sign if files were changed since; None outside of a clone."""
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _stack(stack: Stack, artifacts: Mapping[tuple[str, str], Artifact]) -> dict[str, Any]:
    made = {name: dict(artifact.provenance) for (key, name), artifact in artifacts.items() if key == stack.name}
    return {
        "title": stack.title,
        "tensorflow": stack.tensorflow,
        "python": stack.python,
        "reason": stack.reason,
        "source": stack.source,
        "installations": made,
        "variants": {name: variant.to_json() for name, variant in stack.variants.items()},
    }
