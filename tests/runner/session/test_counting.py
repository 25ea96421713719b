"""A launch is counted from outside, if its process is seen and perf is there; nothing of it ends a launch."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import HostError
from runner.evidence.counters import NEVER_SEEN, NOT_INSTALLED
from runner.evidence.perf_output import EVENTS, Counted
from runner.session.counting import Counting
from runner.session.perf_stat import PerfStat, permission, version
from tests.runner.evidence.test_perf_output import FIRST

ANSWERS = f'[ "$1" = --version ] && echo "perf version 9" && exit\necho "{FIRST[0]}" >&2'


@pytest.fixture(autouse=True)
def _other_perf() -> Iterator[None]:
    """The version of perf is asked for once. Here PATH changes from test to test."""
    version.cache_clear()
    yield
    version.cache_clear()


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called perf in front of PATH. The real one may not be installed, and counts nothing known."""
    path = folder / "perf"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_the_process_is_counted_as_soon_as_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, ANSWERS)
    answers, is_there = iter([None, None, os.getpid()]), threading.Event()

    def find() -> int | None:
        found = next(answers)
        if found is not None:
            is_there.set()
        return found

    with Counting(find) as counting:
        assert is_there.wait(30)
    assert counting.counted.tool == "perf version 9"
    assert [each.counts for each in counting.counted.intervals] == [{"task-clock": 95.2}]


def test_a_launch_whose_process_is_never_seen_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, ANSWERS)
    with Counting(lambda: None) as counting:
        pass
    assert counting.counted.error == NEVER_SEEN


def test_an_engine_that_does_not_answer_ends_no_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, ANSWERS)

    was_asked = threading.Event()

    def dead() -> int | None:
        was_asked.set()
        raise HostError("The Docker engine does not answer.")

    with Counting(dead) as counting:
        assert was_asked.wait(30)
    assert counting.counted.error == f"{NEVER_SEEN}: The Docker engine does not answer."


def test_an_engine_that_hangs_does_not_hold_a_launch_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, ANSWERS)
    monkeypatch.setattr("runner.session.counting.END_SECONDS", 0.1)

    was_asked, answers = threading.Event(), threading.Event()

    def slow() -> int | None:
        was_asked.set()
        answers.wait(60)
        return None

    with Counting(slow) as counting:
        assert was_asked.wait(30)
    assert not answers.is_set(), "the launch went on without the answer"
    assert counting.counted.error == NEVER_SEEN
    answers.set()


def test_without_perf_the_engine_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    def never() -> int | None:
        raise AssertionError

    with Counting(never) as counting:
        pass
    assert counting.counted.error == NOT_INSTALLED
    assert permission()["perf"] is None


def test_an_error_of_the_launch_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, ANSWERS)
    with pytest.raises(KeyboardInterrupt), Counting(lambda: None):
        raise KeyboardInterrupt


def test_a_perf_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.session.perf_stat.END_SECONDS", 0.2)
    stand_in(tmp_path, monkeypatch, "exec sleep 60")
    assert PerfStat(1).end() == Counted(None, error="perf printed nothing")


def test_the_real_perf_counts_a_process_that_computes() -> None:
    """Every kernel counts the CPU time of a process. The processor's own counters may be hidden."""
    if version() is None:
        pytest.skip("perf is not installed")
    work = "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
    with subprocess.Popen([sys.executable, "-c", work]) as process:
        counting = PerfStat(process.pid)
        process.wait()
        found = counting.end()
    if found.error is not None:
        assert "limited" in found.error or "ermission" in found.error, found.error
        return
    whole = [each for each in found.intervals if set(each.counts) == set(EVENTS)]
    assert len(whole) > 5
    assert 100 < sum(each.counts["task-clock"] or 0.0 for each in whole) <= 1100
