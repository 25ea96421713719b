"""Counts from outside what a launch does, while an engine carries it out. Launches that are timed are not counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from runner.errors import HostError
from runner.evidence.counters import NEVER_SEEN, NOT_INSTALLED
from runner.evidence.perf_output import Counted
from runner.session.perf_stat import END_SECONDS, PerfStat, version

# How often it is asked whether the launch's process is there yet, in seconds.
ASK_EVERY = 0.05


class Counting:
    """Waits in a thread for a launch's process and counts it to its end. `find` returns the process's id, or None.

    What goes wrong here ends no launch: `counted.error` has it.
    """

    def __init__(self, find: Callable[[], int | None]) -> None:
        tool = version()
        self.counted = Counted(tool, error=NOT_INSTALLED if tool is None else NEVER_SEEN)
        self._find = find
        self._has_ended = threading.Event()
        self._thread = None if tool is None else threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Counting:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Wait for what was counted, but not for an engine that does not answer."""
        self._has_ended.set()
        if self._thread is not None:
            self._thread.join(2 * END_SECONDS)

    def _watch(self) -> None:
        try:
            while not self._has_ended.wait(ASK_EVERY):
                pid = self._find()
                if pid is not None:
                    counting = PerfStat(pid)
                    self._has_ended.wait()
                    self.counted = counting.end()
                    return
        except (HostError, OSError) as error:
            self.counted = Counted(self.counted.tool, error=f"{NEVER_SEEN}: {error}")
