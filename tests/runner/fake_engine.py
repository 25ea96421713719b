"""An engine that trains nothing: it writes results whose speeds a test has chosen, so that a whole run is exact."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.engines.protocol import Artifact, LaunchFolders, Outcome, Tell
from runner.errors import HostError
from runner.machine import format_cpu_list
from runner.pin import Pin
from runner.stacks import Installation, Stack
from runner.vocabulary import EngineName, Launch
from runner.workload_files import workload_sha256

# Step seconds of a launch; exact binary fractions keep ratios exact.
SECONDS: Mapping[str, float] = {"stock": 1.0, "stock-onednn": 0.5, "intel": 0.25}
Hook = Callable[[Launch, dict[str, Any]], None]


@dataclass
class FakeEngine:
    """Answers as an engine does. `before_result` may change or refuse any launch."""

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
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    cleaned: list[str] = field(default_factory=list)

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Nothing is needed."""

    def prepare(self, stack: Stack, installation: Installation, tell: Tell) -> Artifact:
        """Nothing is made."""
        provenance = {"wheel": installation.wheel, "lock_sha256": installation.lock_sha256()}
        return Artifact(installation, "/nowhere", provenance)

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Write the result that the workload would have written."""
        self.ran.append(launch.launch_id)
        folders.log.write_text("a line of the log\n", encoding="utf-8")
        if launch.launch_id in self.outcomes:
            return self.outcomes[launch.launch_id]
        result = make_result(launch, pin, self.seconds[launch.cell.variant])
        self.before_result(launch, result)
        (folders.result / "result.json").write_text(json.dumps(result), encoding="utf-8")
        return Outcome(0, 10.0, stopped_by_deadline=False, out_of_memory=False, peak_memory_bytes=None)

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """A stand-in for the command."""
        return f"run {launch.launch_id}"

    def cleanup(self, run_id: str) -> None:
        """Remember for which run it was called."""
        self.cleaned.append(run_id)


def make_result(launch: Launch, pin: Pin, step_seconds: float) -> dict[str, Any]:
    """A workload's result with every field that results/README.md documents."""
    count = launch.steps.warmup + launch.steps.timed
    return {
        "schema_version": 1,
        "launch_id": launch.launch_id,
        "kind": "train",
        "status": "ok",
        "error": None,
        "stopped_by": "steps",
        "steps": [
            {
                "index": index,
                "phase": "warmup" if index < launch.steps.warmup else "timed",
                "seconds": step_seconds * (8 if index == 0 else 1),
                "loss": 8.0 - 0.125 * index,
            }
            for index in range(count)
        ],
        "seconds": {"import": 3.0, "graph_build": 2.0, "initialise": 1.0, "first_step": step_seconds * 8},
        "peak_memory_bytes": 2_000_000_000,
        "versions": {"workload": "1", "python": "3.11.7", "tensorflow": "2.14.0", "numpy": "1.26.4"},
        "mkl_enabled": launch.cell.variant != "stock",
        "parameters": 25_000_000,
        "training_flops_per_step": 100_000_000_000,
        "observed": {
            "allowed_cpus": format_cpu_list(pin.cpus),
            "allowed_mems": "0",
            "cgroup": {
                "version": 2,
                "cpu_quota_cpus": None,
                "memory_limit_bytes": None,
                "memory_peak_bytes": 2_100_000_000,
            },
            "intra_op_threads": launch.intra_op_threads,
            "inter_op_threads": launch.inter_op_threads,
            "omp_max_threads": launch.intra_op_threads if launch.cell.variant == "intel" else None,
            "environment": {key: value for key, value in launch.environment.items() if key != "LANG"},
            "uid": 1000,
            "cpu_model": "a processor",
        },
        "evidence": {
            "mapped_libraries": [
                {"name": "libtensorflow_framework.so.2", "path": "/nowhere/libtensorflow_framework.so.2"}
            ],
            "threads": [{"id": 1, "name": "python", "allowed_cpus": format_cpu_list(pin.cpus), "cpu_seconds": 9.5}],
            "wheel": {"distribution": "tensorflow-cpu", "version": "2.14.0", "record_sha256": "ab" * 32},
        },
        "workload_sha256": workload_sha256(),
    }


def only(engine: FakeEngine) -> dict[str, Callable[[argparse.Namespace], FakeEngine]]:
    """The engines of a host without Docker, where the fake stands for venv."""

    def no_docker(_arguments: argparse.Namespace) -> FakeEngine:
        raise HostError("No Docker engine answers here.")

    return {"docker": no_docker, "venv": lambda _arguments: engine}
