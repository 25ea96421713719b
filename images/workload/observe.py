"""What the process finds around itself before TensorFlow is imported: CPUs, memory nodes, environment, user.

OpenMP narrows the main thread's mask later, so this is read first. It must not import TensorFlow or numpy, nor know
what was asked for.
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
    """Return what stands under "observed" in a result, with null for what is known only later.

    `root` is the folder that holds the trees /proc and /sys; `environment` holds the variables to choose from, by
    default the process's own.
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
    """Return a status file of /proc as name and value; nothing if it cannot be read."""
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
    """Return a hash of the launch's id and the kernel's boot id; None where the kernel tells none.

    The id is random and made at each start of a kernel. Who knows the host's can tell whether the launch ran on that
    kernel or on another machine's; nobody can tell from two results that they are of one host.
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
