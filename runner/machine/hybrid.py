"""Which CPUs of a hybrid processor are performance cores and which are efficiency cores.

It does not choose between them.
"""

from __future__ import annotations

from runner.machine.sysroot import Sysroot

PERFORMANCE = "performance"
EFFICIENCY = "efficiency"

#: Performance cores of one processor differ by a few percent (favoured cores), efficiency cores by far more:
#: anything below this share of the highest capacity is an efficiency core.
EFFICIENCY_CAPACITY_SHARE = 0.8


def read_kinds(sysroot: Sysroot, online: frozenset[int]) -> dict[int, str]:
    """Map online CPUs to `PERFORMANCE` or `EFFICIENCY`; empty on a host whose cores are alike.

    Intel lists the CPUs below /sys/devices/cpu_core and cpu_atom; elsewhere ``cpu_capacity`` differs.
    """
    slow = _listed(sysroot, "cpu_atom") | _listed(sysroot, "cpu_lowpower")
    if not slow:
        slow = _slow_by_capacity(sysroot, online)
    if not slow & online or not online - slow:
        return {}
    return {cpu: EFFICIENCY if cpu in slow else PERFORMANCE for cpu in online}


def _listed(sysroot: Sysroot, device: str) -> frozenset[int]:
    return sysroot.cpu_list(f"sys/devices/{device}/cpus") or frozenset()


def _slow_by_capacity(sysroot: Sysroot, online: frozenset[int]) -> frozenset[int]:
    found = {cpu: sysroot.integer(f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity") for cpu in online}
    capacities = {cpu: capacity for cpu, capacity in found.items() if capacity is not None}
    highest = max(capacities.values(), default=0)
    return frozenset(cpu for cpu, value in capacities.items() if value < EFFICIENCY_CAPACITY_SHARE * highest)
