"""Reads which CPUs are isolated, so that the scheduler moves no threads between them, and which have no timer tick.

It does not decide what follows from that. Sources: kernel-parameters.txt (isolcpus, nohz_full), cgroup-v2.rst (cpuset
partitions) and cgroup-v1/cpusets.rst (sched_load_balance) in the kernel's Documentation/admin-guide.

`isolcpus=` takes CPUs out of every scheduling domain, and no cpuset puts them back (Linux 4.1, "cpusets, isolcpus:
exclude isolcpus from load balancing in cpusets"). Threads in a container on such CPUs are not balanced either.
`nohz_full=` alone takes no CPU out; it stops the timer tick while one thread runs on a CPU. In Linux 4.2 it took CPUs
out as well ("nohz: Set isolcpus when nohz_full is set"); later kernels do not. CPUs that are out of the scheduling
domains are always listed as isolated, so that this list alone decides.
"""

from __future__ import annotations

from runner.machine.sysroot import CPUS, Sysroot

#: What the kernel writes for a mask that was never allocated, as that of nohz_full is without nohz_full=.
NO_MASK = "(null)"


def is_isolation_visible(sysroot: Sysroot) -> bool:
    """Return whether the host reports which CPUs are isolated; kernels before 4.1 do not."""
    return sysroot.text(f"{CPUS}/isolated") is not None


def isolated_cpus(sysroot: Sysroot, allowed: frozenset[int], group_is_unbalanced: bool) -> frozenset[int]:
    """Return the CPUs in no scheduling domain: the host's isolated ones, and all allowed ones of an unbalanced group.

    Raises:
        HostError: the kernel's file does not hold a CPU list.
    """
    return _listed(sysroot, "isolated") | (allowed if group_is_unbalanced else frozenset())


def nohz_full_cpus(sysroot: Sysroot) -> frozenset[int]:
    """Return the CPUs whose timer tick stops while one thread runs there.

    Raises:
        HostError: the kernel's file does not hold a CPU list.
    """
    return _listed(sysroot, "nohz_full")


def _listed(sysroot: Sysroot, name: str) -> frozenset[int]:
    if sysroot.text(f"{CPUS}/{name}") == NO_MASK:
        return frozenset()
    return sysroot.cpu_list(f"{CPUS}/{name}") or frozenset()
