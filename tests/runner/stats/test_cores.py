"""Cores used: CPU seconds over wall seconds, and the reason where they are few."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.evidence.placement import why_few
from runner.stats.cores import cores_used
from runner.storage.records import Record
from tests.runner.builders import record

TWO = frozenset({0, 1})


def result(*threads: tuple[str, float, int], waited: float = 0.0) -> dict[str, Any]:
    """What a launch recorded of threads given as mask, CPU seconds and last CPU."""
    numbered = list(enumerate(threads, start=1))
    return {
        "evidence": {"threads": [{"id": number, "allowed_cpus": mask} for number, (mask, _, _) in numbered]},
        "cpu": {
            "user_seconds": sum(seconds for _, seconds, _ in threads), "system_seconds": 0.0,
            "threads": [{"id": number, "cpu_seconds": seconds, "waited_seconds": waited, "last_cpu": cpu}
                        for number, (_, seconds, cpu) in numbered],
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (
            result(("0-1", 0.0, 1), ("0-1", 5.0, 0), ("0-1", 5.0, 0), waited=5.0),
            "all 2 threads that computed were last seen on CPU 0, though they may run on 0-1; they were ready to "
            "run and had no CPU for 10.0 s",
        ),
        (
            result(("0", 0.0, 0), ("0", 5.0, 0), ("0", 5.0, 0)),
            "all 2 threads that computed may run on CPU 0 only, where they took turns: 100% of the CPU seconds",
        ),
        (
            result(("0", 3.0, 0), ("0", 3.0, 0), ("0", 3.0, 0), ("1", 3.0, 1)),
            "3 of the 4 threads that computed may run on CPU 0 only, where they took turns: 75% of the CPU seconds",
        ),
        (result(("0-1", 10.0, 0), ("0-1", 0.3, 1)), "one thread used 97% of the CPU seconds"),
        (
            result(("0-1", 5.0, 0), ("0-1", 5.0, 1), waited=4.0),
            "its threads were ready to run for 8.0 s in all and got none of the CPUs 0-1",
        ),
        (
            result(("0-1", 5.0, 0), ("0-1", 5.0, 1)),
            "2 threads computed, last seen on the CPUs 0-1; neither their masks nor the time that they waited",
        ),
        (
            result(("0-1", 1.5, 1), ("0-1", 1.5, 1), waited=7.0),
            "its threads were ready to run for 14.0 s in all and got none of the CPUs 0-1",
        ),
        (result(("0-1", 0.0, 0)), "none of its threads that were left at the end had computed"),
    ],
)
def test_the_reason_is_told_from_what_was_seen(seen: dict[str, Any], words: str) -> None:
    """Ten seconds of timed steps on two CPUs, half of them unused.

    The last but one is a busy host: that its threads were last seen on one CPU is chance, and not told as the reason.
    """
    assert words in why_few(seen, TWO, 10.0)


def test_the_cpus_that_threads_may_run_on_are_those_of_their_masks() -> None:
    seen = result(("0,4", 5.0, 0), ("0,4", 5.0, 0), waited=5.0)
    assert "though they may run on 0,4; " in why_few(seen, frozenset(range(8)), 10.0)


PIN = {"pin": {"cpus": "0-1", "threads": 4, "cores": 2}}


def measured(block: int, **cpu: Any) -> Record:
    """A record of two timed steps of a second each, after a warm-up of nine."""
    plain = record("intel", block, conditions=PIN)
    return replace(plain, result={**(plain.result or {}), **cpu})


def used(user: float) -> dict[str, Any]:
    """What a launch used: half a second for the system."""
    return {"user_seconds": user, "system_seconds": 0.5, "threads": []}


def test_cores_used_are_cpu_seconds_over_the_timed_steps_wall_seconds() -> None:
    """Over all launches of a cell; warm-up steps are not in it."""
    (found,) = cores_used([measured(1, cpu=used(2.5)), measured(2, cpu=used(3.5))])
    assert (found.launches, found.recorded, found.wall_seconds, found.cores) == (2, 2, 4.0, 2)
    assert found.parallelism == pytest.approx(7.0 / 4.0)
    assert not found.is_few


def test_a_launch_of_before_has_none() -> None:
    """Records of runs that are older than the field are passed over, not guessed."""
    (found,) = cores_used([measured(1)])
    assert (found.recorded, found.parallelism, found.is_few, found.reason) == (0, None, False, "")
