"""Launches that live together, on real processes: all of them run at once, and one that fails ends the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from runner.engines.protocol import Artifact, Engine, LaunchFolders, Outcome
from runner.engines.together import Start, run_together
from runner.errors import HostError
from runner.host.pin import Pin
from runner.vocabulary import Launch
from tests.runner.builders import PIN, plan

LAUNCHES = plan().launches[:2]


@dataclass
class Processes:
    """Runs what a test has written for each launch, as a Python program of its own."""

    programs: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    most: int = 0

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        program = self.programs[launch.launch_id]
        if program == "cannot start":
            raise HostError("it could not be started")
        started = time.monotonic()
        process = self.running[launch.launch_id] = subprocess.Popen([sys.executable, "-c", program])
        self.most = max(self.most, sum(each.poll() is None for each in self.running.values()))
        try:
            code, late = process.wait(deadline_seconds), False
        except subprocess.TimeoutExpired:
            process.kill()
            code, late = process.wait(), True
        return Outcome(code, time.monotonic() - started, stopped_by_deadline=late, out_of_memory=False)

    def stop(self, launch: Launch, folders: LaunchFolders) -> None:
        process = self.running.get(launch.launch_id)
        if process is not None and process.poll() is None:
            process.kill()


def starts(tmp_path: Path, engine: Processes) -> list[Start]:
    folders = LaunchFolders("run", tmp_path, tmp_path, tmp_path / "log")
    return [Start(cast(Engine, engine), launch, cast(Artifact, None), folders) for launch in LAUNCHES]


def together(tmp_path: Path, first: str, second: str, deadline: float = 60.0) -> tuple[Processes, list[Outcome]]:
    engine = Processes(dict(zip([launch.launch_id for launch in LAUNCHES], (first, second), strict=True)))
    return engine, run_together(starts(tmp_path, engine), PIN, deadline)


def test_all_launches_run_at_once_and_end_well(tmp_path: Path) -> None:
    engine, outcomes = together(tmp_path, "import time; time.sleep(0.5)", "import time; time.sleep(0.5)")
    assert [(each.exit_code, each.stopped_with) for each in outcomes] == [(0, None), (0, None)]
    assert engine.most == 2


def test_one_that_fails_ends_the_others_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    engine, outcomes = together(tmp_path, "import time; time.sleep(60)", "raise SystemExit(1)")
    assert time.monotonic() - began < 20
    assert [each.stopped_with for each in outcomes] == [LAUNCHES[1].launch_id, None]
    assert outcomes[1].exit_code == 1
    assert all(each.poll() is not None for each in engine.running.values())


def test_a_launch_that_cannot_be_started_ends_the_others_and_is_told(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(HostError, match="could not be started"):
        together(tmp_path, "import time; time.sleep(60)", "cannot start")
    assert time.monotonic() - began < 20


def test_the_deadline_ends_a_block_in_which_nobody_trains(tmp_path: Path) -> None:
    """As when the token is lost: every launch waits for the others."""
    _, outcomes = together(tmp_path, "import time; time.sleep(60)", "import time; time.sleep(60)", deadline=1.0)
    assert all(each.exit_code != 0 for each in outcomes)
    assert any(each.stopped_by_deadline for each in outcomes)


def test_an_interrupt_ends_all_of_them(tmp_path: Path) -> None:
    engine = Processes({launch.launch_id: "import time; time.sleep(60)" for launch in LAUNCHES})
    began = time.monotonic()
    timer = threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run_together(starts(tmp_path, engine), PIN, 60.0)
    assert time.monotonic() - began < 20
    assert all(each.poll() is not None for each in engine.running.values())
    timer.join()
