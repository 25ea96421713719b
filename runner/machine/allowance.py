"""Which CPUs and memory nodes this process may use: its own masks, narrowed by its control groups.

It knows nothing of cores or of which CPUs a launch gets.
"""

from __future__ import annotations

import re

from runner.machine.cpulist import parse_cpu_list, parse_cpu_mask
from runner.machine.sysroot import Sysroot, parsed


def allowed_cpus(sysroot: Sysroot, online: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the online CPUs this process may use; all of them where nothing says otherwise."""
    return _narrowed(online, _status_set(sysroot, "Cpus_allowed"), cpuset)


def allowed_mems(sysroot: Sysroot, nodes: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the memory nodes this process may use; all of them where nothing says otherwise.

    Where the mask names no node that exists (a container that hides the host's nodes), the nodes shown stand.
    """
    return _narrowed(nodes, _status_set(sysroot, "Mems_allowed"), cpuset) or nodes


def _narrowed(present: frozenset[int], status: frozenset[int] | None, cpuset: tuple[int, ...] | None) -> frozenset[int]:
    allowed = present if status is None else present & status
    return allowed if cpuset is None else allowed & frozenset(cpuset)


def _status_set(sysroot: Sysroot, field: str) -> frozenset[int] | None:
    """Read a set from /proc/self/status: its list, or on kernels before 2.6.26 only its mask."""
    status = sysroot.text("proc/self/status") or ""
    for name, parse in ((f"{field}_list", parse_cpu_list), (field, parse_cpu_mask)):
        match = re.search(rf"^{name}:[ \t]*(.+)$", status, re.MULTILINE)
        if match:
            return parsed(match[1], parse, f"{name} in /proc/self/status below {sysroot.path}")
    return None
