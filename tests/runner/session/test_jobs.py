"""Every kind of job that the runner writes is one that the workload takes: the two sides share no code."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from workload.job import validate_job

from runner.cli import main
from runner.engines.protocol import Artifact, LaunchFolders, Outcome
from runner.host.pin import Pin
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only

EXAMPLE = Path(__file__).resolve().parents[3] / "tests" / "data" / "my_net.py"
OWN = ("--topology-file", str(EXAMPLE))


@dataclass
class Strict(FakeEngine):
    """A fake engine that refuses a job as the workload would, and keeps what kinds of job it was given."""

    kinds: set[tuple[str, bool]] = field(default_factory=set)

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Validate the job, then go on as every fake engine does."""
        job = json.loads((folders.job / "job.json").read_text(encoding="utf-8"))
        assert validate_job(dict(job)).launch_id == launch.launch_id
        self.kinds.add((job["kind"], job.get("topology_file") is not None))
        return super().run(launch, pin, artifact, folders, deadline_seconds)


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        (("compare", "--blocks", "2", "--topologies", "alexnet"), {("train", False), ("probe", False),
                                                                   ("quiet", False)}),
        (("compare", "--blocks", "2", *OWN), {("describe", True), ("train", True), ("probe", True), ("quiet", True)}),
        (("bench", "--topologies", "alexnet", "--cpus", str(min(os.sched_getaffinity(0)))), {("gemm", False),
                                                                                          ("train", False)}),
    ],
    ids=["compare", "compare own", "bench"],
)  # fmt: skip
def test_the_workload_takes_every_job_of_a_command(
    in_folder: Path, command: tuple[str, ...], kinds: set[tuple[str, bool]]
) -> None:
    engine = Strict()
    assert main(command, only(engine)) == 0
    assert engine.kinds >= kinds
