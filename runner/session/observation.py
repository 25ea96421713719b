"""Makes a record from what an engine and the workload observed. A launch that was not as planned becomes an error.

Knows the workload's result file (images/workload writes it) and no engine.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from runner.catalogue.stacks import canonical_requirement
from runner.engines.container import KILLED
from runner.engines.protocol import Artifact, LaunchFolders, Outcome
from runner.errors import RunFormatError
from runner.host.pin import Pin
from runner.machine.cpulist import parse_cpu_list
from runner.machine.identity import boot_sha256
from runner.status import Status
from runner.storage.launch_result import launch_result
from runner.storage.records import Record
from runner.vocabulary import Launch, runs_containers

RESULT_SCHEMA_VERSION = 2

# The variables that the workload reports (images/workload/observe.py). Among these, the planned and the observed ones
# must be the same.
REPORTED_PREFIXES = (
    "OMP_", "KMP_", "GOMP_", "MKL_", "TF_", "ONEDNN_", "DNNL_", "MKLDNN_", "OPENBLAS_", "MALLOC_",
)  # fmt: skip
REPORTED_NAMES = ("LD_PRELOAD", "LD_LIBRARY_PATH")

# The status for each kind of error that the workload reports; any other kind is `failed`.
_STATUS_OF_KIND = {"time_limit": Status.TIMEOUT, "out_of_memory": Status.OUT_OF_MEMORY}


@dataclass(frozen=True)
class Context:
    """What all launches of a session share. It is written into each record, so that a record is complete by itself.

    `boot_id` is the host's, with which that of each launch is compared. It is not written into records. It is None if
    the host's kernel does not report one.
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
        is_enforced = self.enforced.get("mems") is not None
        mems = {"mems": pin.mem_list} if is_enforced else {}
        return replace(self, pin=pin, enforced={**self.enforced, **mems})


def record_of(
    launch: Launch,
    artifact: Artifact,
    context: Context,
    outcome: Outcome,
    folders: LaunchFolders,
    facts: Mapping[str, Any],
    beside: Sequence[str] = (),
) -> Record:
    """Build the record of one finished launch.

    `beside` are the faults that were found in the turns of the launch and of those that lived with it.
    """
    result = read_result(folders.result / "result.json", launch.launch_id)
    error = find_error(launch, artifact, context, outcome, result, folders, beside)
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
    """Read the workload's result; None if there is none, or it is not this launch's, or it is not a result at all."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        launch_result(result, launch_id)
    except (OSError, ValueError, RunFormatError):
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
    beside: Sequence[str] = (),
) -> dict[str, str] | None:
    """The error of a launch, as its kind (a status) and a message; None if its samples may be used."""
    if outcome.stopped_by_deadline:
        return _error(Status.TIMEOUT, f"killed at its deadline after {outcome.seconds:.0f} s; raise --time-limit")
    if outcome.out_of_memory:
        return _error(Status.OUT_OF_MEMORY, "killed by the kernel: out of memory; try a smaller --batch-sizes")
    if outcome.stopped_with is not None:
        return _error(Status.FAILED, f"stopped, because {outcome.stopped_with} failed, with which it took turns")
    if result is None:
        return _error(Status.FAILED, death(outcome.exit_code, folders.log))
    if result["error"] is not None:
        kind = _STATUS_OF_KIND.get(result["error"]["kind"], Status.FAILED)
        return _error(kind, f"{result['error']['kind']}: {result['error']['message']}")
    inside = [*differences_from_plan(launch, context, result), *other_wheel(artifact.installation.wheel, result)]
    places = {"by the engine": outcome.differences, "inside the launch": inside, "in the turns": beside}
    differences = [f"observed {place}: {'; '.join(found)}" for place, found in places.items() if found]
    return _error(Status.NOT_AS_PLANNED, "; ".join(differences)) if differences else None


def differences_from_plan(launch: Launch, context: Context, result: Mapping[str, Any]) -> list[str]:
    """The fields whose value observed inside the launch is not the planned one, each as a phrase."""
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
    if result["kind"] != "gemm":  # the matrix product has no graph to optimise
        expect("graph_optimisation", launch.graph_optimisation, observed["graph_optimisation"])
    planned, seen = _reported(launch.environment), dict(observed["environment"])
    if launch.allocator is not None:
        expect("preloaded library", launch.allocator.file, PurePosixPath(seen.pop("LD_PRELOAD", "none")).name)
        # The loader only warns of a library that it cannot load, and goes on without it.
        mapped = [library["name"] for library in (result["evidence"] or {}).get("mapped_libraries", ())]
        expect("allocator mapped", True, launch.allocator.file in mapped)
    for name in sorted({*planned, *seen}):
        expect(name, planned.get(name, "no value"), seen.get(name, "no value"))
    requested = planned.get("OMP_NUM_THREADS", "")
    if requested.isdecimal() and observed["omp_max_threads"] is not None:  # null: no OpenMP runtime is mapped
        expect("OpenMP threads", int(requested), observed["omp_max_threads"])
    expect("workload_sha256", context.workload_sha256, result["workload_sha256"])
    if launch.topology_file is not None:
        expect("topology_sha256", launch.topology_file.sha256, result.get("topology_sha256"))
    return [*found, *other_machine(launch, context, observed)]


def other_machine(launch: Launch, context: Context, observed: Mapping[str, Any]) -> list[str]:
    """Signs that a launch ran on another machine than the one whose CPUs are in the pin, in words.

    Boot ids are not compared if one is missing: older workloads wrote none, and some kernels do not report one.
    """
    found = []
    if context.boot_id is not None and "boot_sha256" in observed:
        seen = observed["boot_sha256"]
        if seen is None:
            found.append(
                "no boot id, which this host's kernel reports: the launch ran on another kernel, as in a sandbox"
            )
        elif seen != boot_sha256(context.boot_id, launch.launch_id):
            found.append("another boot id than this host's: the launch ran on another machine, such as a virtual one")
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
    """The installed wheel, if it is not the planned one, as a phrase (names are compared as in PEP 503)."""
    found = (result["evidence"] or {}).get("wheel") or {}
    seen = f"{found.get('distribution')}=={found.get('version')}"
    if canonical_requirement(seen) == canonical_requirement(requirement):
        return []
    return [f"wheel {seen} instead of {requirement}"]


def ending(exit_code: int) -> str:
    """An exit code in words. A negative code is a signal; a container's init reports a signal as 128 + its number."""
    words = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code if exit_code < 0 else exit_code - 128).name
    except ValueError:
        return words
    return f"{words} ({name}{', killed from outside' if _is_killed(exit_code) else ''})"


def death(exit_code: int, log: Path) -> str:
    """How a launch without a result ended, for an error message, with the last lines of its log.

    The log is left out for a launch that was killed from outside: such a launch could not log the reason.
    """
    words = f"ended with {ending(exit_code)} and no result"
    return words if _is_killed(exit_code) else f"{words}; {_last_lines(log)}"


def _is_killed(exit_code: int) -> bool:
    return exit_code in (-signal.SIGKILL, KILLED)


def _last_lines(log: Path, lines: int = 3) -> str:
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
        **({} if launch.sitting is None else {"sitting": launch.sitting}),
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
        **_turns(launch),
        "seed": launch.seed,
        "workload_sha256": result["workload_sha256"] if result else context.workload_sha256,
        "versions": {name: versions.get(name) for name in ("tensorflow", "python", "numpy")},
        **(
            {}
            if user_topology is None
            else {"topology_sha256": result.get("topology_sha256") if result else user_topology.sha256}
        ),
    }


def _turns(launch: Launch) -> dict[str, Any]:
    """How many launches live together, and the size of their bursts. Launches without turns have no such condition."""
    turns = launch.turns
    if turns is None:
        return {}
    return {"turns": {"members": turns.members, "bursts": turns.bursts, "burst_seconds": turns.burst_seconds}}


def _settings(launch: Launch, artifact: Artifact) -> dict[str, Any]:
    return {
        "layout": launch.layout,
        "environment": dict(launch.environment),
        "artifact": dict(artifact.provenance),
    }
