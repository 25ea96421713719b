"""The machine-wide lock: one place for all, safe in a folder that everybody may write to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import runner.support.machine_lock
from runner.errors import HostError, RunLockedError
from runner.support.machine_lock import machine_lock


def test_the_lock_is_in_one_place_whatever_tmpdir_says(tmp_path: Path) -> None:
    """Two users, or two shells with their own TMPDIR, exclude each other."""
    script = "import runner.support.machine_lock; print(runner.support.machine_lock.LOCK_FILE)"
    places = {
        subprocess.check_output([sys.executable, "-c", script], env={**os.environ, "TMPDIR": folder}, text=True)
        for folder in ("/tmp", str(tmp_path))
    }
    assert places == {"/tmp/tensorflow-speedup-kit.lock\n"}


def test_a_link_in_the_locks_place_is_not_followed() -> None:
    """Anybody may put a link there to a user's own file, which would then be overwritten."""
    target = runner.support.machine_lock.LOCK_FILE.with_name("precious")
    target.write_text("content")
    runner.support.machine_lock.LOCK_FILE.symlink_to(target)
    with pytest.raises(HostError, match="cannot be opened"), machine_lock("a run"):
        pass
    assert target.read_text() == "content"


def test_a_lock_that_may_only_be_read_holds_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's file is locked without being written to; who comes second is refused."""
    runner.support.machine_lock.LOCK_FILE.write_text("somebody before\n")
    really_open = os.open

    def open_for_reading(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", open_for_reading)
    with machine_lock("a run"), pytest.raises(RunLockedError), machine_lock("another"):
        pass
    assert runner.support.machine_lock.LOCK_FILE.read_text() == "somebody before\n"
