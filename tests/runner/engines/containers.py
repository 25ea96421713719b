"""For tests of the Docker engine: its own command, short runs and launches on it, and what these leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.docker import LAUNCH_LABEL, RUN_LABEL, DockerEngine
from runner.engines.protocol import Artifact, LaunchFolders
from runner.matching.snapshot import Snapshot
from runner.planning.job import training_job
from runner.storage import records
from runner.vocabulary import Launch, Steps
from tests.runner.builders import plan

ROOT = Path(__file__).resolve().parents[3]
# Not the first, on which a container would land too whose pin says 0 whatever was asked for.
LAST_CPU = str(max(os.sched_getaffinity(0)))
PLAN = ("--engine", "docker", "--preset", "quick", "--variants", "stock,intel", "--topologies", "alexnet",
        "--batch-sizes", "1", "--blocks", "2", "--steps", "1", "--bursts", "2", "--burst-seconds", "0.1")  # fmt: skip
COMPARE = (*PLAN, "--no-peak", "--no-probe")
_snapshots: dict[str, Snapshot] = {}
_wrong_bytecode: dict[str, tuple[str, ...]] = {}


def docker(*arguments: str) -> str:
    """What a docker command prints."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def built_from(context: bytes, *options: str) -> str:
    """The id of an image that the docker command builds from a Dockerfile or a tar, with the kit's builder."""
    command, environment = ["docker", "build", "--quiet", *options, "-"], {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(command, input=context, capture_output=True, check=True, env=environment)
    return done.stdout.decode().strip()


def compare(base_image: str, *arguments: str) -> int:
    """Run `compare` on the docker engine in the current folder."""
    return kit("compare", *COMPARE, "--base-image", base_image, *arguments)


def kit(*arguments: str) -> int:
    """Carry out a command line; the files of an image are looked at once for all tests, since its id fixes them."""
    take, check = DockerEngine.snapshot, DockerEngine.wrong_bytecode

    def take_once(engine: DockerEngine, artifact: Artifact) -> Snapshot:
        if artifact.location not in _snapshots:
            _snapshots[artifact.location] = take(engine, artifact)
        return _snapshots[artifact.location]

    def check_once(engine: DockerEngine, artifact: Artifact) -> tuple[str, ...]:
        if artifact.location not in _wrong_bytecode:
            _wrong_bytecode[artifact.location] = check(engine, artifact)
        return _wrong_bytecode[artifact.location]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DockerEngine, "snapshot", take_once)
        patch.setattr(DockerEngine, "wrong_bytecode", check_once)
        return main(arguments, ENGINES)


# As `python -m runner`, with the lock of the test that starts it: the machine's own is held by all tests of containers.
RUNNER = """
import sys
from pathlib import Path
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.support import machine_lock
machine_lock.LOCK_FILE = Path(sys.argv.pop(1))
sys.exit(main(sys.argv[1:], ENGINES))
"""


def start_runner(base_image: str, folder: Path) -> subprocess.Popen[bytes]:
    """Begin the same as a process of its own, to be killed; what it says goes into a file beside the run."""
    options = ["compare", *COMPARE, "--base-image", base_image, "--out", str(folder / "run")]
    command = [sys.executable, "-c", RUNNER, str(folder / "machine.lock"), *options]
    with (folder / "runner.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def read(folder: str | Path = "run") -> list[records.Record]:
    """The records of a run."""
    return records.read(Path(folder) / "records.jsonl")


def labelled() -> Sequence[str]:
    """Every container that a run of the kit has left, running or not."""
    return _listed("--all")


def wait_for_container(runner: subprocess.Popen[bytes], seconds: float = 600.0) -> str:
    """Wait until a launch's container of a runner's runs; return its id.

    Before its first launch the runner reads every file of two images, which takes minutes on a busy host.
    """
    end = time.monotonic() + seconds
    while not (running := _listed(label=LAUNCH_LABEL)):
        if runner.poll() is not None or time.monotonic() > end:
            runner.kill()
            runner.wait()
            pytest.fail("the runner ended, or took too long, before it had started a launch's container")
        time.sleep(0.1)
    return running[0]


def _listed(*options: str, label: str = RUN_LABEL) -> Sequence[str]:
    return docker("ps", *options, "--quiet", "--filter", f"label={label}").split()


def launch_of(variant: str) -> Launch:
    """A short launch of alexnet."""
    changes: dict[str, Any] = {"topologies": ("alexnet",), "batch_sizes": (1,), "steps": Steps(0, 1)}
    return next(each for each in plan(**changes).launches if each.cell.variant == variant)


def folders_for(launch: Launch, folder: Path) -> LaunchFolders:
    """A launch's folders with its job file."""
    made = LaunchFolders("run-of-a-test", folder / "job", folder / "result", folder / "log.txt")
    made.job.mkdir()
    made.result.mkdir()
    (made.job / "job.json").write_text(json.dumps(training_job(launch)))
    return made
