"""A file that a run keeps, so that all of its launches are given the same bytes, also after --resume."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runner.errors import DiskError, UsageError
from runner.support.atomic import write_whole


def write_copy(path: Path, content: bytes, what: str) -> None:
    """Write the run's copy of `what`.

    Raises:
        DiskError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise DiskError(
            f"The copy of {what} cannot be written to {path.parent}: {error}. Free some room or correct the "
            "permissions there, or name another folder with --out."
        ) from error


def read_copy(path: Path, sha256: str, what: str) -> bytes:
    """The content of the run's copy of `what`.

    Raises:
        UsageError: it is missing, or has changed since the run began.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The run's copy of {what}, {path}, cannot be read: {error.strerror}. Restore it (sha256 {sha256}) or "
            "start a new run."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UsageError(
            f"{path}, the run's copy of {what}, was changed since the run began. Launches with different ones cannot "
            f"be compared. Restore it (sha256 {sha256}) or start a new run."
        )
    return content
