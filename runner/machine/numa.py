"""The memory nodes of a host: their CPUs and their memory.

The numbers of nodes may have gaps, and a node may have no CPUs or no memory. This module does not decide which nodes a
launch gets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from runner.machine.cpulist import format_cpu_list
from runner.machine.sysroot import Sysroot

NODES = "sys/devices/system/node"


@dataclass(frozen=True)
class Node:
    """One memory node. `memory_bytes` is None where the kernel does not report it, 0 for a node without memory."""

    id: int
    cpus: tuple[int, ...]
    memory_bytes: int | None

    @property
    def has_memory(self) -> bool:
        """Whether the node has memory; true also if that is not known."""
        return self.memory_bytes != 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict, CPUs as the kernel writes them."""
        return {"id": self.id, "cpus": format_cpu_list(self.cpus), "memory_bytes": self.memory_bytes}


def read_memory_bytes(sysroot: Sysroot) -> int | None:
    """Return the host's total memory in bytes; None if it is not known."""
    return kibibytes(sysroot.text("proc/meminfo"), "MemTotal")


def kibibytes(meminfo: str | None, name: str) -> int | None:
    """Return an entry of /proc/meminfo or of a node's meminfo in bytes. The files give KiB and write kB."""
    match = re.search(rf"^(?:Node +[0-9]+ +)?{re.escape(name)}: +([0-9]+) kB", meminfo or "", re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def read_nodes(sysroot: Sysroot, cpus: frozenset[int]) -> tuple[Node, ...]:
    """Return the nodes of these CPUs by number. A host without information on NUMA has one node, number 0.

    A CPU that no node lists is assigned to the first node; some kernels list only part of the CPUs.
    """
    numbers = sysroot.numbered(NODES, "node")
    if not numbers:
        return (Node(0, tuple(sorted(cpus)), read_memory_bytes(sysroot)),)
    members = {number: _node_cpus(sysroot, number) & cpus for number in numbers}
    members[numbers[0]] |= cpus - frozenset().union(*members.values())
    return tuple(Node(n, tuple(sorted(members[n])), _node_memory(sysroot, n)) for n in numbers)


def _node_cpus(sysroot: Sysroot, number: int) -> frozenset[int]:
    folder = f"{NODES}/node{number}"
    listed = sysroot.cpu_list(f"{folder}/cpulist")
    if listed is None:  # old kernels have only the mask
        listed = sysroot.cpu_mask(f"{folder}/cpumap")
    return frozenset(sysroot.numbered(folder, "cpu")) if listed is None else listed


def _node_memory(sysroot: Sysroot, number: int) -> int | None:
    found = kibibytes(sysroot.text(f"{NODES}/node{number}/meminfo"), "MemTotal")
    with_memory = sysroot.cpu_list(f"{NODES}/has_memory")
    return 0 if found is None and with_memory and number not in with_memory else found
