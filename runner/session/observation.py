"""From what an engine and the workload observed to a record. A launch that was not as planned becomes an error.

Knows the workload's result file (images/workload writes it) and no engine.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import canonical_requirement
from runner.engines.container import KILLED
from runner.engines.protocol import Artifact, LaunchFolders, Outcome
from runner.host.pin import Pin
from runner.machine.cpulist import parse_cpu_list
from runner.machine.identity import boot_sha256
from runner.status import Status
from runner.storage.records import Record
from runner.vocabulary import Launch, runs_containers

RESULT_SCHEMA_VERSION = 1

# The variables that the workload reports (images/workload/observe.py), whoever has set them: what is planned and what
# is found must be the same among these.
REPORTED_PREFIXES = (
    "OMP_", "KMP_", "GOMP_", "MKL_", "TF_", "ONEDNN_", "DNNL_", "MKLDNN_", "OPENBLAS_", "MALLOC_",
)  # fmt: skip
REPORTED_NAMES = ("LD_PRELOAD", "LD_LIBRARY_PATH")

# The workload's error kinds in the words of the report's status column.
_STATUS_OF_KIND = {"time_limit": Status.TIMEOUT, "out_of_memory": Status.OUT_OF_MEMORY}


@dataclass(frozen=True)
class Context:
    """What all launches of a session share: written into each record, so that a record stands alone.

    `boot_id` is the host's own, against which a launch's is held; it is not written. None where the host tells none.
    """

    session: int
    engine: str
    enforced: Mapping[str, Any]
    machine_conditions: Mapping[str, Any]
    pin: Pin
    bkms: str
    workload_sha256: str
    boot_id: str | None = None

    def pinned(self, pin: Pin) -> Context:
        """The same session for a launch with a pin of its own: the rungs of a ladder may differ in it."""
        if pin == self.pin:
            return self
        held = self.enforced.get("mems") is not None
        mems = {"mems": pin.mem_list} if held else {}
        return replace(self, pin=pin, enforced={**self.enforced, **mems})


def record_of(
    launch: Launch,
    artifact: Artifact,
    context: Context,
    outcome: Outcome,
    folders: LaunchFolders,
    facts: Mapping[str, Any],
) -> Record:
    """Build the record of one finished launch."""
    result = read_result(folders.result / "result.json", launch.launch_id)
    error = find_error(launch, artifact, context, outcome, result, folders)
    return Record(
        launch_id=launch.launch_id,
        session=context.session,
        case=_case(launch),
        conditions=_conditions(launch, context, result, outcome),
        settings=_settings(launch, artifact),
        facts={**facts, "seconds": outcome.seconds, "exit_code": outcome.exit_code, "limits": dict(outcome.limits)},
        result=result,
        error=error,
    )


def read_result(path: Path, launch_id: str) -> dict[str, Any] | None:
    """Read the workload's result; None if there is none, or it is not this launch's."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fits = result.get("schema_version") == RESULT_SCHEMA_VERSION and result.get("launch_id") == launch_id
    return result if fits else None


def find_error(
    launch: Launch,
    artifact: Artifact,
    context: Context,
    outcome: Outcome,
    result: Mapping[str, Any] | None,
    folders: LaunchFolders,
) -> dict[str, str] | None:
    """What is wrong with a launch, as status and message; None if its samples may be used."""
    if outcome.stopped_by_deadline:
        return _error(Status.TIMEOUT, f"killed at its deadline after {outcome.seconds:.0f} s; raise --time-limit")
    if outcome.out_of_memory:
        return _error(Status.OUT_OF_MEMORY, "killed by the kernel: out of memory; try a smaller --batch-sizes")
    if result is None:
        return _error(Status.FAILED, death(outcome.exit_code, folders.log))
    if result["error"] is not None:
        kind = _STATUS_OF_KIND.get(result["error"]["kind"], Status.FAILED)
        return _error(kind, f"{result['error']['kind']}: {result['error']['message']}")
    inside = [*differences_from_plan(launch, context, result), *other_wheel(artifact.installation.wheel, result)]
    places = {"by the engine": outcome.differences, "inside the launch": inside}
    told = [f"observed {place}: {'; '.join(found)}" for place, found in places.items() if found]
    return _error(Status.NOT_AS_PLANNED, "; ".join(told)) if told else None


def differences_from_plan(launch: Launch, context: Context, result: Mapping[str, Any]) -> list[str]:
    """Where what was observed inside is not what the plan says, field by field."""
    observed = result["observed"]
    found: list[str] = []

    def expect(field: str, planned: object, seen: object) -> None:
        if planned != seen:
            found.append(f"{field} {seen} instead of {planned}")

    expect("allowed CPUs", tuple(context.pin.cpus), tuple(sorted(parse_cpu_list(observed["allowed_cpus"]))))
    if context.enforced.get("mems") is not None:
        expect("memory nodes", tuple(context.pin.mems), tuple(sorted(parse_cpu_list(observed["allowed_mems"]))))
    if runs_containers(context.engine):
        expect("memory limit (bytes)", context.enforced["memory_limit_bytes"], observed["cgroup"]["memory_limit_bytes"])
        expect("CPU quota (CPUs)", context.enforced["cpu_quota_cpus"], observed["cgroup"]["cpu_quota_cpus"])
    for name in ("intra_op_threads", "inter_op_threads"):
        expect(name, getattr(launch, name), observed[name])
    if result["kind"] != "gemm":  # a lone product has no graph to optimise
        expect("graph_optimisation", launch.graph_optimisation, observed["graph_optimisation"])
    planned, seen = _reported(launch.environment), observed["environment"]
    for name in sorted({*planned, *seen}):
        expect(name, planned.get(name, "no value"), seen.get(name, "no value"))
    asked = planned.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and observed["omp_max_threads"] is not None:  # null: no OpenMP runtime is mapped
        expect("OpenMP threads", int(asked), observed["omp_max_threads"])
    expect("workload_sha256", context.workload_sha256, result["workload_sha256"])
    if launch.topology_file is not None:
        expect("topology_sha256", launch.topology_file.sha256, result.get("topology_sha256"))
    return [*found, *other_machine(launch, context, observed)]


def other_machine(launch: Launch, context: Context, observed: Mapping[str, Any]) -> list[str]:
    """Where a launch ran on another machine than the one whose CPUs are in the pin, in words.

    Nothing is found for results without a boot id: older workloads wrote none, and some hosts tell none.
    """
    found = []
    if context.boot_id is not None and "boot_sha256" in observed:
        seen = observed["boot_sha256"]
        if seen is None:
            found.append("no boot id, which this host's kernel tells: it ran on another kernel, as in a sandbox")
        elif seen != boot_sha256(context.boot_id, launch.launch_id):
            found.append("another boot id than this host's: it ran on another machine, such as a virtual one")
    model, seen = context.machine_conditions.get("cpu_model"), " ".join((observed.get("cpu_model") or "").split())
    if model and seen and model != seen:
        found.append(f"CPU model {seen} instead of {model}")
    return found


def _reported(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(REPORTED_PREFIXES) or name in REPORTED_NAMES
    }


def other_wheel(requirement: str, result: Mapping[str, Any]) -> list[str]:
    """The wheel that was found installed, where it is not the planned one (names as in PEP 503)."""
    found = (result["evidence"] or {}).get("wheel") or {}
    seen = f"{found.get('distribution')}=={found.get('version')}"
    if canonical_requirement(seen) == canonical_requirement(requirement):
        return []
    return [f"wheel {seen} instead of {requirement}"]


def ending(exit_code: int) -> str:
    """An exit code in words; a container's init tells a signal as 128 and its number."""
    told = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code if exit_code < 0 else exit_code - 128).name
    except ValueError:
        return told
    return f"{told} ({name}{', killed from outside' if _is_killed(exit_code) else ''})"


def death(exit_code: int, log: Path) -> str:
    """How a launch ended that left no result, for an error message: with the end of its log, if that can be a reason.

    Who is killed from outside has no time for a last word, and what stands there is what every launch logs.
    """
    told = f"ended with {ending(exit_code)} and no result"
    return told if _is_killed(exit_code) else f"{told}; {_last_words(log)}"


def _is_killed(exit_code: int) -> bool:
    return exit_code in (-signal.SIGKILL, KILLED)


def _last_words(log: Path, lines: int = 3) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        text = ""
    if not text:
        return "it printed nothing"
    return "its last lines: " + " / ".join(text.splitlines()[-lines:])


def _error(kind: Status, message: str) -> dict[str, str]:
    return {"kind": kind.value, "message": message}


def _case(launch: Launch) -> dict[str, Any]:
    return {
        "stack": launch.cell.stack,
        "variant": launch.cell.variant,
        "topology": launch.cell.topology,
        "batch_size": launch.cell.batch_size,
        "installation": launch.installation,
        "block": launch.block,
        "position": launch.position,
    }


def _conditions(launch: Launch, context: Context, result: Mapping[str, Any] | None, outcome: Outcome) -> dict[str, Any]:
    versions = result["versions"] if result else {}
    user_topology = launch.topology_file
    return {
        "engine": context.engine,
        "enforced": dict(context.enforced),
        "machine": dict(context.machine_conditions),
        "pin": context.pin.to_json(),
        "bkms": context.bkms,
        "intra_op_threads": launch.intra_op_threads,
        "inter_op_threads": launch.inter_op_threads,
        "warmup_steps": launch.steps.warmup,
        "timed_steps": launch.steps.timed,
        "seed": launch.seed,
        "workload_sha256": result["workload_sha256"] if result else context.workload_sha256,
        "versions": {name: versions.get(name) for name in ("tensorflow", "python", "numpy")},
        **(
            {}
            if user_topology is None
            else {"topology_sha256": result.get("topology_sha256") if result else user_topology.sha256}
        ),
    }


def _settings(launch: Launch, artifact: Artifact) -> dict[str, Any]:
    return {
        "layout": launch.layout,
        "environment": dict(launch.environment),
        "artifact": dict(artifact.provenance),
    }
