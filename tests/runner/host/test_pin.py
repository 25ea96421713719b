"""Which CPUs and memory nodes a launch gets, on any host that can be drawn; what cannot be had is refused."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import HostError, UsageError
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine, Sysroot, read_machine
from runner.storage.header_json import recorded
from tests.runner.host.drawn_hosts import hosts
from tests.runner.sysroots import (
    Host,
    TreeRoot,
    container_with_quota,
    ec2_c5_18xlarge,
    lxcfs,
    partition,
    tree,
)


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


def usable_cores(host: Host) -> dict[int, int]:
    """Map each core with a usable CPU to its node, worked out from the description alone."""
    return {host.core_of(cpu): host.node_of(cpu) for cpu in host.usable}


def fewest_nodes(host: Host, wanted: int) -> int:
    """Return by trial how few nodes hold so many usable cores."""
    nodes = list(usable_cores(host).values())
    groups = sorted(set(nodes))
    return next(
        count
        for count in range(1, len(groups) + 1)
        if any(sum(map(nodes.count, chosen)) >= wanted for chosen in combinations(groups, count))
    )


@given(hosts())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_default_takes_the_lowest_usable_cpu_of_every_core(host: Host) -> None:
    """Exactly one CPU, the lowest online and allowed, of every core that has any."""
    pin = choose_pin(read(host))
    lowest = {core: min(cpu for cpu in host.usable if host.core_of(cpu) == core) for core in usable_cores(host)}
    assert pin.cpus == tuple(sorted(lowest.values()))
    assert pin.threads == len(pin.cores) == len(lowest)
    assert not pin.has_siblings


@given(hosts(), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_number_of_cores_lies_on_the_fewest_nodes(host: Host, data: st.DataObject) -> None:
    """N cores are N distinct usable cores on as few nodes as any choice could have."""
    wanted = data.draw(st.integers(1, len(usable_cores(host))))
    pin = choose_pin(read(host), cores=wanted)
    assert len(pin.cpus) == pin.threads == len({host.core_of(cpu) for cpu in pin.cpus}) == wanted
    assert set(pin.cpus) <= host.usable
    assert len({host.node_of(cpu) for cpu in pin.cpus}) == pin.nodes == fewest_nodes(host, wanted)
    assert len({host.socket_of(cpu) for cpu in pin.cpus}) == pin.sockets


@given(hosts(), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_headroom_leaves_the_lowest_cores_free(host: Host, data: st.DataObject) -> None:
    """A headroom of N takes N cores away from the default pin, those with the lowest CPUs."""
    headroom = data.draw(st.integers(0, len(usable_cores(host)) - 1))
    machine = read(host)
    reduced = choose_pin(machine, headroom=headroom)
    assert reduced.threads == choose_pin(machine).threads - headroom
    free = {host.core_of(cpu) for cpu in host.usable} - {host.core_of(cpu) for cpu in reduced.cpus}
    assert len(free) == headroom
    first_online = {core: min(c for c in host.online if host.core_of(c) == core) for core in usable_cores(host)}
    assert sorted(first_online[core] for core in free) == sorted(first_online.values())[:headroom]


@given(hosts(), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_explicit_list_is_taken_exactly(host: Host, data: st.DataObject) -> None:
    """The pin holds the CPUs asked for, counts their cores, and knows whether any are siblings."""
    cpus = data.draw(st.frozensets(st.sampled_from(sorted(host.usable)), min_size=1))
    pin = choose_pin(read(host), cpus=cpus)
    cores = {host.core_of(cpu) for cpu in cpus}
    assert set(pin.cpus) == cpus
    assert pin.threads == len(cores)
    assert pin.has_siblings == (len(cpus) > len(cores))


@given(hosts())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_memory_comes_from_allowed_nodes(host: Host) -> None:
    """Memory nodes are never empty, always allowed, and have memory if any allowed node has."""
    allowed = set(host.nodes or (0,)) if host.mems_allowed is None else set(host.mems_allowed)
    mems = set(choose_pin(read(host)).mems)
    assert mems
    assert mems <= allowed
    assert not mems & host.memoryless or allowed <= host.memoryless


@given(hosts(), st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_pins_round_trip(host: Host, everything: bool) -> None:
    pin = choose_pin(read(host), cpus=host.usable if everything else None)
    assert recorded(pin.to_json(), Pin, "a pin") == pin


@given(hosts(), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_number_of_cores_lies_beside_its_memory_where_that_takes_no_more_nodes(
    host: Host, data: st.DataObject
) -> None:
    """Wherever some choice of the fewest nodes has memory we may use on all of them, so has the pin."""
    nodes = list(usable_cores(host).values())
    wanted = data.draw(st.integers(1, len(nodes)))
    allowed = set(host.nodes or (0,)) if host.mems_allowed is None else set(host.mems_allowed)
    near = sorted((nodes.count(node) for node in (allowed - host.memoryless or allowed)), reverse=True)
    pin = choose_pin(read(host), cores=wanted)
    if sum(near[: fewest_nodes(host, wanted)]) >= wanted:
        assert {host.node_of(cpu) for cpu in pin.cpus} == set(pin.mems)


@pytest.mark.parametrize(
    ("host", "cpus"),
    [(partition(), "2-7"), (lxcfs(), "24"), (lxcfs(frozenset({2, 3, 4, 5})), "2-5")],
    ids=["partition", "lxcfs", "lxcfs in part"],
)
def test_odd_masks_have_a_pin(host: Host, cpus: str) -> None:
    """In a partition and behind a virtual list of online CPUs all CPUs of the mask are found."""
    assert choose_pin(read(host)).to_json()["cpus"] == cpus


def test_part_of_a_core_counts_as_that_core() -> None:
    assert choose_pin(read(container_with_quota())).cores == ((1,), (2,), (7,))


def test_siblings_asked_for_share_a_core() -> None:
    pin = choose_pin(read(ec2_c5_18xlarge()), cpus=frozenset({0, 36, 1}))
    assert pin.cores == ((0, 36), (1,))
    assert (pin.threads, pin.to_json()["siblings"], pin.to_json()["cpus"]) == (2, True, "0-1,36")


def test_cpus_that_cannot_be_used_are_named() -> None:
    machine = read(Host(cores=8, offline=frozenset({5}), allowed=frozenset({0, 1, 2, 5})))
    with pytest.raises(UsageError) as error:
        choose_pin(machine, cpus=frozenset({1, 3, 4, 5, 9, 10}))
    assert "CPUs 9-10 do not exist" in str(error.value)
    assert "CPUs 5 are offline" in str(error.value)
    assert "CPUs 3-4 are not allowed" in str(error.value)
    assert "may use, 0-2." in str(error.value)


@pytest.mark.parametrize(
    ("cpus", "cores", "headroom", "message"),
    [
        (None, 0, 0, "0 cores were requested, and 4"),
        (None, 5, 0, "5 cores were requested, and 4"),
        (None, 4, 1, "4 cores were requested, and 3"),
        (None, None, 4, "headroom of 4 cores"),
        (None, None, -1, "headroom of -1 cores"),
        (frozenset(), None, 0, "the list is empty"),
        (frozenset({0}), 1, 0, "together with"),
        (frozenset({0}), None, 1, "together with"),
    ],
)
def test_what_cannot_be_had_is_a_usage_error(
    cpus: frozenset[int] | None, cores: int | None, headroom: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        choose_pin(read(Host()), cpus=cpus, cores=cores, headroom=headroom)


def test_a_host_without_usable_cpus_is_a_host_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"online \(none\).*CPU set"):
        choose_pin(read_machine(Sysroot(tmp_path)))
