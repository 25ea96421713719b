"""Observes the process after its last timed step: libraries, threads, OpenMP and the installed wheel.

It must not import TensorFlow. It must not be called before the last step, because a question to OpenMP may start its
runtime.
"""

import ctypes
import os
import re
from typing import Any, Dict, List, Optional

from workload.threads import read_threads

_TELLING_LIBRARY = re.compile(
    r"^lib(iomp5|omp|gomp|mkl\w*|mklml\w*|mkldnn|dnnl|tensorflow\w*|openblas\w*|tcmalloc\w*|jemalloc)\b"
    r"|^_pywrap_tensorflow_internal\b"
)
_PLUG_INS = "/tensorflow-plugins/"  # where TensorFlow looks for plug-ins
_OPENMP_LIBRARY = re.compile(r"^lib(iomp5|omp|gomp)\b")


def collect_evidence(root: str = "/") -> Dict[str, Any]:
    """Return the mapped libraries and the threads, in the form of "evidence" in a result."""
    return {"mapped_libraries": read_mapped_libraries(root), "threads": read_threads(root)}


def read_mapped_libraries(root: str = "/") -> List[Dict[str, str]]:
    """Return name and path of each mapped OpenMP, MKL, oneDNN, TensorFlow, OpenBLAS, allocator or plug-in library."""
    paths = set()
    with open(os.path.join(root, "proc/self/maps"), encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.rstrip("\n").split(None, 5)
            if len(fields) == 6 and fields[5].startswith("/"):
                paths.add(fields[5])
    found = [{"name": os.path.basename(path), "path": path} for path in sorted(paths)]
    return [library for library in found if _TELLING_LIBRARY.match(library["name"]) or _PLUG_INS in library["path"]]


def read_omp_max_threads(libraries: List[Dict[str, str]]) -> Optional[int]:
    """Return the number of threads that the mapped OpenMP runtime gives to a parallel region; None without a runtime.

    A library is opened only if it is mapped already, so that the question brings no second runtime into the process.
    """
    for library in libraries:
        if _OPENMP_LIBRARY.match(library["name"]):
            handle = ctypes.CDLL(library["path"], mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            return int(handle.omp_get_max_threads())
    return None
