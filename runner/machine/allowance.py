"""Which CPUs run, and which CPUs and memory nodes this process may use, where the sources contradict one another.

It knows nothing of cores or of which CPUs a launch gets. The order in which sources count, the surest first:

1. The process's own mask in /proc/self/status: the kernel writes it, and no container virtualises it.
2. The set in effect in the process's control group. The kernel keeps the mask within it: a set that has nothing of the
   mask is another group's, seen from inside a container.
3. The list of online CPUs. In a container it can be a file of lxcfs, which numbers the CPUs of the container from 0.
"""

from __future__ import annotations

import re

from runner.machine.cpulist import parse_cpu_list, parse_cpu_mask
from runner.machine.sysroot import Sysroot, parsed

CPUS = "sys/devices/system/cpu"


def running_cpus(sysroot: Sysroot, listed: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the CPUs that run: those listed as online, unless the mask shows that the list is not the kernel's.

    A mask alone proves nothing, for it can name CPUs that do not exist or are switched off. It proves the list wrong
    where it has no CPU of it, or where it has one besides that the control group has in effect or that shows a
    topology, as only CPUs that run do.
    """
    mask = _status_set(sysroot, "Cpus_allowed")
    if mask is None or not listed:
        return listed
    if mask & listed and not _proven(sysroot, mask - listed, cpuset):
        return listed
    shown = frozenset(cpu for cpu in sysroot.numbered(CPUS, "cpu") if _has_topology(sysroot, cpu))
    return shown | (_proven(sysroot, mask, cpuset) or mask)


def allowed_cpus(sysroot: Sysroot, running: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the running CPUs this process may use; all of them where nothing says otherwise."""
    return _narrowed(running, _status_set(sysroot, "Cpus_allowed"), cpuset)


def allowed_mems(sysroot: Sysroot, nodes: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the memory nodes this process may use; all of them where nothing says otherwise.

    Where the mask names no node that exists (a container that hides the host's nodes), the nodes shown stand.
    """
    return _narrowed(nodes, _status_set(sysroot, "Mems_allowed"), cpuset) or nodes


def _narrowed(present: frozenset[int], mask: frozenset[int] | None, cpuset: tuple[int, ...] | None) -> frozenset[int]:
    within = present if mask is None else present & mask
    return within if cpuset is None else within & frozenset(cpuset) or within


def _proven(sysroot: Sysroot, cpus: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return those of these CPUs that run whatever the list says: the control group has them, or a topology shows."""
    on = (cpu for cpu in cpus if sysroot.text(f"{CPUS}/cpu{cpu}/online") != "0")
    return frozenset(cpu for cpu in on if cpu in (cpuset or ()) or _has_topology(sysroot, cpu))


def _has_topology(sysroot: Sysroot, cpu: int) -> bool:
    return bool(sysroot.entries(f"{CPUS}/cpu{cpu}/topology"))


def _status_set(sysroot: Sysroot, field: str) -> frozenset[int] | None:
    """Read a set from /proc/self/status: its list, or on kernels before 2.6.26 only its mask."""
    status = sysroot.text("proc/self/status") or ""
    for name, parse in ((f"{field}_list", parse_cpu_list), (field, parse_cpu_mask)):
        match = re.search(rf"^{name}:[ \t]*(.+)$", status, re.MULTILINE)
        if match:
            return parsed(match[1], parse, f"{name} in /proc/self/status below {sysroot.path}")
    return None
