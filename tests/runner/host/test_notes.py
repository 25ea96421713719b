"""What is said of a pin on its host, before a run and in its report."""

from __future__ import annotations

import pytest

from runner.host.notes import WHY_ISOLATED, WHY_ONE_KIND, WHY_THROTTLED, notes_on, remarks_on, warnings_on
from runner.host.pin import choose_pin
from runner.machine import Machine, read_machine
from tests.runner.sysroots import (
    GIB,
    Host,
    TreeRoot,
    ec2_c5_18xlarge,
    isolated,
    partition,
    throttled,
    tree,
    two_fast_four_slow,
)
from tests.runner.told import tells


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


def notes(host: Host, cpus: frozenset[int] | None = None, cores: int | None = None) -> tuple[list[str], list[str]]:
    """The warnings and the remarks on a pin."""
    machine = read(host)
    pin = choose_pin(machine, cpus=cpus, cores=cores)
    assert notes_on(machine, pin) == (*warnings_on(machine, pin), *remarks_on(machine, pin))
    return list(warnings_on(machine, pin)), list(remarks_on(machine, pin))


@pytest.mark.parametrize("host", [Host(), ec2_c5_18xlarge(), partition()], ids=["plain", "c5", "partition"])
def test_an_even_host_has_nothing_to_be_said_of(host: Host) -> None:
    """Its cores are of one kind, none is isolated, and memory.high is not set."""
    assert notes(host) == ([], [])


def test_isolated_cpus_that_are_left_out_are_a_remark() -> None:
    """A user who isolated them expects to be told that they are not used."""
    warned, (remark,) = notes(isolated(None))
    assert warned == []
    assert tells(remark, "CPUs 4-7", "isolated", WHY_ISOLATED)


@pytest.mark.parametrize(("cpus", "named"), [(frozenset({4, 5, 6}), "4-6"), (frozenset({0, 1, 4}), "4")])
def test_isolated_cpus_that_were_named_are_a_warning(cpus: frozenset[int], named: str) -> None:
    """One isolated CPU among others is enough. The warning says by how much a speedup can be wrong."""
    (warning,), remarks = notes(isolated(None), cpus)
    assert tells(warning, f"CPUs {named}", "isolated", WHY_ISOLATED, "3")
    assert remarks == []


def test_one_isolated_cpu_alone_is_no_warning() -> None:
    """All threads are on this CPU whatever the scheduler does."""
    assert notes(isolated(None), frozenset({4})) == ([], [])


def test_efficiency_cores_that_are_left_out_are_a_remark_that_says_why() -> None:
    """The default pin of this host takes its two performance cores."""
    warned, (remark,) = notes(two_fast_four_slow())
    assert warned == []
    assert tells(remark, "4 efficiency cores", "CPUs 2-5", "--cpus", "--cores", WHY_ONE_KIND)


@pytest.mark.parametrize(("cpus", "cores", "slow"), [(frozenset(range(6)), None, "2-5"), (None, 4, "2-3")])
def test_mixed_cores_are_a_warning_however_they_were_asked_for(
    cpus: frozenset[int] | None, cores: int | None, slow: str
) -> None:
    """The pin is a list, or has more cores than are fast. The warning tells how many performance cores there are."""
    (warning,), remarks = notes(two_fast_four_slow(), cpus, cores)
    assert tells(warning, "2 performance cores", "CPUs 0-1", f"CPUs {slow}", WHY_ONE_KIND, "--cores 2")
    assert remarks == []


def test_efficiency_cores_alone_are_cores_of_one_kind() -> None:
    """A list of efficiency cores slows neither side more than the other."""
    assert notes(two_fast_four_slow(), frozenset({2, 3})) == ([], [])


def test_memory_high_below_the_hard_limit_is_a_warning() -> None:
    """Above memory.high a launch runs slower and does not fail."""
    (warning,), _ = notes(throttled())
    assert tells(warning, "memory.high", "4.0 GiB", WHY_THROTTLED)
    assert notes(throttled(8 * GIB, 8 * GIB)) == ([], [])
