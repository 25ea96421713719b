"""Allows one measurement at a time on a machine. Two would slow each other down, and both results would be wrong."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.errors import HostError, RunLockedError

# The path is the same for every user and every clone, so TMPDIR is not used. The kernel releases the lock when the
# process ends, however it ends.
LOCK_FILE = Path("/tmp/tensorflow-speedup-kit.lock")


@contextmanager
def machine_lock(what: str) -> Iterator[None]:
    """Hold the machine-wide lock. Another run that finds it taken shows `what` in its message.

    Raises:
        RunLockedError: another run holds it; the message names that run and its process.
        HostError: the lock's file cannot be opened.
    """
    descriptor = _open(LOCK_FILE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 1000, 0).decode(errors="replace").strip() or "unknown"
            raise RunLockedError(
                f"Another run is measuring on this machine ({holder}); two at once would slow each other down. "
                "Wait until it has ended, or end it, then try again."
            ) from None
        with suppress(OSError):  # a full disk, or another user's file: only `what` is lost
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{what}, process {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    # First without O_CREAT: in a sticky folder Linux may refuse to "create" a file that another user owns
    # (sysctl fs.protected_regular), but allows it to be opened. A symbolic link is not followed, because any user can
    # put one there.
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        try:
            return os.open(path, os.O_RDWR | flags)
        except FileNotFoundError:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
            os.fchmod(descriptor, 0o666)
            return descriptor
        except PermissionError:  # read access is enough to lock a file
            return os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        raise HostError(
            f"The machine-wide lock {path} cannot be opened: {error}. Remove that file, then try again."
        ) from error
