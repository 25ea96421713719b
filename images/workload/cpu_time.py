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
    """Measure the body of a with statement and put the result under "cpu" in `found`.

    The result has "user_seconds" and "system_seconds" of the process, and "threads". Each thread has "id",
    "cpu_seconds", "waited_seconds" and "last_cpu". A thread that the body started is counted from its start. A thread
    that ended inside the body is counted in the process's seconds only.
    """
    threads_before = read_thread_times(root)
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        yield
    finally:
        after = resource.getrusage(resource.RUSAGE_SELF)
        threads_after = read_thread_times(root)
        found["cpu"] = {
            "user_seconds": after.ru_utime - before.ru_utime,
            "system_seconds": after.ru_stime - before.ru_stime,
            "threads": [_used(key, threads_before.get(key), threads_after[key]) for key in sorted(threads_after)],
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
