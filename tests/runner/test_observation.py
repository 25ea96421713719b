"""What a launch is held against: its own pin, also where that is not the run's."""

from __future__ import annotations

from typing import Any

import pytest
from workload import observe

from runner.observation import REPORTED_NAMES, REPORTED_PREFIXES, Context, differences_from_plan, ending
from runner.pin import Pin
from tests.runner.builders import PIN, plan
from tests.runner.fake_engine import make_result

OTHER = Pin(cores=((2,), (3,)), mems=(1,), nodes=1, sockets=1)


def context(**enforced: Any) -> Context:
    """A session whose launches have the pin PIN."""
    return Context(1, "docker", enforced, {}, PIN, "article", "")


def test_a_launch_with_a_pin_of_its_own_is_held_to_its_own_memory_nodes() -> None:
    """An engine that holds launches to memory nodes holds this one to its pin's."""
    own = context(mems="0", network="none").pinned(OTHER)
    assert (own.pin, own.enforced) == (OTHER, {"mems": "1", "network": "none"})
    assert context(mems=None).pinned(OTHER).enforced == {"mems": None}
    same = context(mems="0")
    assert same.pinned(PIN) is same


def test_a_graph_that_was_optimised_against_the_plan_is_a_difference() -> None:
    """What the workload did is compared with what it was asked for."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    before = differences_from_plan(launch, context(), result)
    result["observed"]["graph_optimisation"] = False
    found = [text for text in differences_from_plan(launch, context(), result) if text not in before]
    assert found == ["graph_optimisation False instead of True"]


CONTAINED = {"mems": "0", "memory_limit_bytes": None, "cpu_quota_cpus": None, "network": "none"}


@pytest.mark.parametrize(
    ("field", "value", "difference"),
    [
        ("cpu_quota_cpus", 1.5, "CPU quota (CPUs) 1.5 instead of None"),
        ("memory_limit_bytes", 1 << 30, "memory limit (bytes) 1073741824 instead of None"),
    ],
)
def test_a_limit_that_nobody_planned_is_a_difference(field: str, value: float, difference: str) -> None:
    """A container has its own limits or none; a process shares its host's, which is a condition of the machine."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    result["observed"]["cgroup"][field] = value
    assert difference in differences_from_plan(launch, context(**CONTAINED), result)
    assert difference not in differences_from_plan(launch, context(), result)


def test_a_variable_that_nobody_planned_is_a_difference() -> None:
    """An image or a wrapper may set one that switches kernels off: it must not pass as the plan's."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    result["observed"]["environment"]["TF_DISABLE_MKL"] = "1"
    assert "TF_DISABLE_MKL 1 instead of no value" in differences_from_plan(launch, context(), result)


def test_a_planned_variable_that_did_not_arrive_is_a_difference() -> None:
    """Thread counts and kernels hang on them."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    asked = result["observed"]["environment"].pop("OMP_NUM_THREADS")
    assert f"OMP_NUM_THREADS no value instead of {asked}" in differences_from_plan(launch, context(), result)


def test_openmp_that_takes_another_number_of_threads_is_a_difference() -> None:
    """The runtime's own answer counts, not the variable."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    result["observed"]["omp_max_threads"] = 1
    assert "OpenMP threads 1 instead of 2" in differences_from_plan(launch, context(), result)


def test_host_and_workload_speak_of_the_same_variables() -> None:
    """What the workload reports is what the host expects reported."""
    assert (REPORTED_PREFIXES, REPORTED_NAMES) == (observe.ENVIRONMENT_PREFIXES, observe.ENVIRONMENT_NAMES)


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (1, "exit code 1"),
        (-11, "signal 11 (SIGSEGV)"),
        (-9, "signal 9 (SIGKILL, killed from outside)"),
        (137, "exit code 137 (SIGKILL, killed from outside)"),
        (132, "exit code 132 (SIGILL)"),
        (255, "exit code 255"),
    ],
)
def test_a_signal_is_told_by_its_name(exit_code: int, words: str) -> None:
    """Whether a process or a container's init reports it."""
    assert ending(exit_code) == words
