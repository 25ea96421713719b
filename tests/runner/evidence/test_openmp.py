"""What Intel's OpenMP runtime prints: binding, settings, and what it ignores; of 2018, 2020 and 2023."""

from __future__ import annotations

import pytest

from runner.evidence.openmp import Bound, parse_openmp
from tests.runner.evidence.captured import BASELINES, INTELS, captured


@pytest.mark.parametrize("name", INTELS)
def test_settings_in_effect_are_read(name: str) -> None:
    found = parse_openmp(captured(name).log)
    assert found.user["KMP_BLOCKTIME"] == "1"
    assert found.user["OMP_NUM_THREADS"] == "2"
    assert (found.effective["KMP_BLOCKTIME"], found.effective["OMP_NUM_THREADS"]) == ("1", "2")
    assert found.effective["OMP_PROC_BIND"] == "intel"
    assert "granularity=fine" in found.effective["KMP_AFFINITY"]
    assert len(found.effective) > 30


@pytest.mark.parametrize("name", INTELS)
def test_what_the_runtime_ignores_is_read_with_its_reason(name: str) -> None:
    """KMP_AFFINITY overrides OMP_PROC_BIND, and the runtime says so."""
    assert parse_openmp(captured(name).log).ignored == {
        "OMP_PROC_BIND": "ignored because KMP_AFFINITY has been defined"
    }


@pytest.mark.parametrize("name", INTELS)
def test_bound_threads_are_read(name: str) -> None:
    """Threads 0 and 1 are bound to one CPU each, and the CPUs that the process was given are respected."""
    found = parse_openmp(captured(name).log)
    assert [(bound.thread, bound.cpus) for bound in found.bound][:2] == [(0, "0"), (1, "1")]
    assert (found.initial_cpus, found.respected, found.cannot_bind) == ("0,1", True, False)


@pytest.mark.parametrize("name", BASELINES)
def test_a_log_without_openmp_gives_nothing(name: str) -> None:
    found = parse_openmp(captured(name).log)
    assert (found.bound, dict(found.effective), dict(found.ignored)) == ((), {}, {})


def test_the_main_thread_that_only_asked_does_not_compute() -> None:
    """In 2.14 the main thread is bound when the workload asks for the number of threads, and is alone."""
    found = parse_openmp(captured("tf-2.14-intel").log)
    assert len(found.bound) == 3
    assert [bound.thread for bound in found.computing] == [0, 1]


def test_a_main_thread_with_a_team_computes() -> None:
    """A runtime of 2018 prints the starting thread's id for all of a team: the team counts."""
    log = "".join(
        f"OMP: Info #250: KMP_AFFINITY: pid 7 tid 7 thread {thread} bound to OS proc set {{{thread}}}\n"
        for thread in (0, 1)
    )
    assert parse_openmp(log).computing == (Bound(7, 7, 0, "0"), Bound(7, 7, 1, "1"))


def test_a_runtime_that_does_not_respect_the_cpuset_says_so() -> None:
    """The log was made with KMP_AFFINITY=norespect."""
    found = parse_openmp(captured("tf-2.14-intel-escaped").log)
    assert (found.initial_cpus, found.respected) == ("1", False)


def test_a_host_without_affinity_is_noticed() -> None:
    line = "OMP: Warning #72: KMP_AFFINITY: Affinity not capable, using local cpuid info\n"
    assert parse_openmp(line).cannot_bind
