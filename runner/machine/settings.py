"""The host's settings that change how fast it computes: governor, turbo, SMT, huge pages, CPUs without a timer tick.

They are read and never changed.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from runner.machine.cpulist import format_cpu_list
from runner.machine.isolation import is_isolation_visible, nohz_full_cpus
from runner.machine.sysroot import CPUS, Sysroot


@dataclass(frozen=True)
class Settings:
    """Settings in effect. Empty or None means unknown; most virtual machines hide the frequency settings.

    `isolation_visible` is true if the host reports which CPUs are isolated. Otherwise an empty list proves nothing.
    """

    governors: tuple[str, ...]
    frequency_driver: str | None
    turbo: bool | None
    smt_active: bool
    smt_control: str | None
    transparent_huge_pages: str | None
    isolation_visible: bool = False
    nohz_full_cpus: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict, CPU lists as the kernel writes them."""
        nohz_full = format_cpu_list(self.nohz_full_cpus)
        return {**asdict(self), "governors": list(self.governors), "nohz_full_cpus": nohz_full}


def read_settings(sysroot: Sysroot, online: frozenset[int], cores_have_siblings: bool) -> Settings:
    """Read the settings of the online CPUs.

    Kernels before 4.19 do not report whether SMT is on. Then it counts as on if cores have siblings.
    """
    active = sysroot.integer(f"{CPUS}/smt/active")
    return Settings(
        governors=_each(sysroot, online, "scaling_governor"),
        frequency_driver=",".join(_each(sysroot, online, "scaling_driver")) or None,
        turbo=_turbo(sysroot),
        smt_active=cores_have_siblings if active is None else active == 1,
        smt_control=sysroot.text(f"{CPUS}/smt/control"),
        transparent_huge_pages=_chosen(sysroot.text("sys/kernel/mm/transparent_hugepage/enabled")),
        isolation_visible=is_isolation_visible(sysroot),
        nohz_full_cpus=tuple(sorted(nohz_full_cpus(sysroot))),
    )


def _each(sysroot: Sysroot, online: frozenset[int], name: str) -> tuple[str, ...]:
    """Return the distinct values of a cpufreq file over the online CPUs, sorted."""
    folders = [f"{CPUS}/cpu{cpu}/cpufreq" for cpu in online]
    folders += [f"{CPUS}/cpufreq/policy{number}" for number in sysroot.numbered(f"{CPUS}/cpufreq", "policy")]
    return tuple(sorted({text for folder in folders if (text := sysroot.text(f"{folder}/{name}"))}))


def _turbo(sysroot: Sysroot) -> bool | None:
    no_turbo = sysroot.integer(f"{CPUS}/intel_pstate/no_turbo")
    if no_turbo is not None:
        return no_turbo == 0
    boost = sysroot.integer(f"{CPUS}/cpufreq/boost")
    return None if boost is None else boost == 1


def _chosen(text: str | None) -> str | None:
    """Return the word in brackets, such as that of ``always [madvise] never``."""
    match = re.search(r"\[(\w+)\]", text or "")
    return match[1] if match else None
