"""On which nodes and sockets a pin lies, and where its memory comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.host.pin import choose_pin
from runner.machine import Machine, read_machine
from tests.runner.sysroots import (
    Host,
    TreeRoot,
    amd_with_gaps,
    ec2_c5_18xlarge,
    tree,
    vm_without_numa,
)


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


def test_the_article_host_uses_36_cores_of_both_sockets() -> None:
    """The default pin on a c5.18xlarge is CPUs 0-35 with memory of both nodes."""
    assert choose_pin(read(ec2_c5_18xlarge())).to_json() == {
        "cpus": "0-35",
        "mems": "0-1",
        "threads": 36,
        "cores": 36,
        "nodes": 2,
        "sockets": 2,
        "siblings": False,
        "cpus_by_core": [str(cpu) for cpu in range(36)],
    }


@pytest.mark.parametrize(
    ("cores", "headroom", "cpus", "mems"),
    [
        (18, 0, "0-17", "0"),
        (18, 1, "18-35", "1"),
        (17, 1, "1-17", "0"),
        (20, 0, "0-19", "0-1"),
        (35, 1, "1-35", "0-1"),
    ],
)
def test_the_article_host_keeps_to_a_socket_that_fits(cores: int, headroom: int, cpus: str, mems: str) -> None:
    """Cores come from the lowest socket that holds them all, after headroom has been left there."""
    pin = choose_pin(read(ec2_c5_18xlarge()), cores=cores, headroom=headroom).to_json()
    assert (pin["cpus"], pin["mems"]) == (cpus, mems)


def test_two_nodes_are_taken_from_one_socket() -> None:
    """With half of node 0 taken away, two whole nodes of the other socket beat nodes of two sockets."""
    host = Host(sockets=2, cores=8, nodes=(0, 1, 2, 3), allowed=frozenset(range(3, 16)))
    pin = choose_pin(read(host), cores=8)
    assert pin.cpus == tuple(range(8, 16))
    assert (pin.nodes, pin.sockets) == (2, 1)


def test_a_socket_that_memory_may_not_be_taken_from_is_not_preferred() -> None:
    """With node 1's memory alone, 18 cores are the second socket's, and more are these and some of the first."""
    machine = read(replace(ec2_c5_18xlarge(), mems_allowed=frozenset({1})))
    assert choose_pin(machine, cores=18).cpus == tuple(range(18, 36))
    assert choose_pin(machine, cores=19).cpus == (0, *range(18, 36))
    without = read(replace(amd_with_gaps(), memoryless=frozenset({0})))
    assert choose_pin(without, cores=4).to_json()["mems"] == "2"
    assert choose_pin(without, cores=8).to_json()["mems"] == "4,6"


def test_sockets_with_more_nodes_to_take_are_opened_first() -> None:
    """Where one socket has lost a node, four nodes are the two of each of the other sockets."""
    allowed = frozenset({0, 1, *range(4, 12)})
    pin = choose_pin(read(Host(sockets=3, cores=4, nodes=(0, 1, 2, 3, 4, 5), allowed=allowed)), cores=8)
    assert pin.cpus == tuple(range(4, 12))
    assert (pin.nodes, pin.sockets) == (4, 2)


def test_a_hidden_node_layout_still_keeps_to_one_socket() -> None:
    """Without NUMA information, cores are taken from one socket where one holds them."""
    host = Host(sockets=2, cores=4, nodes=(), allowed=frozenset(range(1, 8)))
    assert choose_pin(read(host), cores=4).cpus == (4, 5, 6, 7)


def test_many_sockets_of_one_core_are_no_obstacle() -> None:
    """A virtual machine of 200 single-core sockets gets its pin at once."""
    assert choose_pin(read(Host(sockets=200, cores=1, nodes=())), cores=150).cpus == tuple(range(150))


def test_a_node_without_memory_takes_it_from_all_allowed_nodes() -> None:
    """CPUs of a node without memory get every allowed node that has some."""
    machine = read(amd_with_gaps())
    assert choose_pin(machine, cpus=frozenset({0, 2})).mems == (0,)
    assert choose_pin(machine, cpus=frozenset({24, 26})).mems == (0, 2, 4)


def test_a_virtual_machine_without_nodes_gets_node_zero() -> None:
    assert choose_pin(read(vm_without_numa())).mems == (0,)
