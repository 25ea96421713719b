"""Reads the logical CPUs, and the physical cores and sockets that they belong to, from sysfs.

The kernel's list of thread siblings says which CPUs share a core. A core_id is unique only within a socket and can
differ between siblings. It is not the number of a CPU, and is used for grouping only where there is no such list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runner.machine.cpuinfo import Block, block_number, cpuinfo_blocks
from runner.machine.cpulist import format_cpu_list
from runner.machine.hybrid import PERFORMANCE, read_kinds
from runner.machine.numa import Node
from runner.machine.sysroot import CPUS, Sysroot


@dataclass(frozen=True)
class LogicalCpu:
    """One logical CPU. `core` is the number of its core, which is the number of the core's lowest online CPU.

    `siblings` are the online CPUs of its core, itself included. An offline CPU has no socket, core, node or siblings.
    `kind` is None on a host whose cores are alike. `isolated` means that the scheduler moves no thread to or from it.
    """

    id: int
    online: bool
    allowed: bool
    socket: int | None
    core: int | None
    node: int | None
    siblings: tuple[int, ...]
    kind: str | None
    isolated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict, siblings as the kernel writes them."""
        return {**asdict(self), "siblings": format_cpu_list(self.siblings)}


@dataclass(frozen=True)
class Core:
    """One physical core: the number of its lowest CPU, its online CPUs, the CPUs that may be used, and its place.

    `balanced_cpus` are the CPUs that may be used and are not isolated.
    """

    number: int
    cpus: tuple[int, ...]
    allowed_cpus: tuple[int, ...]
    balanced_cpus: tuple[int, ...]
    socket: int
    node: int
    kind: str | None

    @property
    def is_fast(self) -> bool:
        """Whether it is not an efficiency core of a hybrid processor."""
        return self.kind in (None, PERFORMANCE)


def cpu_numbers(sysroot: Sysroot) -> frozenset[int]:
    """Return every logical CPU that the host lists, online or not."""
    listed = frozenset(sysroot.numbered(CPUS, "cpu")) | (sysroot.cpu_list(f"{CPUS}/online") or frozenset())
    return listed or frozenset(_blocks_by_cpu(sysroot))


def listed_cpus(sysroot: Sysroot) -> frozenset[int]:
    """Return the CPUs listed as online. CPU 0 often has no ``online`` file, because it cannot be switched off."""
    online = sysroot.cpu_list(f"{CPUS}/online")
    if online:
        return online
    return frozenset(n for n in cpu_numbers(sysroot) if sysroot.text(f"{CPUS}/cpu{n}/online") != "0")


def read_cpus(
    sysroot: Sysroot,
    nodes: Iterable[Node],
    online: frozenset[int],
    allowed: frozenset[int],
    isolated: frozenset[int] = frozenset(),
) -> tuple[LogicalCpu, ...]:
    """Return every logical CPU by number. `online` are the CPUs that run."""
    blocks = _blocks_by_cpu(sysroot)
    if not online <= set(blocks):  # /proc/cpuinfo is from lxcfs, which numbers CPUs from 0: these are other numbers
        blocks = {}
    sockets = {cpu: _socket(sysroot, cpu, blocks) for cpu in online}
    cores = _cores(sysroot, online, sockets, blocks)
    node_of = {cpu: node.id for node in nodes for cpu in node.cpus}
    kinds = read_kinds(sysroot, online)
    members: dict[int | None, list[int]] = {}
    for cpu in sorted(cores):
        members.setdefault(cores[cpu], []).append(cpu)
    return tuple(
        LogicalCpu(
            id=cpu,
            online=cpu in online,
            allowed=cpu in online & allowed,
            socket=sockets.get(cpu),
            core=cores.get(cpu),
            node=node_of.get(cpu) if cpu in online else None,
            siblings=tuple(members.get(cores.get(cpu), ())),
            kind=kinds.get(cpu),
            isolated=cpu in isolated,
        )
        for cpu in sorted(cpu_numbers(sysroot) | online)
    )


def group_cores(cpus: Iterable[LogicalCpu]) -> tuple[Core, ...]:
    """Return the physical cores of the online CPUs, by number."""
    members: dict[int, list[LogicalCpu]] = {}
    for cpu in cpus:
        if cpu.core is not None:
            members.setdefault(cpu.core, []).append(cpu)
    return tuple(_core(number, members[number]) for number in sorted(members))


def _core(number: int, members: list[LogicalCpu]) -> Core:
    first = members[0]
    return Core(
        number=number,
        cpus=tuple(cpu.id for cpu in members),
        allowed_cpus=tuple(cpu.id for cpu in members if cpu.allowed),
        balanced_cpus=tuple(cpu.id for cpu in members if cpu.allowed and not cpu.isolated),
        socket=first.socket or 0,
        node=first.node or 0,
        kind=first.kind,
    )


def _blocks_by_cpu(sysroot: Sysroot) -> dict[int, Block]:
    numbered = ((block_number(block, "processor"), block) for block in cpuinfo_blocks(sysroot))
    return {number: block for number, block in numbered if number is not None}


def _socket(sysroot: Sysroot, cpu: int, blocks: Mapping[int, Block]) -> int:
    number = sysroot.integer(f"{CPUS}/cpu{cpu}/topology/physical_package_id")
    if number is None:
        number = block_number(blocks.get(cpu, {}), "physical id")
    return max(number or 0, 0)  # it is -1 where the firmware does not report it


def _cores(
    sysroot: Sysroot, online: frozenset[int], sockets: Mapping[int, int], blocks: Mapping[int, Block]
) -> dict[int, int]:
    """Map each online CPU to the lowest CPU of its core."""
    core = {cpu: cpu for cpu in online}
    listed = {cpu: _listed_siblings(sysroot, cpu) for cpu in sorted(online)}
    # A CPU with a list of siblings is grouped by that list alone, because its core_id can be that of another core.
    unlisted = frozenset(cpu for cpu, siblings in listed.items() if siblings is None)
    by_id = _siblings_by_core_id(sysroot, unlisted, sockets, blocks)
    for cpu, siblings in listed.items():
        together = {core[n] for n in (by_id[cpu] if siblings is None else siblings & online) | {cpu}}
        if len(together) > 1:
            core.update({n: min(together) for n in online if core[n] in together})
    return core


def _listed_siblings(sysroot: Sysroot, cpu: int) -> frozenset[int] | None:
    folder = f"{CPUS}/cpu{cpu}/topology"
    lists = (sysroot.cpu_list(f"{folder}/{name}") for name in ("thread_siblings_list", "core_cpus_list"))
    masks = (sysroot.cpu_mask(f"{folder}/{name}") for name in ("thread_siblings", "core_cpus"))
    return next((found for source in (lists, masks) for found in source if found), None)


def _siblings_by_core_id(
    sysroot: Sysroot, cpus: frozenset[int], sockets: Mapping[int, int], blocks: Mapping[int, Block]
) -> dict[int, frozenset[int]]:
    places: dict[tuple[int, int | None, int], set[int]] = {}
    for cpu in cpus:
        core_id = _core_id(sysroot, cpu, blocks)
        die = sysroot.integer(f"{CPUS}/cpu{cpu}/topology/die_id")
        places.setdefault((sockets[cpu], die, -1 - cpu if core_id is None else core_id), set()).add(cpu)
    return {cpu: frozenset(members) for members in places.values() for cpu in members}


def _core_id(sysroot: Sysroot, cpu: int, blocks: Mapping[int, Block]) -> int | None:
    found = sysroot.integer(f"{CPUS}/cpu{cpu}/topology/core_id")
    if found is None or found < 0:  # a kernel that does not know the cores gives -1 for every CPU
        found = block_number(blocks.get(cpu, {}), "core id")
    return found
