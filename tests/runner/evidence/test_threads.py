"""Where threads may run and are bound: verdicts on real probes, and on masks and bindings that a test chooses."""

from __future__ import annotations

from typing import Any

import pytest

from runner.evidence.cell_plan import CellPlan
from runner.evidence.openmp import OpenMp, parse_openmp
from runner.evidence.threads import judge_masks, judge_threads
from runner.evidence.timed import judge_launch
from runner.evidence.verdicts import (
    THREADS_BOUND,
)
from tests.runner.evidence.captured import captured, cell_plan, evidence, text_of, verdicts
from tests.runner.told import tells


def test_threads_that_escape_their_cpuset_are_caught_by_the_probe() -> None:
    """A process held to CPU 1 whose OpenMP bound a thread to CPU 0."""
    found = evidence("tf-2.14-intel-escaped", cores=(frozenset({1}),))
    assert verdicts(found)[THREADS_BOUND] is False
    assert tells(text_of(found, THREADS_BOUND), "cpuset 1", "thread 0", "CPUs 0")


def test_threads_that_escape_their_cpuset_are_caught_in_each_timed_launch() -> None:
    """The kernel's own masks are enough."""
    name = "tf-2.14-intel-escaped"
    found = {each.id: each for each in judge_launch(cell_plan(name, cores=(frozenset({1}),)), captured(name).result)}
    assert found[THREADS_BOUND].passed is False
    assert tells(found[THREADS_BOUND].text, "cpuset 1", "CPUs 0")


def bound(*cpus: str) -> OpenMp:
    """A log in which thread k is bound to the k-th CPU list."""
    return parse_openmp("".join(
        f"OMP: Info #249: KMP_AFFINITY: pid 1 tid {thread + 2} thread {thread} bound to OS proc set {each}\n"
        for thread, each in enumerate(cpus)
    ))  # fmt: skip


FOUR_CPUS_ON_TWO_CORES = (frozenset({0, 2}), frozenset({1, 3}))


BINDING = {"KMP_AFFINITY": "granularity=fine,compact,1,0"}


@pytest.mark.parametrize(
    ("cpus", "passed", "data"),
    [
        (("0", "1"), True, ("2 OpenMP threads", "0-3")),
        (("0", "2"), False, ("2 threads", "0,2")),
        (("0", "1", "2", "3"), True, ("4 OpenMP threads", "0-3", "2 teams")),
        (("0", "1", "0", "0"), False, ("3 threads", "0,2")),
        (("0-1", "1"), False, ("thread 0", "CPUs 0-1", "2 cores")),
        (("0", "4"), False, ("0-3", "thread 1", "CPUs 4")),
        (("0",), False, ("2 cores", "1")),
        (("0", "0", "1"), None, ("3 OpenMP threads", "0-3", "2")),
    ],
)
def test_one_thread_to_a_core_on_a_host_with_siblings(
    cpus: tuple[str, ...], passed: bool | None, data: tuple[str, ...]
) -> None:
    """Two logical CPUs of one core count as one core; several teams may share it one by one."""
    verdict = judge_threads(plain(BINDING), bound(*cpus), 2, masks("0-3"))
    assert verdict.passed is passed
    assert tells(verdict.text, *data)


@pytest.mark.parametrize(
    ("environment", "omp", "seen", "passed"),
    [
        (BINDING, 2, ("0-3", "0", "1"), None),
        (BINDING, 2, ("0-3", "0", "0", "1"), None),
        (BINDING, 2, ("0-3", "0", "2"), False),
        (BINDING, 2, ("0-3", "0-3"), False),
        ({"OMP_PROC_BIND": "true"}, 2, ("0-3", "0-3"), False),
        ({}, 2, ("0-3", "0-3"), True),
        ({"KMP_AFFINITY": "none"}, 2, ("0-3", "0-3"), True),
        (BINDING, None, ("0-3", "0-3"), True),
        (BINDING, None, ("0-3", "0-4"), False),
        (BINDING, 2, (), None),
    ],
)
def test_masks_alone_tell_a_timed_launch(
    environment: dict[str, str], omp: int | None, seen: tuple[str, ...], passed: bool | None
) -> None:
    """Where binding was asked for, each core must have a bound thread, and no thread may leave the pin.

    That each core has one is not enough, because masks do not tell which threads are OpenMP's.
    """
    assert judge_masks(plain(environment), omp, masks(*seen)).passed is passed


@pytest.mark.parametrize(
    ("seen", "seconds", "passed"),
    [
        (("0", "0", "1"), (2.0, 2.0, 0.0), False),
        (("0", "0", "1"), (2.0, 2.0, 0.3), None),
        (("0", "0", "1"), (1.0, 1.0, 2.0), None),
        (("0-3", "0", "1"), (0.7, 2.3, 1.9), True),
        (("0", "0", "0", "0", "0", "1", "0"), (0.0, 0.0, 0.21, 0.22, 0.0, 0.95, 0.88), True),
    ],
    ids=["idle helper", "helper that works a little", "helper that works most", "tf-2.14 intel", "tf-1.12 intel"],
)
def test_the_threads_that_worked_tell_which_are_openmps(
    seen: tuple[str, ...], seconds: tuple[float, ...], passed: bool | None
) -> None:
    """Two OpenMP threads on one CPU with a helper on the other are never one to each.

    The last two are masks and CPU seconds as real launches recorded them (ResNet50 and AlexNet at batch 2 and 4).
    """
    threads = masks(*seen)
    worked = {thread["id"]: each for thread, each in zip(threads, seconds, strict=True)}
    verdict = judge_masks(plain(BINDING), 2, threads, worked)
    assert verdict.passed is passed
    assert tells(verdict.text, "2 cores", *(["1"] if passed is False else ["0-3"]))


@pytest.mark.parametrize(
    ("cpus", "seconds", "passed", "data"),
    [
        (("0", "1", "0"), (0.0, 0.21, 0.19), True, ("2 OpenMP threads",)),
        (("0", "0", "1"), (0.2, 0.2, 0.0), False, ("2 threads", "0,2")),
        (("0", "0", "1"), (0.2, 0.2, 0.2), None, ("3 OpenMP threads", "2")),
    ],
    ids=["main thread that only loads the runtime", "two on one core and one idle", "all work"],
)
def test_a_probe_counts_the_openmp_threads_that_worked(
    cpus: tuple[str, ...], seconds: tuple[float, ...], passed: bool | None, data: tuple[str, ...]
) -> None:
    """The runtime's own lines name them by thread id; the first case is a real probe of tf-1.12."""
    openmp = bound(*cpus)
    worked = {each.task: used for each, used in zip(openmp.bound, seconds, strict=True)}
    verdict = judge_threads(plain(BINDING), openmp, 2, masks("0-3"), worked)
    assert verdict.passed is passed
    assert tells(verdict.text, *data)


def test_a_thread_counts_where_the_kernel_says_that_it_may_run() -> None:
    """A line tells where a thread was bound once; a mask that is no longer that one fails."""
    openmp = bound("0", "1")
    threads = [{"id": each.task, "name": "python", "allowed_cpus": "0-1"} for each in openmp.bound]
    assert judge_threads(plain(BINDING), openmp, 2, threads).passed is False


def test_where_binding_was_asked_for_without_affinity_the_masks_tell() -> None:
    """OMP_PROC_BIND alone makes the runtime print nothing. The kernel's masks show the binding."""
    environment = {"OMP_PROC_BIND": "true"}
    worked = {thread["id"]: 1.0 for thread in masks("0-3", "0", "1")}
    assert judge_threads(plain(environment), OpenMp(), 2, masks("0-3", "0", "1"), worked).passed is True
    assert judge_threads(plain(environment), OpenMp(), 2, masks("0-3")).passed is False


def plain(environment: dict[str, str]) -> CellPlan:
    """Intel's build on four CPUs of two cores."""
    return cell_plan("tf-2.14-intel", environment=environment, cores=FOUR_CPUS_ON_TWO_CORES)


def masks(*cpus: str) -> list[dict[str, Any]]:
    """Threads that may use these CPUs."""
    return [{"id": number, "name": "python", "allowed_cpus": each} for number, each in enumerate(cpus, start=1)]
