"""Makes run.json's data: the plan, the machine, the installations, the version of the kit. A report needs no more."""

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
from runner.storage.header import Enforced, Header, Kit, Provenance, RecordedEngine, RecordedStack
from runner.storage.header_json import header_to_json
from runner.support.revision import revision
from runner.vocabulary import ENFORCEABLE, EngineName


class Enforcing(Protocol):
    """The part of an engine that a header describes."""

    @property
    def name(self) -> EngineName:
        """The engine's name in plans and records."""

    @property
    def cannot_enforce(self) -> tuple[str, ...]:
        """The conditions that it cannot enforce."""


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
    """Everything that a run's report and its repetition need, as run.json's data; `memory_bytes` None: no limit."""
    header = Header(
        schema_version=runs.SCHEMA_VERSION,
        run=name,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        kit=Kit(__version__, revision(IMAGES.parent)),
        command=command,
        notes=tuple(notes),
        plan=plan,
        machine=machine,
        machine_conditions=conditions(machine),
        engine=RecordedEngine(engine.name, engine.cannot_enforce, enforced(plan, engine, memory_bytes)),
        stacks={stack.name: _stack(stack, artifacts) for stack in stacks},
        workload_sha256=workload_sha256(),
    )
    return {**header_to_json(header), "matched": {match.stack: match.to_json() for match in matched}}


def enforced(plan: Plan, engine: Enforcing, memory_bytes: int | None) -> Enforced:
    """The conditions that the engine enforces on each launch; None for those that it cannot enforce."""
    wanted: dict[str, Any] = {
        "mems": plan.pin.mem_list,
        "memory_limit_bytes": memory_bytes,
        "cpu_quota_cpus": None,
        "network": "none",
        "file_system": "read-only",
    }
    held = {key: None if ENFORCEABLE[key] in engine.cannot_enforce else value for key, value in wanted.items()}
    return Enforced(**held)


def _stack(stack: Stack, artifacts: Mapping[tuple[str, str], Artifact]) -> RecordedStack:
    ready = {name: artifact for (key, name), artifact in artifacts.items() if key == stack.name}
    made = {name: Provenance(artifact.provenance) for name, artifact in ready.items()}
    declared = {name: stack.installations[name] for name in made}
    return RecordedStack(
        title=stack.title,
        released=stack.released,
        vendors_build=stack.vendors_build,
        tensorflow=stack.tensorflow,
        python=next((stack.python_of(artifact.installation) for artifact in ready.values()), stack.python),
        reason=stack.reason,
        source=stack.source,
        # As stacks.toml declares them; `installations` has what the artifacts recorded.
        wheels={name: each.wheel for name, each in declared.items()},
        additions={name: each.additions for name, each in declared.items() if each.additions},
        vendor_checks={name: each.vendor_check for name, each in declared.items() if each.vendor_check},
        holds={name: each.holds for name, each in declared.items()},
        holds_source={name: each.holds_source for name, each in declared.items()},
        installations=made,
        variants=stack.variants,
    )
