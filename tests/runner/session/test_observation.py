"""What a launch is held against: its own pin, also where that is not the run's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from workload import observe

from runner.catalogue.stacks import find_stack
from runner.checks.conditions import why_not_comparable
from runner.engines.protocol import Artifact, LaunchFolders, Outcome
from runner.host.pin import Pin
from runner.machine.identity import boot_sha256
from runner.session.observation import (
    REPORTED_NAMES,
    REPORTED_PREFIXES,
    Context,
    death,
    differences_from_plan,
    ending,
    other_machine,
    record_of,
)
from runner.storage.records import Record
from tests.runner.builders import PIN, plan
from tests.runner.fake_results import make_result

OTHER = Pin(cores=((2,), (3,)), mems=(1,), nodes=1, sockets=1)


def context(**enforced: Any) -> Context:
    """A session whose launches have the pin PIN."""
    engine = "docker" if "network" in enforced else "venv"
    return Context(1, engine, enforced, {}, PIN, "article", "")


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


def test_memory_nodes_that_nobody_planned_are_a_difference() -> None:
    """Where the engine holds launches to them; a process of venv may use all of its host's."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    result["observed"]["allowed_mems"] = "0-1"
    assert "memory nodes (0, 1) instead of (0,)" in differences_from_plan(launch, context(mems="0"), result)
    assert not [text for text in differences_from_plan(launch, context(mems=None), result) if "memory nodes" in text]


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


HERE = "82b50f69-8d21-4790-9f02-0711856a5629"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("boot_sha256", boot_sha256("11111111-2222-3333-4444-555555555555", "{launch}"), "another boot id"),
        ("boot_sha256", None, "no boot id, which this host's kernel"),
        ("cpu_model", "QEMU Virtual CPU", "CPU model QEMU Virtual CPU instead of AMD EPYC 7R13"),
    ],
)
def test_a_launch_on_another_machine_is_not_as_planned(field: str, value: str | None, words: str) -> None:
    """Its allowed CPUs have this host's numbers, and are not this host's."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    here = dataclasses.replace(context(), boot_id=HERE, machine_conditions={"cpu_model": "AMD EPYC 7R13"})
    result["observed"] |= {"boot_sha256": boot_sha256(HERE, launch.launch_id), "cpu_model": "AMD EPYC  7R13"}
    assert other_machine(launch, here, result["observed"]) == []
    result["observed"][field] = value
    assert [text for text in differences_from_plan(launch, here, result) if text.startswith(words)]


def test_results_that_tell_no_machine_are_of_before(tmp_path: Path) -> None:
    """An image of an earlier run has an earlier workload in it; a host without a boot id cannot tell either."""
    launch = plan().launches[0]
    here = dataclasses.replace(context(), boot_id=HERE, machine_conditions={"cpu_model": "AMD EPYC 7R13"})
    assert other_machine(launch, here, {"cpu_model": None}) == []
    assert other_machine(launch, context(), {"boot_sha256": "ab" * 32, "cpu_model": "any"}) == []


def observed(folder: Path, position: int, **outcome: Any) -> Record:
    """The record of a launch of the plan that went well, as far as the workload knows."""
    launch = plan().launches[position]
    result = make_result(launch, PIN, 1.0)
    folders = LaunchFolders("run", folder / "job", folder, folder / "log.txt")
    (folder / "result.json").write_text(json.dumps(result))
    artifact = Artifact(find_stack("tf-2.14").installations[launch.installation], "/nowhere", {})
    here = Context(1, "venv", {}, {}, PIN, "article", result["workload_sha256"])
    ended = Outcome(0, 10.0, stopped_by_deadline=False, out_of_memory=False, **outcome)
    return record_of(launch, artifact, here, ended, folders, {})


def test_a_launch_that_the_engine_held_to_something_else_is_not_as_planned(tmp_path: Path) -> None:
    """Its limits are kept, and no number is made of it."""
    record = observed(tmp_path, 0, limits={"cap_drop": []}, differences=("cap_drop [] instead of ['ALL']",))
    assert record.error == {
        "kind": "not_as_planned", "message": "observed by the engine: cap_drop [] instead of ['ALL']"
    }  # fmt: skip
    assert record.facts["limits"] == {"cap_drop": []}


def test_records_of_older_versions_may_be_divided_by_new_ones(tmp_path: Path) -> None:
    """They knew nothing of what the engine said, so that it is told and is no condition."""
    found, new = observed(tmp_path, 0), observed(tmp_path, 1, limits={"network_mode": "none"})
    old = dataclasses.replace(found, conditions={**found.conditions, "limits": {}})  # as they wrote it
    assert [record.error for record in (old, new)] == [None, None]
    assert why_not_comparable([old, new]) is None


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
    assert ending(exit_code) == words


@pytest.mark.parametrize(
    ("exit_code", "log", "words"),
    [
        (1, "", "ended with exit code 1 and no result; it printed nothing"),
        (1, "1\n2\n3\n4\n", "ended with exit code 1 and no result; its last lines: 2 / 3 / 4"),
        (-11, "why\n", "ended with signal 11 (SIGSEGV) and no result; its last lines: why"),
        (-9, "a notice\n", "ended with signal 9 (SIGKILL, killed from outside) and no result"),
        (137, "a notice\n", "ended with exit code 137 (SIGKILL, killed from outside) and no result"),
    ],
)
def test_a_death_is_told_with_a_log_that_can_be_its_reason(
    tmp_path: Path, exit_code: int, log: str, words: str
) -> None:
    """Who is killed from outside had no time to say why: the log's end is what every launch logs."""
    (tmp_path / "log.txt").write_text(log)
    assert death(exit_code, tmp_path / "log.txt") == words
