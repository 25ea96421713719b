"""Measures the CPU time of the timed steps: of the process, and of each thread together with the CPU it was last on.

getrusage is called directly before and directly after the timed steps, never inside them. /proc is read outside of
both calls. The module must not know TensorFlow or jobs.
"""

import contextlib
import resource
from typing import Any, Dict, Iterator, Optional

from workload.threads import ThreadTime, read_thread_times


@contextlib.contextmanager
def measure_cpu_time(found: Dict[str, Any], root: str = "/") -> Iterator[None]:
    """Measure the body of a with statement, and add it to what "cpu" in `found` has from earlier bodies.

    The sum has "user_seconds" and "system_seconds" of the process, and "threads". Each thread has "id",
    "cpu_seconds", "waited_seconds" and "last_cpu". A thread that a body started is counted from its start. A thread
    that ended inside a body is counted in the process's seconds only.
    """
    threads_before = read_thread_times(root)
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        yield
    finally:
        after = resource.getrusage(resource.RUSAGE_SELF)
        threads_after = read_thread_times(root)
        earlier = found.get("cpu") or {"user_seconds": 0.0, "system_seconds": 0.0, "threads": []}
        threads = {thread["id"]: thread for thread in earlier["threads"]}
        for key in threads_after:
            used = _used(key, threads_before.get(key), threads_after[key])
            threads[key] = _added(threads[key], used) if key in threads else used
        found["cpu"] = {
            "user_seconds": earlier["user_seconds"] + after.ru_utime - before.ru_utime,
            "system_seconds": earlier["system_seconds"] + after.ru_stime - before.ru_stime,
            "threads": [threads[key] for key in sorted(threads)],
        }


def _used(thread_id: int, before: Optional[ThreadTime], after: ThreadTime) -> Dict[str, Any]:
    start = before or ThreadTime(0.0, after.last_cpu, 0.0)
    waited = None
    if start.waited_seconds is not None and after.waited_seconds is not None:
        waited = round(after.waited_seconds - start.waited_seconds, 6)
    return {
        "id": thread_id,
        "cpu_seconds": round(after.cpu_seconds - start.cpu_seconds, 6),
        "waited_seconds": waited,
        "last_cpu": after.last_cpu,
    }


def _added(earlier: Dict[str, Any], later: Dict[str, Any]) -> Dict[str, Any]:
    """Return the sum of what one thread used in two bodies. Of its CPUs the last one counts."""
    both = (earlier["waited_seconds"], later["waited_seconds"])
    return {
        "id": later["id"],
        "cpu_seconds": round(earlier["cpu_seconds"] + later["cpu_seconds"], 6),
        "waited_seconds": None if None in both else round(sum(both), 6),
        "last_cpu": later["last_cpu"],
    }
