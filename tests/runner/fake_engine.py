"""An engine that trains nothing: it writes results whose speeds a test has chosen, so that a whole run is exact."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner.catalogue.stacks import Installation, Stack, find_stack
from runner.engines.protocol import Artifact, LaunchFolders, Notify, Outcome
from runner.errors import HostError
from runner.evidence.default import PLAIN
from runner.host.pin import Pin
from runner.matching.file_list import sha256_of
from runner.matching.locked_wheels import LockedWheel, write
from runner.matching.snapshot import Snapshot
from runner.session.options import EngineOptions
from runner.vocabulary import EngineName, Launch, runs_containers
from tests.runner.fake_results import (
    DESCRIPTION,
    GEMM_RESULT,
    NOT_TRAINED,
    _product,
    make_fingerprint,
    make_log,
    make_result,
    make_trace,
    topology_sha256,
)

# Step seconds of a launch; exact binary fractions keep ratios exact.
SECONDS: Mapping[str, float] = {
    "stock": 1.0,
    "stock-onednn": 0.5,
    "intel": 0.25,
    "itex": 0.25,
    "zentf": 0.25,
    "stock-bf16": 0.125,
}
Hook = Callable[[Launch, dict[str, Any]], None]


def fake_distribution(wheel: str) -> tuple[str, dict[str, str], bytes]:
    """The metadata folder, the list of files and the RECORD of an installed wheel that is one library."""
    name, version = wheel.split("==")
    files = {f"{name}/library.so": hashlib.sha256(wheel.encode()).hexdigest()}
    lines = [f"{path},sha256={base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip('=')},1"
             for path, sha256 in files.items()]  # fmt: skip
    return f"{name.replace('-', '_')}-{version}.dist-info", files, "\n".join(lines).encode()


@cache
def _folder_of_locks() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


class FakeInstallation(Installation):
    """An installation whose lock names its wheel and its additions as `fake_distribution` makes them."""

    @property
    def distributions(self) -> tuple[str, ...]:
        """Everything that is installed, as pinned requirements."""
        return (self.wheel, *self.additions)

    @property
    def wheels(self) -> Path:
        """The file that says what is in each of these."""
        path = Path(_folder_of_locks().name) / f"{self.stack}-{self.name}.wheels"
        contents = {wheel: fake_distribution(wheel)[1] for wheel in self.distributions}
        path.write_text(write([LockedWheel(wheel, "0" * 64, len(files), sha256_of(files))
                               for wheel, files in sorted(contents.items())]))  # fmt: skip
        return path


@dataclass
class FakeEngine:
    """Answers as an engine does.

    `before_result` may change or refuse any timed launch, `before_build` any description, `before_probe` any probe,
    `before_trace` its quiet launch. A probe prints what a test put under its variant's name in `logs`, or what a probe
    of that variant should print. A launch in `waits_to_be_stopped` never ends by itself. Launches that multiply
    matrices, build a topology, probe or trace are listed apart from those that `ran`.
    """

    name: EngineName = "venv"
    cannot_enforce: tuple[str, ...] = (
        "memory nodes",
        "memory limit",
        "CPU quota",
        "no network",
        "read-only file system",
    )
    prepares_in_parallel: bool = False
    seconds: Mapping[str, float] = field(default_factory=lambda: SECONDS)
    before_result: Hook = lambda launch, result: None
    before_probe: Hook = lambda launch, result: None
    before_trace: Hook = lambda launch, result: None
    logs: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    multiplied: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    before_build: Hook = lambda launch, result: None
    onednn_by_default: bool = False
    is_ready: bool = True
    needs: Mapping[Path, int] = field(default_factory=dict)
    wanted: list[tuple[str, str]] = field(default_factory=list)
    prepared: int = 0
    probed: list[str] = field(default_factory=list)
    traced: list[str] = field(default_factory=list)
    cleaned: list[str] = field(default_factory=list)
    swept: int = 0
    stray: dict[str, str] = field(default_factory=dict)
    waits_to_be_stopped: set[str] = field(default_factory=set)
    _stopped: dict[str, threading.Event] = field(default_factory=lambda: defaultdict(threading.Event))

    @property
    def is_contained(self) -> bool:
        """As the engine of its name."""
        return runs_containers(self.name)

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Nothing is needed."""

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """Nothing is made, unless a test says how much; what was asked for is kept."""
        self.wanted = [(stack.name, installation.name) for stack, installation in wanted]
        return self.needs

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Nothing is made."""
        self.prepared += 1
        return self._artifact(installation)

    def _artifact(self, installation: Installation) -> Artifact:
        installation = FakeInstallation(
            installation.stack,
            installation.name,
            installation.wheel,
            installation.additions,
            other_python=installation.other_python,
        )
        provenance = {"wheel": installation.wheel, "lock_sha256": installation.lock_sha256()}
        return Artifact(installation, "/nowhere", provenance)

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """Everything is ready, or nothing is."""
        return self._artifact(installation) if self.is_ready else None

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Write the result that the workload would have written."""
        job = json.loads((folders.job / "job.json").read_text(encoding="utf-8"))
        if job["kind"] in ("probe", "quiet"):
            return self._probe(launch, pin, folders, job)
        {"train": self.ran, "gemm": self.multiplied, "describe": self.built}[job["kind"]].append(launch.launch_id)
        folders.log.write_text("a line of the log\n", encoding="utf-8")
        if launch.launch_id in self.outcomes:
            return self.outcomes[launch.launch_id]
        if launch.launch_id in self.waits_to_be_stopped:
            assert self._stopped[launch.launch_id].wait(60), "nobody stopped it"
            return Outcome(-9, 10.0, stopped_by_deadline=False, out_of_memory=False)
        result = make_result(launch, pin, self.seconds[launch.cell.variant])
        if job["kind"] == "gemm":
            result["observed"]["graph_optimisation"] = None  # the workload tells it of networks alone
            result.update(GEMM_RESULT, gemm=[_product(size, job["repeats"]) for size in job["sizes"]])
        elif job["kind"] == "describe":
            result.update(NOT_TRAINED, kind="describe", description=dict(DESCRIPTION))
            self.before_build(launch, result)
        else:
            self.before_result(launch, result)
        result["topology_sha256"] = topology_sha256(job, folders)
        (folders.result / "result.json").write_text(json.dumps(result), encoding="utf-8")
        return Outcome(0, 10.0, stopped_by_deadline=False, out_of_memory=False)

    def _probe(self, launch: Launch, pin: Pin, folders: LaunchFolders, job: Mapping[str, Any]) -> Outcome:
        """Both launches of a probe: the one with verbose switches prints, the quiet one traces."""
        is_quiet, variant = job["kind"] == "quiet", launch.cell.variant
        (self.traced if is_quiet else self.probed).append(launch.launch_id)
        if variant == PLAIN:
            variant = "stock-onednn" if self.onednn_by_default else "stock"
        log = "" if is_quiet else self.logs.get(launch.cell.variant, make_log(variant, pin))
        folders.log.write_text(log, encoding="utf-8")
        if launch.launch_id in self.outcomes:
            return self.outcomes[launch.launch_id]
        result = {**make_result(launch, pin, self.seconds[variant]), "kind": job["kind"],
                  "mkl_enabled": variant != "stock", "topology_sha256": topology_sha256(job, folders)}  # fmt: skip
        result["fingerprint"] = make_fingerprint(variant, is_quiet)
        if is_quiet:
            result.update(trace=make_trace(variant, self.seconds[variant]), traced_step_seconds=self.seconds[variant])
            self.before_trace(launch, result)
        else:
            self.before_probe(launch, result)
        (folders.result / "result.json").write_text(json.dumps(result), encoding="utf-8")
        return Outcome(0, 10.0, stopped_by_deadline=False, out_of_memory=False)

    def stop(self, launch: Launch, folders: LaunchFolders) -> None:
        """End a launch that waits for this; any other ends by itself."""
        self._stopped[launch.launch_id].set()

    def process_of(self, launch: Launch, folders: LaunchFolders) -> int | None:
        """There is no process."""
        return None

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """A stand-in for the command."""
        return f"run {launch.launch_id}"

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Two installations that differ in the wheel or the additions, unless a test has made `stray` files."""
        made = artifact.installation
        installation = FakeInstallation(made.stack, made.name, made.wheel, made.additions)
        site = f"/lib/python{find_stack(made.stack).python_of(made)}/site-packages"
        found = {"/bin/python": "file 755 aa"}
        owners: dict[str, str] = {}
        records: dict[str, bytes] = {}
        for wheel in installation.distributions:
            metadata, files, record = fake_distribution(wheel)
            own = {f"{site}/{path}": f"file 644 {sha256}" for path, sha256 in files.items()}
            found |= {**own, f"{site}/{metadata}/RECORD": "file 644 cc"}
            owners |= {listed: metadata.split("-")[0] for listed in own}
            records[f"{site}/{metadata}/RECORD"] = record
        return Snapshot({**found, **self.stray}, {}, owners, records)

    def wrong_bytecode(self, artifact: Artifact) -> tuple[str, ...]:
        """There is none."""
        return ()

    def remove_leftovers(self) -> None:
        """Count how often it was called."""
        self.swept += 1

    def cleanup(self, run_id: str) -> None:
        """Remember for which run it was called."""
        self.cleaned.append(run_id)


def in_blocks(ran: Sequence[str], launches: int) -> list[list[str]]:
    """The launches that ran, block by block; the launches of a block start all at once, so in no order."""
    return [sorted(ran[first : first + launches]) for first in range(0, len(ran), launches)]


def only(engine: FakeEngine) -> dict[str, Callable[[EngineOptions], FakeEngine]]:
    """The engines of a host without Docker, where the fake stands for venv."""

    def no_docker(_options: EngineOptions) -> FakeEngine:
        raise HostError("No Docker engine answers here.")

    return {"docker": no_docker, "venv": lambda _options: engine}
