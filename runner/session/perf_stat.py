"""Counts what one process does with the kernel's `perf stat`, from outside, while it runs: a count every INTERVAL.

The process gets no permission for it. Whether this host lets anybody count is for the kernel and the hypervisor to
decide. Most clouds hide the processor's own counters from their guests.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from runner.evidence.perf_output import EVENTS, SEPARATOR, Counted, counted_of

PERF = "perf"
INTERVAL = 0.05  # seconds
# After its process has ended, perf ends within milliseconds.
END_SECONDS = 5.0
PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")


@dataclass
class PerfStat:
    """`perf stat` on a process and on all threads that it starts from now on. It ends with the process.

    Raises:
        OSError: there is no perf.
    """

    pid: int
    _lines: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        command = [PERF, "stat", "-x", SEPARATOR, "-I", f"{1000 * INTERVAL:.0f}", "-e", ",".join(EVENTS), "-p",
                   str(self.pid)]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def end(self) -> Counted:
        """Wait for its end, or kill it, and return what it counted."""
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_SECONDS)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return counted_of(self._lines, version())

    def _read(self) -> None:
        for line in self._process.stderr or ():
            self._lines.append((time.monotonic(), line.rstrip("\n")))


@cache
def version() -> str | None:
    """Return the version of this host's perf; None if it has none that runs."""
    try:
        done = subprocess.run([PERF, "--version"], capture_output=True, text=True, check=True, timeout=END_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def permission() -> dict[str, object]:
    """Return what decides whether this user may count, and what: perf's version, the kernel's setting and the user."""
    try:
        paranoid = PARANOID.read_text(encoding="ascii").strip()
    except OSError:
        paranoid = ""
    return {"perf": version(), "perf_event_paranoid": paranoid, "is_root": os.geteuid() == 0}
