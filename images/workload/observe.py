"""Observes the process before TensorFlow is imported: its CPUs, memory nodes, environment and user.

It is read first, because OpenMP narrows the main thread's mask later. The module must not import TensorFlow or numpy.
It must not know what was requested.
"""

import hashlib
import os
from typing import Any, Dict, Mapping, Optional

from workload.cgroup import read_limits

ENVIRONMENT_PREFIXES = (
    "OMP_", "KMP_", "GOMP_", "MKL_", "TF_", "ONEDNN_", "DNNL_", "MKLDNN_", "OPENBLAS_", "MALLOC_",
)  # fmt: skip
ENVIRONMENT_NAMES = ("LD_PRELOAD", "LD_LIBRARY_PATH")


def observe(
    root: str = "/", environment: Optional[Mapping[str, str]] = None, launch_id: Optional[str] = None
) -> Dict[str, Any]:
    """Return the content of "observed" in a result, with None for what is known only later.

    `root` is the folder that has the trees /proc and /sys. `environment` has the variables to choose from, by default
    those of the process.
    """
    status = read_status(os.path.join(root, "proc/self/status"))
    return {
        "allowed_cpus": status.get("Cpus_allowed_list"),
        "allowed_mems": status.get("Mems_allowed_list"),
        "cgroup": read_limits(root),
        "intra_op_threads": None,
        "inter_op_threads": None,
        "omp_max_threads": None,
        "graph_optimisation": None,
        "environment": choose_environment(os.environ if environment is None else environment),
        "uid": os.getuid(),
        "cpu_model": read_cpu_model(root),
        "boot_sha256": read_boot_sha256(root, launch_id),
    }


def read_status(path: str) -> Dict[str, str]:
    """Return the values in a status file of /proc by name; empty if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            pairs = [line.split(":", 1) for line in file if ":" in line]
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, value in pairs}


def read_peak_memory_bytes(root: str = "/") -> Optional[int]:
    """Return the largest resident size of the process so far, in bytes (VmHWM is in units of 1024)."""
    fields = read_status(os.path.join(root, "proc/self/status")).get("VmHWM", "").split()
    return int(fields[0]) * 1024 if fields else None


def read_cpu_model(root: str = "/") -> Optional[str]:
    """Return the first "model name" of /proc/cpuinfo."""
    try:
        with open(os.path.join(root, "proc/cpuinfo"), encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return None


def read_boot_sha256(root: str = "/", launch_id: Optional[str] = None) -> Optional[str]:
    """Return a hash of the launch's id and the kernel's boot id; None if the kernel has no boot id.

    A kernel makes a random boot id at each start. With the host's boot id one can check whether the launch ran on the
    host's kernel or on that of another machine. Two results do not reveal whether they come from the same host.
    """
    try:
        with open(os.path.join(root, "proc/sys/kernel/random/boot_id"), encoding="ascii") as file:
            boot_id = file.read().strip()
    except (OSError, ValueError):
        return None
    return hashlib.sha256("{}\n{}".format(launch_id, boot_id).encode("ascii")).hexdigest() if boot_id else None


def choose_environment(environment: Mapping[str, str]) -> Dict[str, str]:
    """Keep the variables that OpenMP, the math libraries, TensorFlow and the allocators read."""
    return {
        name: environment[name]
        for name in sorted(environment)
        if name.startswith(ENVIRONMENT_PREFIXES) or name in ENVIRONMENT_NAMES
    }
