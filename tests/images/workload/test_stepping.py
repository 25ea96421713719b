"""Running steps: phases, what is timed, and what stops them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from workload.stepping import NonFiniteLossError, Step, TimeLimitError, run_phases, run_steps


class FakeTraining:
    """A step that takes one second of its own clock, and returns the losses it was given in turn."""

    def __init__(self, losses: list[float] | None = None) -> None:
        self.now = 100.0
        self._losses = iter(losses) if losses is not None else (8.0 - index for index in count())

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.now

    def __call__(self) -> tuple[None, float]:
        """Take one step."""
        self.now += 1.0
        return None, next(self._losses)


def test_phases_are_marked_and_indices_run_through() -> None:
    training, steps = FakeTraining(), []  # type: ignore[var-annotated]
    assert run_phases(training, 2, 1, None, steps, training.clock) == "steps"
    assert steps == [
        Step(0, "warmup", 1.0, 8.0, 0.0, None),
        Step(1, "warmup", 1.0, 7.0, 1.0, None),
        Step(2, "timed", 1.0, 6.0, 2.0, None),
    ]


def test_time_limit_stops_between_steps() -> None:
    """The limit counts from the first step and cuts timed steps short, which is no error."""
    training = FakeTraining()
    steps: list[Step] = []
    assert run_phases(training, 1, 10, 2.5, steps, training.clock) == "time_limit"
    assert [step.phase for step in steps] == ["warmup", "timed", "timed"]


def test_time_limit_after_the_last_step_changes_nothing() -> None:
    training = FakeTraining()
    assert run_phases(training, 1, 2, 2.5, [], training.clock) == "steps"


def test_time_limit_before_a_timed_step_is_an_error() -> None:
    """Without one timed step there is nothing to report, but the warm-up steps are kept."""
    training = FakeTraining()
    steps: list[Step] = []
    with pytest.raises(TimeLimitError, match=r"2\.0 s came after 2 warm-up steps of 5"):
        run_phases(training, 5, 1, 2.0, steps, training.clock)
    assert len(steps) == 2


def test_a_first_step_that_was_taken_before_counts() -> None:
    """It is a warm-up step. The time limit counts from its start, and the error tells of all steps."""
    training = FakeTraining()
    steps: list[Step] = []
    started = training.clock()
    run_steps(training, "warmup", 1, steps, clock=training.clock)
    training.now += 1.0  # what it computed is looked at
    with pytest.raises(TimeLimitError, match=r"2\.0 s came after 1 warm-up steps of 1"):
        run_phases(training, 1, 1, 2.0, steps, training.clock, started=started)
    assert run_phases(training, 3, 1, None, steps, training.clock, started=started) == "steps"
    assert [step.phase for step in steps] == ["warmup"] * 3 + ["timed"]


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_loss_is_an_error(loss: float) -> None:
    """A loss that is infinite or not a number stops the launch; the faulty step is the last one kept."""
    training = FakeTraining([8.0, loss, 7.0])
    steps: list[Step] = []
    with pytest.raises(NonFiniteLossError, match=r"step 1 \(timed\)"):
        run_phases(training, 1, 5, None, steps, training.clock)
    assert len(steps) == 2


def test_a_step_lies_between_two_clock_readings() -> None:
    """The clock is read right before and right after each call, with nothing else between."""
    events: list[str] = []

    def clock() -> float:
        events.append("clock")
        return float(len(events))

    def call() -> tuple[None, float]:
        events.append("call")
        return None, 1.0

    run_phases(call, 0, 2, None, [], clock)
    assert events == ["clock", "call", "clock"] * 2


def test_nothing_but_the_timed_steps_lies_inside_what_is_put_around_them() -> None:
    """CPU seconds are read before the first timed step's clock and after the last one's, never between."""
    events: list[str] = []

    @contextmanager
    def around() -> Iterator[None]:
        events.append("before")
        yield
        events.append("after")

    def clock() -> float:
        events.append("clock")
        return float(len(events))

    def call() -> tuple[None, float]:
        events.append("call")
        return None, 1.0

    run_phases(call, 1, 2, None, [], clock, around())
    assert events == ["clock", "call", "clock", "before", *["clock", "call", "clock"] * 2, "after"]
