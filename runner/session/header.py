"""run.json: what was planned, on which machine, by which version of the kit, so that a report needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Protocol

from runner import __version__
from runner.catalogue.stacks import IMAGES, Stack
from runner.catalogue.workload_files import workload_sha256
from runner.engines.protocol import Artifact
from runner.machine import Machine, conditions
from runner.matching.diff import Match
from runner.planning.plan import Plan
from runner.storage import runs
from runner.support.revision import revision
from runner.vocabulary import ENFORCEABLE, EngineName


class Enforcing(Protocol):
    """An engine as far as a header tells of it."""

    @property
    def name(self) -> EngineName:
        """The engine's name in plans and records."""

    @property
    def cannot_enforce(self) -> tuple[str, ...]:
        """Conditions that it does not control."""


def make_header(
    name: str,
    plan: Plan,
    machine: Machine,
    stacks: Sequence[Stack],
    engine: Enforcing,
    artifacts: Mapping[tuple[str, str], Artifact],
    command: str,
    notes: Sequence[str],
    memory_bytes: int | None,
    matched: Sequence[Match] = (),
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
        "matched": {match.stack: match.to_json() for match in matched},
        "workload_sha256": workload_sha256(),
    }


def enforced(plan: Plan, engine: Enforcing, memory_bytes: int | None) -> dict[str, Any]:
    """What the engine holds each launch to; null for what it cannot."""
    wanted: dict[str, Any] = {
        "mems": plan.pin.to_json()["mems"],
        "memory_limit_bytes": memory_bytes,
        "cpu_quota_cpus": None,
        "network": "none",
        "file_system": "read-only",
    }
    return {key: None if ENFORCEABLE[key] in engine.cannot_enforce else value for key, value in wanted.items()}


def _stack(stack: Stack, artifacts: Mapping[tuple[str, str], Artifact]) -> dict[str, Any]:
    made = {name: dict(artifact.provenance) for (key, name), artifact in artifacts.items() if key == stack.name}
    return {
        "title": stack.title,
        "released": stack.released,
        "tensorflow": stack.tensorflow,
        "python": stack.python,
        "reason": stack.reason,
        "source": stack.source,
        # As stacks.toml declares them; what is below `installations` is what the artifacts say of themselves.
        "wheels": {name: stack.installations[name].wheel for name in made},
        "holds": {name: stack.installations[name].holds for name in made},
        "holds_source": {name: stack.installations[name].holds_source for name in made},
        "installations": made,
        "variants": {name: variant.to_json() for name, variant in stack.variants.items()},
    }
