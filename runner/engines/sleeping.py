"""Waits for a process without waking up before it has ended. Knows no engine.

`subprocess.Popen.wait(timeout)` looks twenty times a second whether the process has ended, each time on a CPU that the
process may be using. A descriptor of the process (pidfd_open(2), Linux 5.3 and later) lets the kernel wake us once.
"""

from __future__ import annotations

import os
import select
import subprocess
import time


def wait_asleep(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Wait for a process's end and return its exit code, negative for a death by signal.

    Raises:
        subprocess.TimeoutExpired: it goes on after so many seconds.
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
    """A process's descriptor can be read from when it has ended."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if poll.poll(min(1000 * left, 1e9)):  # in milliseconds, of which the kernel takes no more than an int holds
            return True
    return False
