"""Which CPUs and memory nodes a launch gets."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runner.errors import HostError, UsageError
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine, Sysroot, format_cpu_list, read_machine
from runner.storage.header_json import recorded
from tests.runner.sysroots import (
    CPUS,
    Host,
    TreeRoot,
    amd_with_gaps,
    compact_cores_by_clock,
    container_with_quota,
    ec2_c5_18xlarge,
    hybrid_laptop,
    isolated,
    lxcfs,
    partition,
    tree,
    two_fast_four_slow,
    vm_without_numa,
)


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """Draw hosts of up to 4 sockets with at least one usable CPU."""
    sockets, cores = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    smt = draw(st.sampled_from([1, 2, 4]))
    cpus = st.frozensets(st.integers(0, sockets * cores * smt - 1))
    nodes = draw(st.lists(st.integers(0, 9), unique=True, max_size=sockets * cores).map(sorted))
    host = Host(
        sockets=sockets,
        cores=cores,
        smt=smt,
        numbering=draw(st.sampled_from(["halves", "pairs"])),
        core_ids=draw(st.sampled_from(["repeated", "split"])),
        siblings_file=draw(st.sampled_from(["thread_siblings_list", "core_cpus_list", "thread_siblings"])),
        nodes=tuple(nodes),
        nodes_file=draw(st.sampled_from(["cpulist", "cpumap"])),
        memoryless=frozenset(draw(st.sets(st.sampled_from(nodes)))) if nodes else frozenset(),
        mems_allowed=draw(st.none() | st.frozensets(st.sampled_from(nodes), min_size=1)) if nodes else None,
        offline=draw(st.just(frozenset[int]()) | cpus),
        allowed=draw(st.none() | cpus),
    )
    assume(host.usable)
    return host


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
    """A pin survives being written to JSON and read again."""
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
    assert choose_pin(without, cores=4).mem_list == "2"
    assert choose_pin(without, cores=8).mem_list == "4,6"


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


def test_the_default_takes_performance_cores_only() -> None:
    """2P+4E: the two; a list and a larger number of cores go beyond, and what there is without any is taken whole."""
    machine = read(two_fast_four_slow())
    assert choose_pin(machine).cpus == (0, 1)
    assert choose_pin(machine, cpus=frozenset(range(6))).cpus == tuple(range(6))
    assert choose_pin(machine, cores=1).cpus == (0,)
    assert choose_pin(machine, cores=4).cpus == (0, 1, 2, 3)
    assert choose_pin(read(replace(two_fast_four_slow(), allowed=frozenset({3, 4, 5})))).cpus == (3, 4, 5)


@pytest.mark.parametrize("headroom", range(2, 6))
def test_headroom_is_left_among_the_performance_cores(headroom: int) -> None:
    """It takes away from the default pin; as many as there are, or more, leave nothing to measure on."""
    machine = read(two_fast_four_slow())
    assert choose_pin(machine, headroom=0).cpus == (0, 1)
    assert choose_pin(machine, headroom=1).cpus == (1,)
    with pytest.raises(UsageError, match="2 performance cores may be used"):
        choose_pin(machine, headroom=headroom)
    assert choose_pin(machine, cores=1, headroom=headroom).cpus == (headroom,)


def test_a_capacity_or_a_clock_tells_what_the_default_takes() -> None:
    """Where no list tells performance from efficiency cores, the default is the faster ones all the same."""
    assert choose_pin(read(compact_cores_by_clock())).cpus == (0, 1, 2, 3)
    capacity = {f"{CPUS}/cpu{cpu}/cpu_capacity": "1024" if cpu > 1 else "620" for cpu in range(4)}
    assert choose_pin(read(Host(extra=capacity))).cpus == (2, 3)


def test_the_default_takes_no_isolated_cpu() -> None:
    """Nor does a number of cores, though the mask has them; a list is what asks for them by name."""
    machine = read(isolated(allowed=None))
    assert choose_pin(machine).cpus == choose_pin(machine, cores=4).cpus == (0, 1, 2, 3)
    with pytest.raises(UsageError, match=r"4 physical cores may be used.*CPUs 4-7 are isolated and do not count"):
        choose_pin(machine, cores=5)
    assert choose_pin(machine, cpus=frozenset({4, 5})).cpus == (4, 5)


def test_a_core_with_one_isolated_sibling_gives_the_other() -> None:
    """The lowest CPU of core 0 is isolated, its sibling is not."""
    host = Host(cores=2, smt=2, extra={f"{CPUS}/isolated": "0"})
    assert choose_pin(read(host)).cores == ((2,), (1,))


@pytest.mark.parametrize(
    "host", [isolated(allowed=frozenset(range(4, 8))), partition("isolated")], ids=["boot", "group"]
)
def test_where_every_cpu_is_isolated_a_pin_is_refused_unless_it_is_named(host: Host) -> None:
    """The refusal says why and what to do, the list to name among it; named, it goes ahead."""
    machine = read(host)
    with pytest.raises(HostError, match="moves no thread between isolated CPUs") as error:
        choose_pin(machine)
    assert f"--cpus {format_cpu_list(machine.allowed_cpus)}." in str(error.value)
    with pytest.raises(HostError, match="isolated"):
        choose_pin(machine, cores=1)
    assert choose_pin(machine, cpus=frozenset(machine.allowed_cpus)).threads == len(machine.allowed_cpus)


def test_isolated_cpus_outside_of_the_mask_are_said_to_be_that() -> None:
    """Not merely "not allowed": nothing is started there by itself, and taskset is what starts it."""
    with pytest.raises(UsageError) as error:
        choose_pin(read(isolated()), cpus=frozenset({3, 4, 5}))
    assert "CPUs 4-5 are isolated (isolcpus=)" in str(error.value)
    assert "taskset --cpu-list 0-5 before the command" in str(error.value)
    assert "not allowed" not in str(error.value)


def test_taskset_is_no_advice_where_the_control_group_lacks_the_cpus() -> None:
    """A CPU set without them makes taskset fail."""
    host = isolated()
    files = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpuset.cpus.effective": "0-3"}
    with pytest.raises(UsageError) as error:
        choose_pin(read(replace(host, extra={**host.extra, **files})), cpus=frozenset({4}))
    assert "are isolated" in str(error.value)
    assert "taskset" not in str(error.value)


@pytest.mark.parametrize(
    ("host", "cpus"),
    [(partition(), "2-7"), (lxcfs(), "24"), (lxcfs(frozenset({2, 3, 4, 5})), "2-5")],
    ids=["partition", "lxcfs", "lxcfs in part"],
)
def test_odd_masks_have_a_pin(host: Host, cpus: str) -> None:
    """In a partition and behind a virtual list of online CPUs all CPUs of the mask are found."""
    assert choose_pin(read(host)).cpu_list == cpus


def test_performance_cores_come_first() -> None:
    """A hybrid host gives efficiency cores only when its performance cores do not suffice."""
    machine = read(hybrid_laptop())
    assert choose_pin(machine, cores=6).cpus == tuple(range(6))
    assert choose_pin(machine, cores=8).cpus == tuple(range(8))
    assert choose_pin(machine, cores=4, headroom=1).cpus == (1, 2, 3, 4)


def test_performance_cores_come_first_wherever_they_are_numbered() -> None:
    """Efficiency cores with the lowest numbers are still the last to be taken."""
    kinds = {"sys/devices/cpu_core/cpus": "4-7", "sys/devices/cpu_atom/cpus": "0-3"}
    machine = read(Host(cores=8, extra=kinds))
    assert choose_pin(machine, cores=3).cpus == (4, 5, 6)
    assert choose_pin(machine, cores=5).cpus == (0, 4, 5, 6, 7)
    two_nodes = read(Host(cores=8, nodes=(0, 1), extra=kinds))
    assert choose_pin(two_nodes, cores=3).cpus == (4, 5, 6)


def test_a_node_without_memory_takes_it_from_all_allowed_nodes() -> None:
    """CPUs of a node without memory get every allowed node that has some."""
    machine = read(amd_with_gaps())
    assert choose_pin(machine, cpus=frozenset({0, 2})).mems == (0,)
    assert choose_pin(machine, cpus=frozenset({24, 26})).mems == (0, 2, 4)


def test_part_of_a_core_counts_as_that_core() -> None:
    """In a container with parts of three cores, each gives its lowest allowed CPU."""
    assert choose_pin(read(container_with_quota())).cores == ((1,), (2,), (7,))


def test_siblings_asked_for_share_a_core() -> None:
    """Both threads of a core are one core and one thread to compute with."""
    pin = choose_pin(read(ec2_c5_18xlarge()), cpus=frozenset({0, 36, 1}))
    assert pin.cores == ((0, 36), (1,))
    assert (pin.threads, pin.to_json()["siblings"], pin.cpu_list) == (2, True, "0-1,36")


def test_a_virtual_machine_without_nodes_gets_node_zero() -> None:
    """Without NUMA information memory comes from node 0."""
    assert choose_pin(read(vm_without_numa())).mems == (0,)


def test_cpus_that_cannot_be_used_are_named() -> None:
    """An error names the CPUs that are absent, offline or not allowed, and those that can be used."""
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
    """Counts out of range and options that contradict each other are refused with the figures."""
    with pytest.raises(UsageError, match=message):
        choose_pin(read(Host()), cpus=cpus, cores=cores, headroom=headroom)


def test_a_host_without_usable_cpus_is_a_host_error(tmp_path: Path) -> None:
    """A tree without processors cannot be planned for, and the error says what to look at."""
    with pytest.raises(HostError, match=r"online \(none\).*CPU set"):
        choose_pin(read_machine(Sysroot(tmp_path)))
