"""What is said of a pin on its host, before a run and in its report."""

from __future__ import annotations

import re

import pytest

from runner.host.notes import notes_on, remarks_on, warnings_on
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
    """Cores of one kind, none isolated, no memory.high."""
    assert notes(host) == ([], [])


def test_isolated_cpus_that_are_left_out_are_a_remark() -> None:
    """Whoever isolated them expects to see them used, or not to."""
    warned, (remark,) = notes(isolated(None))
    assert warned == []
    assert remark.startswith("The CPUs 4-7 are isolated and not in the pin. The scheduler moves no thread")


@pytest.mark.parametrize("cpus", [frozenset({4, 5, 6}), frozenset({0, 1, 4})])
def test_isolated_cpus_that_were_named_are_a_warning(cpus: frozenset[int]) -> None:
    """One of them among others is enough; the warning says by how much a speedup can be wrong."""
    (warning,), remarks = notes(isolated(None), cpus)
    assert re.match(r"The CPUs 4(-6)? of the pin are isolated", warning)
    assert warning.endswith("can be as many times too large as the pin has CPUs (3).")
    assert remarks == []


def test_one_isolated_cpu_alone_is_no_warning() -> None:
    """All threads are on it whatever the scheduler does."""
    assert notes(isolated(None), frozenset({4})) == ([], [])


def test_efficiency_cores_that_are_left_out_are_a_remark_that_says_why() -> None:
    """2P+4E by default."""
    warned, (remark,) = notes(two_fast_four_slow())
    assert warned == []
    assert "performance cores only; 4 efficiency cores (CPUs 2-5) are left out" in remark
    assert "OpenMP gives each thread an equal share of the work and waits for the slowest core" in remark


@pytest.mark.parametrize(("cpus", "cores", "slow"), [(frozenset(range(6)), None, "2-5"), (None, 4, "2-3")])
def test_mixed_cores_are_a_warning_however_they_were_asked_for(
    cpus: frozenset[int] | None, cores: int | None, slow: str
) -> None:
    """A list, or more cores than are fast: it says how many are."""
    (warning,), remarks = notes(two_fast_four_slow(), cpus, cores)
    assert "2 performance cores (CPUs 0-1)" in warning
    assert f"(CPUs {slow})" in warning
    assert "--cores 2" in warning
    assert remarks == []


def test_efficiency_cores_alone_are_cores_of_one_kind() -> None:
    """A list of them is nobody's disadvantage."""
    assert notes(two_fast_four_slow(), frozenset({2, 3})) == ([], [])


def test_memory_high_below_the_hard_limit_is_a_warning() -> None:
    """It lets nothing fail."""
    (warning,), _ = notes(throttled())
    assert warning.startswith("memory.high is 4.0 GiB")
    assert notes(throttled(8 * GIB, 8 * GIB)) == ([], [])
