"""Makes run.json and records from the files of a Compose run, with the code that `compare` uses for its own runs.

The host of the run is read from the copy of its /proc and /sys in the run's folder; this host is not read. Knows the
files that host.sh and launch.sh write, not how they were started.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Installation, Stack
from runner.compose.attempts import Attempt, attempts, text_of
from runner.compose.request import FILE_NAME, ComposeRequest, read_request
from runner.engines.container import KILLED
from runner.engines.protocol import Artifact, Outcome
from runner.errors import RunFormatError
from runner.host.pin import choose_pin
from runner.machine import Machine, Sysroot, conditions, facts, parse_cpu_list, read_machine
from runner.planning.job import JOB_FILE, training_job
from runner.session.execute import block_faults, deadline_seconds
from runner.session.header import make_header
from runner.session.observation import Context, record_of
from runner.status import Status
from runner.storage import records, runs
from runner.storage.records import Record
from runner.storage.runs import Run
from runner.vocabulary import EngineName

NOTE = (
    "Carried out by Docker Compose on a host without the kit. What is in the images was observed; what they were "
    "built from was not."
)


@dataclass(frozen=True)
class ComposeEngine:
    """The Docker engine as Compose drives it. Compose has no key for memory nodes and cannot enforce them."""

    cannot_enforce: tuple[str, ...]
    name: EngineName = "docker"


def is_compose_run(folder: Path) -> bool:
    """Whether a folder holds a run that a Compose file began."""
    return (folder / FILE_NAME).is_file()


def collect(folder: Path) -> Run:
    """Write the run.json and the missing records of a Compose run, from the files that its containers wrote.

    A launch that has not ended has no record. Nor has one that ended well, if another one with which it took turns has
    not ended: the turns of a block are judged together. A launch that was run again with its block has one record
    for each time that it ended. A second call adds the launches that have ended since the first.

    Raises:
        RunFormatError: a file that every Compose run has is missing or damaged.
        UsageError: the run asks for something that this version of the kit does not have.
    """
    composed = read_request(folder)
    begun = (folder / "run.json").exists()
    run = runs.load(folder) if begun else runs.create(folder, _header(folder, composed))
    for attempt, block in attempts(run.name, folder, run.launches):
        has_failed = text_of(attempt.base / "exit_code") != "0"  # nothing of it is compared, so it waits for nobody
        if has_failed or not any(each.may_still_end for each in block):
            _add(run, composed, attempt, block)
    return run


def _header(folder: Path, composed: ComposeRequest) -> dict[str, Any]:
    machine = _machine(folder / "host")
    pin = choose_pin(machine, cpus=parse_cpu_list(composed.cpus))
    covered = set(pin.mems) == set(machine.allowed_mems)
    header = make_header(
        composed.run,
        composed.plan(pin),
        machine,
        composed.request.stacks,
        ComposeEngine(cannot_enforce=() if covered else ("memory nodes",)),
        {(artifact.installation.stack, artifact.installation.name): artifact for artifact in _artifacts(composed)},
        "docker-compose up",
        (*composed.notes, NOTE),
        int(composed.memory) or None,
    )
    starts = [text_of(path) for path in folder.glob("launches/*/started")]
    return {
        **header,
        "created": min(starts, default=header["created"]),
        "kit": {"version": composed.kit_version, "revision": None},
        "workload_sha256": composed.workload_sha256,
    }


def _artifacts(composed: ComposeRequest) -> list[Artifact]:
    return [
        Artifact(installation, composed.images[stack.name][name], _provenance(composed, stack, installation))
        for stack in composed.request.stacks
        for name, installation in stack.installations.items()
    ]


def _provenance(composed: ComposeRequest, stack: Stack, installation: Installation) -> dict[str, Any]:
    """The provenance of an installation as far as it is known without access to its image; the rest is None."""
    image = composed.images[stack.name][installation.name]
    return {
        "wheel": installation.wheel,
        "lock_sha256": composed.lock_sha256[stack.name][installation.name],
        "installer": stack.installer.requirement,
        "image": image,
        "image_id": image if image.startswith("sha256:") else None,
        "image_digests": [image] if "@sha256:" in image else [],
        "image_bytes": None,
        "base_image": None,
        "base_image_id": None,
        "base_image_digest": None,
        "package_index": None,
        "ca_bundle": None,
    }


def _machine(sysroot: Path) -> Machine:
    if not (sysroot / "proc").is_dir():
        raise RunFormatError(
            f"{sysroot} has no copy of a host's /proc and /sys: the Compose run failed before it had copied them."
        )
    return read_machine(Sysroot(sysroot))


def _add(run: Run, composed: ComposeRequest, attempt: Attempt, block: Sequence[Attempt]) -> None:
    """Append the record of an attempt that has ended, unless the run has it already."""
    earlier = [record for record in run.read_records() if record.launch_id == attempt.launch.launch_id]
    faults = block_faults([each.launch for each in block], [each.folders for each in block])
    record = _record(run, composed, attempt, faults.get(attempt.launch.launch_id, ()))
    kept = {(each.session, each.facts["ended"]) for each in earlier}
    if (record.session, record.facts["ended"]) not in kept:
        records.append(run.records_file, record)


def _record(run: Run, composed: ComposeRequest, attempt: Attempt, faults: Sequence[str]) -> Record:
    launch, folders, base = attempt.launch, attempt.folders, attempt.base
    context = Context(
        session=attempt.session,
        engine=run.about.engine.name,
        enforced=asdict(run.about.engine.enforced),
        machine_conditions=conditions(_machine(base / "before")),
        pin=run.about.plan.pin,
        bkms=run.about.plan.bkms.name,
        workload_sha256=run.about.workload_sha256,
    )
    artifact = next(
        each
        for each in _artifacts(composed)
        if (each.installation.stack, each.installation.name) == (launch.cell.stack, launch.installation)
    )
    observed = {
        "started": text_of(base / "started"),
        "ended": text_of(base / "ended"),
        "before": facts(Sysroot(base / "before")),
        "after": facts(Sysroot(base / "after")),
        "runner_cpu_seconds": None,  # the kit does not run there, and the CPU time of docker-compose is not observed
    }
    outcome = outcome_of(base, deadline_seconds([launch] * launch.members))
    record = record_of(launch, artifact, context, outcome, folders, observed, faults)
    differing = _differences(training_job(launch), folders.job / JOB_FILE)
    if record.error is None and differing:
        message = f"the job differs from the plan: {differing}"
        return replace(record, error={"kind": Status.NOT_AS_PLANNED.value, "message": message})
    return record


def outcome_of(base: Path, deadline: float) -> Outcome:
    """How a launch's container ended, from its exit code, the host's clock, and its control group's OOM kills.

    `deadline` is in seconds.
    """
    code = int(text_of(base / "exit_code"))
    seconds = round(_uptime(base / "after") - _uptime(base / "before"), 2)
    out_of_memory = code == KILLED and _kills(base / "after") > 0
    late = code == KILLED and not out_of_memory and seconds >= deadline
    return Outcome(code, seconds, stopped_by_deadline=late, out_of_memory=out_of_memory)


def _uptime(sysroot: Path) -> float:
    return float(text_of(sysroot / "proc/uptime").split()[0])


def _kills(sysroot: Path) -> int:
    """How many processes the kernel killed in the launch's control group; the deepest group if several were read."""
    files = [*sysroot.rglob("memory.events"), *sysroot.rglob("memory.oom_control")]
    own = max(files, key=lambda path: len(path.parts), default=None)
    found = re.search(r"^oom_kill (\d+)$", own.read_text(encoding="utf-8"), re.MULTILINE) if own else None
    return int(found[1]) if found else 0


def _differences(planned: Mapping[str, Any], path: Path) -> str:
    try:
        job = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return str(error)
    keys = [key for key in {**planned, **job} if job.get(key) != planned.get(key)]
    return "; ".join(f"{key} {job.get(key)} instead of {planned.get(key)}" for key in keys)
