"""Decides which CPUs run, and which CPUs and memory nodes this process may use, if need be from sources that disagree.

It knows nothing of cores or of which CPUs a launch gets. The sources, the most reliable first:

1. The process's own mask in /proc/self/status. The kernel writes it, and no container virtualises it.
2. The set in effect in the process's control group. The kernel keeps the mask within this set. A set that has no CPU in
   common with the mask therefore belongs to another group; this can happen inside a container.
3. The list of online CPUs. In a container it can be a file of lxcfs, which numbers the container's CPUs from 0.
"""

from __future__ import annotations

import re

from runner.machine.cpulist import parse_cpu_list, parse_cpu_mask
from runner.machine.sysroot import CPUS, Sysroot, parsed


def running_cpus(sysroot: Sysroot, listed: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the CPUs that run: those listed as online, unless the mask shows that the kernel did not write this list.

    A mask alone proves nothing, because it can name CPUs that do not exist or are switched off. The list is wrong in
    two cases: it has no CPU in common with the mask, or it lacks a CPU of the mask that certainly runs. A CPU runs if
    the control group's set in effect has it, or if sysfs has a topology for it.
    """
    mask = _status_set(sysroot, "Cpus_allowed")
    if mask is None or not listed:
        return listed
    if mask & listed and not _proven(sysroot, mask - listed, cpuset):
        return listed
    shown = frozenset(cpu for cpu in sysroot.numbered(CPUS, "cpu") if _has_topology(sysroot, cpu))
    return shown | (_proven(sysroot, mask, cpuset) or mask)


def allowed_cpus(sysroot: Sysroot, running: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the running CPUs that this process may use; all of them if no source restricts them."""
    return _narrowed(running, _status_set(sysroot, "Cpus_allowed"), cpuset)


def allowed_mems(sysroot: Sysroot, nodes: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return the memory nodes that this process may use; all of them if no source restricts them.

    A container can hide the host's nodes. Then the mask names no node that is visible, and all visible nodes are
    returned.
    """
    return _narrowed(nodes, _status_set(sysroot, "Mems_allowed"), cpuset) or nodes


def _narrowed(present: frozenset[int], mask: frozenset[int] | None, cpuset: tuple[int, ...] | None) -> frozenset[int]:
    within = present if mask is None else present & mask
    return within if cpuset is None else within & frozenset(cpuset) or within


def _proven(sysroot: Sysroot, cpus: frozenset[int], cpuset: tuple[int, ...] | None) -> frozenset[int]:
    """Return those of these CPUs that certainly run: the control group has them, or sysfs has a topology for them."""
    on = (cpu for cpu in cpus if sysroot.text(f"{CPUS}/cpu{cpu}/online") != "0")
    return frozenset(cpu for cpu in on if cpu in (cpuset or ()) or _has_topology(sysroot, cpu))


def _has_topology(sysroot: Sysroot, cpu: int) -> bool:
    return bool(sysroot.entries(f"{CPUS}/cpu{cpu}/topology"))


def _status_set(sysroot: Sysroot, field: str) -> frozenset[int] | None:
    """Read a set from /proc/self/status: from its list, or on kernels before 2.6.26 from its mask."""
    status = sysroot.text("proc/self/status") or ""
    for name, parse in ((f"{field}_list", parse_cpu_list), (field, parse_cpu_mask)):
        match = re.search(rf"^{name}:[ \t]*(.+)$", status, re.MULTILINE)
        if match:
            return parsed(match[1], parse, f"{name} in /proc/self/status below {sysroot.path}")
    return None
