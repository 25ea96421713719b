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

from runner import records
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.docker import RUN_LABEL
from runner.engines.protocol import LaunchFolders
from runner.vocabulary import Launch, Steps
from tests.runner.builders import plan

ROOT = Path(__file__).resolve().parents[3]
FIRST_CPU = str(min(os.sched_getaffinity(0)))
PLAN = ("--engine", "docker", "--preset", "quick", "--topologies", "alexnet", "--batch-sizes", "1", "--blocks", "2",
        "--steps", "1")  # fmt: skip
COMPARE = (*PLAN, "--no-peak", "--no-probe")


def docker(*arguments: str) -> str:
    """What a docker command prints."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def compare(base_image: str, *arguments: str) -> int:
    """Run `compare` on the docker engine in the current folder."""
    return main(["compare", *COMPARE, "--base-image", base_image, *arguments], ENGINES)


def start_runner(base_image: str, folder: Path) -> subprocess.Popen[bytes]:
    """Begin the same as a process of its own, to be killed."""
    options = [*COMPARE, "--base-image", base_image, "--out", str(folder / "run")]
    command = [sys.executable, "-m", "runner", "compare", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def read(folder: str | Path = "run") -> list[records.Record]:
    """The records of a run."""
    return records.read(Path(folder) / "records.jsonl")


def labelled() -> Sequence[str]:
    """Every container that a run of the kit has left, running or not."""
    return docker("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}").split()


def wait_for_container(seconds: float = 120.0) -> str:
    """Wait until a launch's container runs; return its id."""
    end = time.monotonic() + seconds
    while not (running := docker("ps", "--quiet", "--filter", f"label={RUN_LABEL}").split()):
        assert time.monotonic() < end, "no container was started"
        time.sleep(0.1)
    return running[0]


def launch_of(variant: str) -> Launch:
    """A short launch of alexnet."""
    changes: dict[str, Any] = {"topologies": ("alexnet",), "batch_sizes": (1,), "steps": Steps(0, 1)}
    return next(each for each in plan(**changes).launches if each.cell.variant == variant)


def folders_for(launch: Launch, folder: Path) -> LaunchFolders:
    """A launch's folders with its job file."""
    made = LaunchFolders("run-of-a-test", folder / "job", folder / "result", folder / "log.txt")
    made.job.mkdir()
    made.result.mkdir()
    (made.job / "job.json").write_text(json.dumps(launch.job()))
    return made
