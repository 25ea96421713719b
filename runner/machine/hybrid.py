"""Finds which CPUs of a hybrid processor are performance cores and which are efficiency cores.

It does not choose between them.
"""

from __future__ import annotations

from runner.machine.sysroot import Sysroot

PERFORMANCE = "performance"
EFFICIENCY = "efficiency"

#: Performance cores of one processor differ among themselves by a few percent (favoured cores). Efficiency cores are
#: far below. A core below this share of the highest capacity, or of the highest clock, is an efficiency core.
EFFICIENCY_CAPACITY_SHARE = 0.8


def read_kinds(sysroot: Sysroot, online: frozenset[int]) -> dict[int, str]:
    """Map online CPUs to `PERFORMANCE` or `EFFICIENCY`; empty on a host whose cores are alike.

    On Intel's processors the kernel lists the CPUs of each kind below /sys/devices/cpu_core and cpu_atom. On others
    ``cpu_capacity`` differs or, as on AMD's processors with compact cores, the highest clock.
    """
    slow = _listed(sysroot, "cpu_atom") | _listed(sysroot, "cpu_lowpower")
    for file in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        slow = slow or _far_below_the_highest(sysroot, online, file)
    if not slow & online or not online - slow:
        return {}
    return {cpu: EFFICIENCY if cpu in slow else PERFORMANCE for cpu in online}


def _listed(sysroot: Sysroot, device: str) -> frozenset[int]:
    return sysroot.cpu_list(f"sys/devices/{device}/cpus") or frozenset()


def _far_below_the_highest(sysroot: Sysroot, online: frozenset[int], file: str) -> frozenset[int]:
    found = {cpu: sysroot.integer(f"sys/devices/system/cpu/cpu{cpu}/{file}") for cpu in online}
    capacities = {cpu: capacity for cpu, capacity in found.items() if capacity is not None}
    highest = max(capacities.values(), default=0)
    return frozenset(cpu for cpu, value in capacities.items() if value < EFFICIENCY_CAPACITY_SHARE * highest)
