"""Which CPUs the scheduler leaves alone: isolated ones, between which it moves no threads, and those without a tick.

It does not decide what follows from that. Sources: kernel-parameters.txt (isolcpus, nohz_full), cgroup-v2.rst (cpuset
partitions) and cgroup-v1/cpusets.rst (sched_load_balance) in the kernel's Documentation/admin-guide.

`isolcpus=` takes CPUs out of every scheduling domain, and no cpuset brings them back (Linux 4.1, "cpusets, isolcpus:
exclude isolcpus from load balancing in cpusets"): what runs in a container on them is no better off than a process.
`nohz_full=` alone takes none out: it stops the timer tick while one thread runs on a CPU. Linux 4.2 did take them out
("nohz: Set isolcpus when nohz_full is set"), later kernels do not; where they are out, they are listed as isolated, so
that this list alone decides.
"""

from __future__ import annotations

from runner.machine.sysroot import Sysroot

CPUS = "sys/devices/system/cpu"

#: What the kernel writes for a mask that it never made: without nohz_full= there is none.
NO_MASK = "(null)"


def is_isolation_visible(sysroot: Sysroot) -> bool:
    """Return whether the host tells which CPUs are isolated; kernels before 4.1 do not."""
    return sysroot.text(f"{CPUS}/isolated") is not None


def isolated_cpus(sysroot: Sysroot, allowed: frozenset[int], group_is_unbalanced: bool) -> frozenset[int]:
    """Return the CPUs in no scheduling domain: the host's isolated ones, and all of a group that is not balanced.

    Raises HostError where the file holds something else.
    """
    return _listed(sysroot, "isolated") | (allowed if group_is_unbalanced else frozenset())


def nohz_full_cpus(sysroot: Sysroot) -> frozenset[int]:
    """Return the CPUs whose timer tick stops while one thread runs there. Raises HostError as above."""
    return _listed(sysroot, "nohz_full")


def _listed(sysroot: Sysroot, name: str) -> frozenset[int]:
    if sysroot.text(f"{CPUS}/{name}") == NO_MASK:
        return frozenset()
    return sysroot.cpu_list(f"{CPUS}/{name}") or frozenset()
