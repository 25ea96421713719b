"""What can be seen of the process after its last timed step: libraries, threads, OpenMP and the installed wheel.

It must not import TensorFlow, nor be called before the last step: asking OpenMP may start its runtime.
"""

import ctypes
import os
import re
from typing import Any, Dict, List, Optional

from workload.observe import read_status

_TELLING_LIBRARY = re.compile(
    r"^lib(iomp5|omp|gomp|mkl\w*|mklml\w*|mkldnn|dnnl|tensorflow\w*|openblas\w*|tcmalloc\w*|jemalloc)\b"
    r"|^_pywrap_tensorflow_internal\b"
)
_OPENMP_LIBRARY = re.compile(r"^lib(iomp5|omp|gomp)\b")


def collect_evidence(root: str = "/") -> Dict[str, Any]:
    """Return mapped libraries and threads, as they stand under "evidence" in a result."""
    return {"mapped_libraries": read_mapped_libraries(root), "threads": read_threads(root)}


def read_mapped_libraries(root: str = "/") -> List[Dict[str, str]]:
    """Return name and path of each mapped OpenMP, MKL, oneDNN, TensorFlow, OpenBLAS or allocator library."""
    paths = set()
    with open(os.path.join(root, "proc/self/maps"), encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.rstrip("\n").split(None, 5)
            if len(fields) == 6 and fields[5].startswith("/"):
                paths.add(fields[5])
    found = [{"name": os.path.basename(path), "path": path} for path in sorted(paths)]
    return [library for library in found if _TELLING_LIBRARY.match(library["name"])]


def read_threads(root: str = "/") -> List[Dict[str, Any]]:
    """Return each thread's id, name, allowed CPUs, and CPU time in seconds (user and system)."""
    folder = os.path.join(root, "proc/self/task")
    threads = [_read_thread(os.path.join(folder, name), int(name)) for name in os.listdir(folder)]
    return sorted((thread for thread in threads if thread is not None), key=lambda thread: int(thread["id"]))


def _read_thread(folder: str, thread_id: int) -> Optional[Dict[str, Any]]:
    try:
        with open(os.path.join(folder, "stat"), encoding="utf-8", errors="replace") as file:
            # The name, in parentheses, may itself hold spaces and parentheses (proc(5)).
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None  # the thread has ended since the folder was listed
    status = read_status(os.path.join(folder, "status"))
    ticks = int(fields[11]) + int(fields[12])
    return {
        "id": thread_id,
        "name": status.get("Name"),
        "allowed_cpus": status.get("Cpus_allowed_list"),
        "cpu_seconds": ticks / os.sysconf("SC_CLK_TCK"),
    }


def read_omp_max_threads(libraries: List[Dict[str, str]]) -> Optional[int]:
    """Ask the OpenMP runtime among the mapped libraries how many threads a region gets; None if none is mapped.

    The library is opened only where it is mapped already, so that asking brings no second runtime into the process.
    """
    for library in libraries:
        if _OPENMP_LIBRARY.match(library["name"]):
            handle = ctypes.CDLL(library["path"], mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            return int(handle.omp_get_max_threads())
    return None
