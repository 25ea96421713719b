"""Reads the threads of this process: the CPUs that each may use, the CPU it was last on, and its CPU time.

It reads only /proc and starts nothing.
"""

import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from workload.observe import read_status

TASKS = "proc/self/task"
# Fields of /proc/PID/task/TID/stat after the name, which is field 2 (proc(5)): utime is 14, stime 15, processor 39.
_USER, _SYSTEM, _PROCESSOR = 14 - 3, 15 - 3, 39 - 3

ThreadTime = NamedTuple(
    "ThreadTime",
    [
        # User and system time since the thread began, in ticks of 10 ms if the kernel has no finer measure.
        ("cpu_seconds", float),
        ("last_cpu", int),
        # Time in which it was ready to run and had no CPU; None if the kernel does not report it.
        ("waited_seconds", Optional[float]),
    ],
)


def read_thread_times(root: str = "/") -> Dict[int, ThreadTime]:
    """Return the CPU seconds, the last CPU and the seconds of waiting of each thread, by its id."""
    folder = os.path.join(root, TASKS)
    found = {int(name): _read_time(os.path.join(folder, name)) for name in os.listdir(folder)}
    return {thread_id: time for thread_id, time in found.items() if time is not None}


def read_threads(root: str = "/") -> List[Dict[str, Any]]:
    """Return each thread's id, name, allowed CPUs, and CPU time in seconds (user and system)."""
    threads = []
    for thread_id, time in sorted(read_thread_times(root).items()):
        status = read_status(os.path.join(root, TASKS, str(thread_id), "status"))
        threads.append(
            {
                "id": thread_id,
                "name": status.get("Name"),
                "allowed_cpus": status.get("Cpus_allowed_list"),
                "cpu_seconds": time.cpu_seconds,
            }
        )
    return threads


def _read_time(folder: str) -> Optional[ThreadTime]:
    try:
        with open(os.path.join(folder, "stat"), encoding="utf-8", errors="replace") as file:
            # The name stands in parentheses and may itself contain spaces and parentheses.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None  # the thread has ended since the folder was listed
    ticks = int(fields[_USER]) + int(fields[_SYSTEM])
    ran, waited = _read_schedule(folder)
    used = ticks / os.sysconf("SC_CLK_TCK") if ran is None else ran
    return ThreadTime(used, int(fields[_PROCESSOR]), waited)


def _read_schedule(folder: str) -> Tuple[Optional[float], Optional[float]]:
    """Read the seconds on a CPU and on a run queue from schedstat, which has nanoseconds (scheduler/sched-stats)."""
    try:
        with open(os.path.join(folder, "schedstat"), encoding="utf-8") as file:
            ran, waited = (int(word) / 1e9 for word in file.read().split()[:2])
    except (OSError, ValueError):
        return None, None
    return ran, waited
