"""Reads all parts of a machine, each after the parts that it depends on."""

from __future__ import annotations

from runner.machine.allowance import allowed_cpus, allowed_mems, running_cpus
from runner.machine.cgroups import read_limits
from runner.machine.cpuinfo import read_processor
from runner.machine.isolation import isolated_cpus
from runner.machine.model import Machine
from runner.machine.numa import read_memory_bytes, read_nodes
from runner.machine.platform import read_platform
from runner.machine.readings import read_readings
from runner.machine.settings import read_settings
from runner.machine.sysroot import Sysroot
from runner.machine.topology import group_cores, listed_cpus, read_cpus


def read_machine(sysroot: Sysroot) -> Machine:
    """Read the host below a root. A field whose file is absent is unknown.

    Raises:
        HostError: a file that should hold a CPU list holds something else.
    """
    limits = read_limits(sysroot)
    online = running_cpus(sysroot, listed_cpus(sysroot), limits.cpuset_cpus)
    nodes = read_nodes(sysroot, online)
    allowed = allowed_cpus(sysroot, online, limits.cpuset_cpus)
    isolated = isolated_cpus(sysroot, allowed, limits.is_unbalanced)
    cpus = read_cpus(sysroot, nodes, online, allowed, isolated)
    mems = allowed_mems(sysroot, frozenset(node.id for node in nodes), limits.cpuset_mems)
    return Machine(
        platform=read_platform(sysroot),
        processor=read_processor(sysroot),
        cpus=cpus,
        nodes=nodes,
        allowed_mems=tuple(sorted(mems)),
        memory_bytes=read_memory_bytes(sysroot),
        limits=limits,
        settings=read_settings(sysroot, online, any(len(core.cpus) > 1 for core in group_cores(cpus))),
        readings=read_readings(sysroot),
    )
