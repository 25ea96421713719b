"""Which cores a pin takes on a host whose cores are of two kinds, or isolated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.errors import HostError, UsageError
from runner.host.pin import choose_pin
from runner.machine import Machine, format_cpu_list, read_machine
from tests.runner.sysroots import (
    CPUS,
    Host,
    TreeRoot,
    compact_cores_by_clock,
    hybrid_laptop,
    isolated,
    partition,
    tree,
    two_fast_four_slow,
)


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


def test_the_default_takes_performance_cores_only() -> None:
    """On a host of 2 performance and 4 efficiency cores the default is the two.

    A list or a larger number goes beyond them.
    """
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
    """The message does not merely say "not allowed". It names taskset, which can start a process there."""
    with pytest.raises(UsageError) as error:
        choose_pin(read(isolated()), cpus=frozenset({3, 4, 5}))
    assert "CPUs 4-5 are isolated (isolcpus=)" in str(error.value)
    assert "taskset --cpu-list 0-5 before the command" in str(error.value)
    assert "not allowed" not in str(error.value)


def test_taskset_is_no_advice_where_the_control_group_lacks_the_cpus() -> None:
    """taskset fails for CPUs that the control group's CPU set lacks."""
    host = isolated()
    files = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpuset.cpus.effective": "0-3"}
    with pytest.raises(UsageError) as error:
        choose_pin(read(replace(host, extra={**host.extra, **files})), cpus=frozenset({4}))
    assert "are isolated" in str(error.value)
    assert "taskset" not in str(error.value)


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
