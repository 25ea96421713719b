"""The machine: everything that a plan, a report and a comparison need to know about a host, as one value.

It only holds what was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runner.machine.cgroups import Limits
from runner.machine.cpuinfo import Processor
from runner.machine.cpulist import format_cpu_list
from runner.machine.numa import Node
from runner.machine.platform import Platform
from runner.machine.readings import Readings
from runner.machine.settings import Settings
from runner.machine.topology import Core, LogicalCpu, group_cores


@dataclass(frozen=True)
class Machine:
    """A host. `memory_bytes` is None where the kernel does not report it."""

    platform: Platform
    processor: Processor
    cpus: tuple[LogicalCpu, ...]
    nodes: tuple[Node, ...]
    allowed_mems: tuple[int, ...]
    memory_bytes: int | None
    limits: Limits
    settings: Settings
    readings: Readings

    @property
    def online_cpus(self) -> tuple[int, ...]:
        """The logical CPUs that run."""
        return tuple(cpu.id for cpu in self.cpus if cpu.online)

    @property
    def allowed_cpus(self) -> tuple[int, ...]:
        """The online logical CPUs that this process may use."""
        return tuple(cpu.id for cpu in self.cpus if cpu.allowed)

    @property
    def isolated_cpus(self) -> tuple[int, ...]:
        """The online logical CPUs to which and from which the scheduler moves no thread."""
        return tuple(cpu.id for cpu in self.cpus if cpu.online and cpu.isolated)

    @cached_property
    def cores(self) -> tuple[Core, ...]:
        """The physical cores with an online CPU, by number."""
        return group_cores(self.cpus)

    @property
    def sockets(self) -> tuple[int, ...]:
        """The numbers of the sockets with an online CPU."""
        return tuple(sorted({core.socket for core in self.cores}))

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain dicts and lists, CPU lists as the kernel writes them."""
        return {
            "platform": self.platform.to_json(),
            "processor": self.processor.to_json(),
            "sockets": len(self.sockets),
            "cores": len(self.cores),
            "online_cpus": format_cpu_list(self.online_cpus),
            "allowed_cpus": format_cpu_list(self.allowed_cpus),
            "isolated_cpus": format_cpu_list(self.isolated_cpus),
            "allowed_mems": format_cpu_list(self.allowed_mems),
            "memory_bytes": self.memory_bytes,
            "nodes": [node.to_json() for node in self.nodes],
            "cpus": [cpu.to_json() for cpu in self.cpus],
            "limits": self.limits.to_json(),
            "settings": self.settings.to_json(),
            "readings": self.readings.to_json(),
        }


def conditions(machine: Machine) -> dict[str, Any]:
    """Return the conditions that must be equal before the figures of two records are divided.

    Neither total memory nor its limit is a condition: a launch that does not fit fails, and one that fits runs at the
    same speed. memory.high is a condition: a launch that exceeds it does not fail but runs more slowly.
    """
    isolated = format_cpu_list(machine.isolated_cpus) or ("none" if machine.settings.isolation_visible else None)
    return {
        "cpu_model": machine.processor.model_name,
        "cpu_family_model_stepping": [
            machine.processor.family,
            machine.processor.model,
            machine.processor.stepping,
        ],
        "microcode": machine.processor.microcode,
        "isa": list(machine.processor.isa),
        "kernel_release": machine.platform.kernel_release,
        "governors": list(machine.settings.governors),
        "turbo": machine.settings.turbo,
        "smt_active": machine.settings.smt_active,
        "transparent_huge_pages": machine.settings.transparent_huge_pages,
        "cpu_quota_cpus": machine.limits.cpu_quota_cpus,
        "memory_high_bytes": machine.limits.memory_high_bytes,
        "isolated_cpus": isolated,
        "nohz_full_cpus": format_cpu_list(machine.settings.nohz_full_cpus) or "none",
    }
