"""Running steps: phases, what is timed, and what stops them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain, count, repeat
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from workload.stepping import (
    NonFiniteLossError,
    Step,
    TimeLimitError,
    run_phases,
    run_steps,
    run_turns,
    steps_of_a_burst,
)
from workload.turns import Burst, Group, Turn


class FakeTraining:
    """A step that takes one second of its own clock, or what it is told, and returns its losses in turn."""

    def __init__(self, losses: list[float] | None = None, seconds: Iterable[float] = ()) -> None:
        self.now = 100.0
        self._seconds = chain(seconds, repeat(1.0))
        self._losses = iter(losses) if losses is not None else (8.0 - index for index in count())

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.now

    def __call__(self) -> tuple[None, float]:
        """Take one step."""
        self.now += next(self._seconds)
        return None, next(self._losses)


def test_phases_are_marked_and_indices_run_through() -> None:
    training, steps = FakeTraining(), []  # type: ignore[var-annotated]
    assert run_phases(training, 2, 1, None, steps, training.clock) == "steps"
    assert steps == [
        Step(0, "warmup", 1.0, 8.0, 100.0, None),
        Step(1, "warmup", 1.0, 7.0, 101.0, None),
        Step(2, "timed", 1.0, 6.0, 102.0, None),
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

    run_phases(call, 1, 2, None, [], clock, around)
    assert events == ["clock", "call", "clock", "before", *["clock", "call", "clock"] * 2, "after"]


TURNS = [Turn(0, "warmup", 2), Turn(0, "timed", 1), Turn(0, "timed", 1), Turn(0, "end", 0)]


def in_turns(
    training: FakeTraining, burst_seconds: float, limit: float | None = None, around: Any = None
) -> tuple[str, int, list[Step], list[Burst]]:
    """Train in the turns of a group of one; what stopped it, its last turn, and all that it recorded."""
    steps: list[Step] = []
    bursts: list[Burst] = []
    group = Group(None, 0, TURNS)
    stopped_by, last = run_turns(
        training, group, burst_seconds, limit, steps, bursts, around or nullcontext, training.clock
    )
    return stopped_by, last, steps, bursts


def steps_in_turns(steps: list[Step]) -> list[int]:
    """How many steps each of the first three turns had."""
    return [sum(step.turn == number for step in steps) for number in range(3)]


def test_timed_bursts_have_the_steps_that_take_their_time() -> None:
    """Steps of one second, bursts of three: the phase and the number of the turn are in every step."""
    stopped_by, last, steps, bursts = in_turns(FakeTraining(), 3.0)
    assert (stopped_by, last) == ("steps", 3)
    assert steps_in_turns(steps) == [2, 3, 3]
    assert [step.phase for step in steps] == ["warmup"] * 2 + ["timed"] * 6
    assert [step.index for step in steps] == list(range(8))
    assert [step.began for step in steps] == [100.0 + number for number in range(8)]
    assert [(burst.turn, burst.phase) for burst in bursts] == [(0, "warmup"), (1, "timed"), (2, "timed")]


def test_the_last_warm_up_step_fixes_the_steps_of_every_burst() -> None:
    """Neither a slow first step nor slower timed steps change the number: it is chosen before anything is timed."""
    slower = [8.0, 0.5, *[2.0] * 20]
    assert steps_in_turns(in_turns(FakeTraining(seconds=slower), 4.0)[2]) == [2, 8, 8]


def test_a_burst_has_no_fewer_steps_than_its_turn_asks_for() -> None:
    assert steps_in_turns(in_turns(FakeTraining(), 0.25)[2]) == [2, 1, 1]


@pytest.mark.parametrize(("burst_seconds", "count"), [(4.0, 2), (9.0, 5), (10.0, 5), (10.5, 6)])
def test_a_warm_up_lasts_half_a_burst_at_least(burst_seconds: float, count: int) -> None:
    """Steps of one second: two are the fewest, and the last one begins before the half is over."""
    assert steps_in_turns(in_turns(FakeTraining(), burst_seconds)[2])[0] == count


def test_a_burst_that_follows_another_members_turn_begins_with_an_untimed_step(tmp_path: Path) -> None:
    """Of two bursts that follow one another in one member's hands, only the first one does."""
    order = [Turn(1, "warmup", 1), Turn(0, "warmup", 2), *[Turn(0, "timed", 2)] * 2, Turn(1, "timed", 1),
             Turn(0, "timed", 2), Turn(0, "end", 0), Turn(1, "end", 0)]  # fmt: skip
    other = Thread(target=train_in_turns, args=(tmp_path, 1, order))
    other.start()
    steps, bursts = train_in_turns(tmp_path, 0, order)
    other.join()
    assert [(step.turn, step.phase) for step in steps] == [
        *[(1, "warmup")] * 2, *[(2, "timed")] * 2, *[(3, "timed")] * 2, (5, "warmup"), *[(5, "timed")] * 2
    ]  # fmt: skip
    assert [(burst.turn, burst.phase) for burst in bursts] == [(1, "warmup"), (2, "timed"), (3, "timed"), (5, "timed")]


def train_in_turns(folder: Path, member: int, order: list[Turn]) -> tuple[list[Step], list[Burst]]:
    """Train as one member of a group; what it recorded."""
    steps: list[Step] = []
    bursts: list[Burst] = []
    group, training = Group(str(folder), member, order), FakeTraining()
    _, last = run_turns(training, group, 0.5, None, steps, bursts, nullcontext, training.clock)
    group.pass_on(last)
    group.close()
    return steps, bursts


def test_the_time_limit_leaves_later_turns_without_steps() -> None:
    """They are taken all the same, so that the others of the group can finish theirs."""
    stopped_by, last, steps, bursts = in_turns(FakeTraining(), 3.0, limit=4.5)
    assert (stopped_by, last) == ("time_limit", 3)
    assert steps_in_turns(steps) == [2, 3, 0]
    assert [burst.turn for burst in bursts] == [0, 1, 2]


def test_the_time_limit_ends_a_warm_up_and_is_an_error_if_nothing_was_timed() -> None:
    training = FakeTraining()
    steps: list[Step] = []
    with pytest.raises(TimeLimitError, match=r"3\.0 s came after 3 warm-up steps"):
        run_turns(training, Group(None, 0, TURNS), 100.0, 3.0, steps, [], nullcontext, training.clock)
    assert len(steps) == 3


def test_what_is_put_around_timed_steps_is_entered_once_for_each_burst() -> None:
    events: list[str] = []

    class Noted(FakeTraining):
        def __call__(self) -> tuple[None, float]:
            events.append("step")
            return super().__call__()

    @contextmanager
    def around() -> Iterator[None]:
        events.append("before")
        yield
        events.append("after")

    in_turns(Noted(), 1.0, around=around)
    assert events == ["step", "step", "before", "step", "after", "before", "step", "after"]


def test_a_loss_that_is_not_finite_ends_the_turns() -> None:
    with pytest.raises(NonFiniteLossError, match=r"step 2 \(timed\)"):
        in_turns(FakeTraining([8.0, 7.0, float("nan")]), 1.0)


def test_without_warm_up_a_burst_has_the_steps_of_its_turn() -> None:
    assert steps_of_a_burst(Turn(0, "timed", 3), 60.0, []) == 3


def test_a_clock_that_shows_no_time_makes_no_endless_burst() -> None:
    assert steps_of_a_burst(Turn(0, "timed", 1), 1e-3, [Step(0, "warmup", 0.0, 8.0, 0.0, 0)]) == 1000
