"""Counts while a launch runs become counts per step of its timed steps."""

from __future__ import annotations

import pytest

from runner.evidence.counters import NEVER_SEEN, NO_HARDWARE, NOT_THE_LAUNCH, TOO_SHORT, Counters, counters_of
from runner.evidence.perf_output import Counted, Interval

STEPS = [
    {"phase": "warmup", "began": 9.0, "seconds": 1.0},
    {"phase": "timed", "began": 10.0, "seconds": 0.6},
    {"phase": "timed", "began": 10.6, "seconds": 0.4},
]


def every(seconds: float, rate: float, **others: float | None) -> Counted:
    """Intervals from 9 to 12 seconds: ten times the rate before and after the timed steps."""
    found = []
    for number in range(round(3 / seconds)):
        began = 9 + number * seconds
        inside = began >= 10 and began + seconds <= 11 + 1e-9
        counts = {"task-clock": 1000 * seconds, "cycles": rate * seconds * (1 if inside else 10), **others}
        found.append(Interval(began, began + seconds, counts))
    return Counted("perf version 6.1", tuple(found))


def test_only_what_lies_within_the_timed_steps_counts() -> None:
    found = counters_of(every(0.125, 4e9), STEPS)
    assert found.per_step["cycles"] == pytest.approx(4e9 * 0.5)
    assert found.step_seconds == pytest.approx(0.5)
    assert found.covered_seconds == pytest.approx(1.0)
    assert (found.tool, found.error, found.why_no_hardware) == ("perf version 6.1", None, None)


def test_an_event_that_some_interval_does_not_have_is_not_known() -> None:
    counted = every(0.125, 1.0, instructions=None)
    assert counters_of(counted, STEPS).per_step["instructions"] is None


def test_a_host_without_counters_of_the_processor_says_so() -> None:
    counted = Counted("perf", (Interval(10.1, 10.2, {"task-clock": 150.0, "cycles": None}),))
    found = counters_of(counted, STEPS)
    assert found.per_step["task-clock"] == pytest.approx(750.0)
    assert found.why_no_hardware == NO_HARDWARE


def test_steps_that_are_shorter_than_an_interval_have_no_count() -> None:
    found = counters_of(every(1.5, 1.0), STEPS)
    assert (found.per_step, found.error) == ({}, TOO_SHORT)


def test_a_process_that_does_nothing_is_not_the_one_that_trained() -> None:
    for clock in (5.0, 0.0, None):
        counted = Counted("perf", (Interval(10.1, 10.2, {"task-clock": clock, "cycles": 1e6}),))
        assert counters_of(counted, STEPS).error == NOT_THE_LAUNCH


def test_what_another_launch_may_give_is_not_kept_for_further_runs() -> None:
    assert not counters_of(Counted("perf", error=f"{NEVER_SEEN}: the engine"), STEPS).is_worth_keeping
    assert counters_of(Counted("perf", error="Access is limited."), STEPS).is_worth_keeping


def test_why_nothing_was_counted_is_kept() -> None:
    found = counters_of(Counted(None, error="perf is not installed"), STEPS)
    assert (found.per_step, found.why_no_hardware) == ({}, "perf is not installed")
    assert Counters.from_json(found.to_json()) == found
