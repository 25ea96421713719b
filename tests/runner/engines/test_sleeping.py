"""Waiting for a process: as long as it takes, and without looking in between."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from runner.engines.sleeping import wait_asleep


def process(code: str) -> subprocess.Popen[bytes]:
    """A Python process."""
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", code])


def test_a_process_is_waited_for_without_a_look_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel wakes the waiting thread. `Popen.wait` with a timeout sleeps and polls instead."""

    def look(_seconds: float) -> None:
        raise AssertionError("slept and looked again")

    monkeypatch.setattr(time, "sleep", look)
    with process("import time; time.sleep(0.5)") as slow:
        assert wait_asleep(slow, 60.0) == 0


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)])
def test_the_exit_code_is_the_processs_own(code: str, expected: int) -> None:
    """The process may have ended before anybody waits, or a signal may have ended it."""
    with process(code) as ended:
        assert wait_asleep(ended, 60.0) == expected
        assert wait_asleep(ended, 60.0) == expected, "it may be asked again"


def test_a_process_that_goes_on_is_told() -> None:
    """The deadline is a limit, and the process is left running."""
    with process("import time; time.sleep(60)") as endless:
        with pytest.raises(subprocess.TimeoutExpired):
            wait_asleep(endless, 0.2)
        assert endless.poll() is None
        endless.kill()


def test_a_kernel_that_has_no_such_call_is_waited_on_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux before 5.3 lacks the call, and a container can forbid it."""

    def refused(_process: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("os.pidfd_open", refused)
    with process("raise SystemExit(4)") as ended:
        assert wait_asleep(ended, 60.0) == 4
