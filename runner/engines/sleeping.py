"""Waits for a process without waking up before it has ended. Knows no engine.

`subprocess.Popen.wait(timeout)` checks twenty times a second whether the process has ended, each time on a CPU that the
process may be using. With a descriptor of the process (pidfd_open(2), Linux 5.3 and later) the kernel wakes the waiting
process only once.
"""

from __future__ import annotations

import os
import select
import subprocess
import time


def wait_asleep(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Wait for a process's end and return its exit code, negative if a signal ended it.

    Raises:
        subprocess.TimeoutExpired: the process still runs after `seconds`.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:  # an older kernel, or a container that forbids the call
        return process.wait(seconds)
    try:
        if not _has_ended(descriptor, seconds):
            raise subprocess.TimeoutExpired(process.args, seconds)
    finally:
        os.close(descriptor)
    return process.wait()


def _has_ended(descriptor: int, seconds: float) -> bool:
    """Wait at most `seconds`; whether the process has ended. Its descriptor becomes readable when it ends."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if poll.poll(min(1000 * left, 1e9)):  # in milliseconds, which must fit into a C int
            return True
    return False
