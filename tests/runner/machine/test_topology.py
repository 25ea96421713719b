"""Cores, sockets and nodes, as different kernels and hosts tell them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import HostError
from runner.machine import Machine, Sysroot, read_machine
from tests.runner.sysroots import (
    CPUS,
    NODES,
    Host,
    amd_with_gaps,
    compact_cores_by_clock,
    container_with_quota,
    ec2_c5_18xlarge,
    hybrid_laptop,
    vm_without_numa,
    write,
)


def cores(machine: Machine) -> list[tuple[int, ...]]:
    """Return the CPUs of each core."""
    return [core.cpus for core in machine.cores]


def test_reads_the_article_host(tmp_path: Path) -> None:
    """The article's host has 2 sockets, 2 nodes and 36 cores whose siblings are 36 apart."""
    machine = read_machine(write(ec2_c5_18xlarge(), tmp_path))
    assert cores(machine) == [(n, n + 36) for n in range(36)]
    assert machine.sockets == (0, 1)
    assert [(node.id, node.cpus[0], node.cpus[-1], len(node.cpus)) for node in machine.nodes] == [
        (0, 0, 53, 36),
        (1, 18, 71, 36),
    ]


def test_reads_neighbouring_siblings_and_gaps_between_nodes(tmp_path: Path) -> None:
    """Siblings 2n and 2n+1 and node numbers with gaps are taken as they are."""
    machine = read_machine(write(amd_with_gaps(), tmp_path))
    assert cores(machine) == [(n, n + 1) for n in range(0, 32, 2)]
    assert [node.id for node in machine.nodes] == [0, 2, 4, 6]
    assert [core.node for core in machine.cores] == [0] * 4 + [2] * 4 + [4] * 4 + [6] * 4
    assert [node.has_memory for node in machine.nodes] == [True, True, True, False]


def test_a_host_without_numa_is_one_node(tmp_path: Path) -> None:
    """A host that says nothing of NUMA has node 0 with every CPU and all memory."""
    machine = read_machine(write(vm_without_numa(), tmp_path))
    assert [(node.id, node.cpus) for node in machine.nodes] == [(0, tuple(range(8)))]
    assert machine.nodes[0].memory_bytes == machine.memory_bytes == 150994944 * 1024
    assert len(machine.sockets) == 8


def test_a_cpuset_can_allow_part_of_a_core(tmp_path: Path) -> None:
    """A core keeps all its online CPUs, and knows which of them are allowed."""
    machine = read_machine(write(container_with_quota(), tmp_path))
    assert [(core.cpus, core.allowed_cpus) for core in machine.cores] == [
        ((0, 4), ()),
        ((1, 5), (1, 5)),
        ((2, 6), (2, 6)),
        ((3, 7), (7,)),
    ]


def test_tells_performance_from_efficiency_cores(tmp_path: Path) -> None:
    """The CPUs of cpu_core and cpu_atom are of different kinds."""
    machine = read_machine(write(hybrid_laptop(), tmp_path))
    assert [core.kind for core in machine.cores] == ["performance"] * 6 + ["efficiency"] * 8


def test_capacity_tells_kinds_apart_where_no_list_does(tmp_path: Path) -> None:
    """Much lower capacity is an efficiency core; a favoured core does not turn the others into such."""
    capacity = dict(zip(range(4), ("1024", "1009", "620", "620"), strict=True))
    files = {f"{CPUS}/cpu{cpu}/cpu_capacity": text for cpu, text in capacity.items()}
    machine = read_machine(write(Host(extra=files), tmp_path))
    assert [core.kind for core in machine.cores] == ["performance"] * 2 + ["efficiency"] * 2


def test_the_highest_clock_tells_kinds_apart_where_nothing_else_does(tmp_path: Path) -> None:
    """Compact cores at two thirds of the clock are efficiency cores; a capacity, where there is one, goes before."""
    machine = read_machine(write(compact_cores_by_clock(), tmp_path / "clock"))
    assert [core.kind for core in machine.cores] == ["performance"] * 4 + ["efficiency"] * 4
    favoured = {f"{CPUS}/cpu{cpu}/cpufreq/cpuinfo_max_freq": str(5_700_000 - 150_000 * cpu) for cpu in range(4)}
    assert {core.kind for core in read_machine(write(Host(extra=favoured), tmp_path / "favoured")).cores} == {None}


def test_equal_capacity_is_no_hybrid_host(tmp_path: Path) -> None:
    files = {f"{CPUS}/cpu{cpu}/cpu_capacity": "1024" for cpu in range(4)}
    assert {core.kind for core in read_machine(write(Host(extra=files), tmp_path)).cores} == {None}


@pytest.mark.parametrize("name", ["thread_siblings_list", "core_cpus_list", "thread_siblings", "core_cpus", None])
@pytest.mark.parametrize("numbering", ["halves", "pairs"])
def test_any_form_of_sibling_list_gives_the_same_cores(tmp_path: Path, name: str | None, numbering: str) -> None:
    """Lists, masks, their newer names and, failing all, core ids within a socket group CPUs alike."""
    host = Host(sockets=2, cores=2, smt=2, nodes=(0, 1), numbering=numbering, siblings_file=name)
    expected = {"halves": [(0, 4), (1, 5), (2, 6), (3, 7)], "pairs": [(0, 1), (2, 3), (4, 5), (6, 7)]}
    assert cores(read_machine(write(host, tmp_path))) == expected[numbering]


def test_core_ids_that_differ_between_siblings_are_ignored(tmp_path: Path) -> None:
    """Siblings share a core whatever their core ids say."""
    machine = read_machine(write(Host(cores=2, smt=2, core_ids="split"), tmp_path))
    assert cores(machine) == [(0, 2), (1, 3)]


def test_a_cpu_without_a_list_joins_no_core_that_has_one(tmp_path: Path) -> None:
    """Where one list is missing, a core id that repeats does not merge two cores that their own lists part."""
    files: dict[str, str | None] = {
        f"{CPUS}/cpu4/topology/thread_siblings_list": None,
        f"{CPUS}/cpu4/topology/core_id": "9",  # cpu1's
    }
    machine = read_machine(write(Host(cores=4, smt=2, extra=files), tmp_path))
    assert cores(machine) == [(0, 4), (1, 5), (2, 6), (3, 7)]


@pytest.mark.parametrize("cpuinfo", [True, False])
def test_an_unknown_core_id_groups_nothing(tmp_path: Path, cpuinfo: bool) -> None:
    """Where the kernel gives -1 for every core_id, /proc/cpuinfo tells the cores. Without it each CPU is a core."""
    files: dict[str, str | None] = {f"{CPUS}/cpu{cpu}/topology/core_id": "-1" for cpu in range(4)}
    files |= {} if cpuinfo else {"proc/cpuinfo": None}
    host = Host(cores=2, smt=2, siblings_file=None, extra=files)
    expected = [(0, 2), (1, 3)] if cpuinfo else [(0,), (1,), (2,), (3,)]
    assert cores(read_machine(write(host, tmp_path))) == expected


def test_without_sysfs_cpuinfo_gives_the_cores(tmp_path: Path) -> None:
    """A tree that holds /proc alone still has sockets and cores."""
    host = Host(sockets=2, cores=2, smt=2, nodes=(0, 1))
    text = write(host, tmp_path / "full").text("proc/cpuinfo")
    assert text
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(text)
    machine = read_machine(Sysroot(tmp_path))
    assert cores(machine) == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert machine.sockets == (0, 1)


def test_offline_cpus_are_listed_but_belong_to_no_core(tmp_path: Path) -> None:
    """An offline CPU has no topology; its sibling keeps the core alone, under its own number."""
    host = Host(cores=2, smt=2, offline=frozenset({0, 3}))
    machine = read_machine(write(host, tmp_path))
    assert cores(machine) == [(1,), (2,)]
    assert [cpu.id for cpu in machine.cpus if not cpu.online] == [0, 3]
    assert {(cpu.core, cpu.socket, cpu.node, cpu.allowed) for cpu in machine.cpus if not cpu.online} == {
        (None, None, None, False)
    }


def test_a_sibling_list_that_names_an_offline_cpu_is_narrowed(tmp_path: Path) -> None:
    files = {f"{CPUS}/cpu1/topology/thread_siblings_list": "1,3"}
    host = Host(cores=2, smt=2, offline=frozenset({3}), extra=files)
    assert cores(read_machine(write(host, tmp_path))) == [(0, 2), (1,)]


def test_a_cpuset_narrows_the_process_mask(tmp_path: Path) -> None:
    """Allowed is what both the process's masks and its control groups allow."""
    files = {"sys/fs/cgroup/cpuset.cpus.effective": "2-9", "sys/fs/cgroup/cpuset.mems.effective": "1"}
    machine = read_machine(write(Host(nodes=(0, 1), allowed=frozenset({0, 2, 3}), extra=files), tmp_path))
    assert machine.allowed_cpus == (2, 3)
    assert machine.allowed_mems == (1,)


def test_offline_is_known_without_the_list_of_online_cpus(tmp_path: Path) -> None:
    """Each CPU's own file tells where the list is missing; CPU 0 has none and runs."""
    host = Host(offline=frozenset({2}), extra={f"{CPUS}/online": None})
    assert read_machine(write(host, tmp_path)).online_cpus == (0, 1, 3)


def test_old_kernels_give_masks_only(tmp_path: Path) -> None:
    """Nodes by cpumap and a status without lists read as the lists would."""
    host = Host(sockets=2, cores=20, nodes=(0, 3), nodes_file="cpumap")
    status = "Cpus_allowed:\t00000081,00000003\nMems_allowed:\t00000000,00000008"
    machine = read_machine(write(replace(host, extra={"proc/self/status": status}), tmp_path))
    assert [(node.id, node.cpus) for node in machine.nodes] == [
        (0, tuple(range(20))),
        (3, tuple(range(20, 40))),
    ]
    assert machine.allowed_cpus == (0, 1, 32, 39)
    assert machine.allowed_mems == (3,)


def test_node_links_stand_in_for_lists_and_masks(tmp_path: Path) -> None:
    """A node that holds only its cpuN links has these CPUs, and a CPU no node lists goes to the first."""
    links = {f"{NODES}/node1/cpu{cpu}/uevent": "" for cpu in (1, 2)}
    host = Host(nodes=(), extra={**links, f"{NODES}/node0/meminfo": "Node 0 MemTotal: 4 kB"})
    assert [node.cpus for node in read_machine(write(host, tmp_path)).nodes] == [(0, 3), (1, 2)]


def test_a_node_outside_has_memory_has_none(tmp_path: Path) -> None:
    """Where a node's meminfo is missing, the list of nodes with memory tells."""
    without = {f"{NODES}/node{node}/meminfo": None for node in (0, 1)}
    host = Host(nodes=(0, 1), extra={**without, f"{NODES}/has_memory": "0"})
    assert [node.memory_bytes for node in read_machine(write(host, tmp_path)).nodes] == [None, 0]


def test_a_package_id_of_minus_one_is_socket_zero(tmp_path: Path) -> None:
    """Firmware that tells no socket leaves one socket."""
    files = {f"{CPUS}/cpu{cpu}/topology/physical_package_id": "-1" for cpu in range(4)}
    assert read_machine(write(Host(extra=files), tmp_path)).sockets == (0,)


def test_a_malformed_list_is_named(tmp_path: Path) -> None:
    host = Host(extra={f"{NODES}/node0/cpulist": "nonsense"})
    with pytest.raises(HostError, match=r"node0/cpulist.*'nonsense'"):
        read_machine(write(host, tmp_path))
