"""Runs and times training steps until enough steps were run or the time limit is reached.

A step is any function that returns (anything, loss). The module must not know TensorFlow, jobs or results.
"""

import contextlib
import math
import time
from typing import Any, Callable, ContextManager, List, NamedTuple, Optional, Sequence, Tuple

from workload.turns import Burst, Group, Turn, run_bursts

StepCall = Callable[[], Tuple[Any, Any]]
Clock = Callable[[], float]
# Makes what is entered before timed steps that follow one another, and left after the last of them.
Around = Callable[[], ContextManager[Any]]
# Untimed steps of a timed turn that follows another member's. A launch that trains alone has no such pause, and the
# first step after it may be slow: runner/stats/first_steps.py measures how slow.
LEAD_STEPS = 1
SHORTEST_STEP = 1e-6  # seconds; a clock that shows none would make a burst endless

# `began` is in seconds on the host's monotonic clock. `turn` is the number of the turn in the group's order, None for a
# launch that takes none.
Step = NamedTuple(
    "Step",
    [
        ("index", int),
        ("phase", str),
        ("seconds", float),
        ("loss", float),
        ("began", float),
        ("turn", Optional[int]),
    ],
)


class NonFiniteLossError(Exception):
    """A step's loss was infinite or not a number."""


class TimeLimitError(Exception):
    """The time limit was reached before anything could be measured."""


def run_steps(
    call: StepCall,
    phase: str,
    count: int,
    steps: List[Step],
    deadline: Optional[float] = None,
    clock: Clock = time.monotonic,
    turn: Optional[int] = None,
) -> bool:
    """Append `count` steps of a phase to `steps`; return False if the deadline, in `clock`'s time, cut them short.

    A step's seconds are those of exactly one call between two readings of the clock. The deadline is checked between
    steps. If an error is raised, the steps stay in `steps`, also the one with the faulty loss.

    Raises:
        NonFiniteLossError: a loss was infinite or not a number.
    """
    for _ in range(count):
        if deadline is not None and clock() >= deadline:
            return False
        started = clock()
        _, loss = call()
        ended = clock()
        step = Step(len(steps), phase, ended - started, float(loss), started, turn)
        steps.append(step)
        if not math.isfinite(step.loss):
            raise NonFiniteLossError("the loss of step {} ({}) is {}".format(step.index, phase, step.loss))
    return True


def run_phases(
    call: StepCall,
    warmup_steps: int,
    timed_steps: int,
    time_limit_seconds: Optional[float],
    steps: List[Step],
    clock: Clock = time.monotonic,
    around_timed: Around = contextlib.ExitStack,
    started: Optional[float] = None,
) -> str:
    """Run warm-up and timed steps; return what stopped them, "steps" or "time_limit".

    Steps that are in `steps` already count as warm-up steps; the others are appended. The time limit counts from the
    start of the first step, which is `started` or else now; None means no limit. `clock` returns seconds and never goes
    back.

    Raises:
        NonFiniteLossError: a loss was infinite or not a number.
        TimeLimitError: the limit was reached before the first timed step.
    """
    deadline = None if time_limit_seconds is None else (clock() if started is None else started) + time_limit_seconds
    complete = run_steps(call, "warmup", warmup_steps - len(steps), steps, deadline, clock)
    if complete:
        with around_timed():
            complete = run_steps(call, "timed", timed_steps, steps, deadline, clock)
    if not any(step.phase == "timed" for step in steps):
        raise TimeLimitError(
            "the time limit of {} s came after {} warm-up steps of {}, before the first timed step; "
            "raise the limit or lower the batch size".format(time_limit_seconds, len(steps), warmup_steps)
        )
    return "steps" if complete else "time_limit"


def steps_of_a_burst(turn: Turn, burst_seconds: float, warmup: Sequence[Step]) -> int:
    """Return how many steps each timed burst of a launch has.

    They are as many as take about `burst_seconds`, but `turn.steps` at least. The number follows from the last warm-up
    step alone. So it is fixed before anything is timed.
    """
    if not warmup:
        return turn.steps
    return max(turn.steps, round(burst_seconds / max(warmup[-1].seconds, SHORTEST_STEP)))


def run_turns(
    call: StepCall,
    group: Group,
    burst_seconds: float,
    time_limit_seconds: Optional[float],
    steps: List[Step],
    bursts: List[Burst],
    around_timed: Around,
    clock: Clock = time.monotonic,
) -> Tuple[str, int]:
    """Run warm-up and timed steps in this member's turns; return what stopped them, and the number of its last turn.

    A warm-up turn runs `turn.steps` steps, and then more until it has taken half of `burst_seconds`. A timed turn that
    follows another member's turn begins with LEAD_STEPS steps of warm-up. The limit counts this member's own turns
    only. When it has come, the turns that are left have no steps, so that the others can finish. The last turn has come
    when this returns, and is not passed on.

    Raises:
        NonFiniteLossError: a loss was infinite or not a number.
        TimeLimitError: the limit came before the first timed step.
        TurnError: the group has come apart.
    """
    used: List[float] = []
    cut: List[int] = []
    planned: List[int] = []

    def run(number: int, turn: Turn) -> None:
        began = clock()
        deadline = None if time_limit_seconds is None else began + time_limit_seconds - sum(used)

        def train(phase: str, count: int) -> bool:
            return run_steps(call, phase, count, steps, deadline, clock, number)

        if turn.phase == "warmup":
            complete = train("warmup", turn.steps)
            while complete and clock() - began < burst_seconds / 2:
                complete = train("warmup", 1)
        else:
            if not planned:
                planned.append(steps_of_a_burst(turn, burst_seconds, steps))
            complete = train("warmup", LEAD_STEPS if group.follows_another(number) else 0)
            with around_timed():
                complete = complete and train("timed", max(turn.steps, planned[0]))
        if not complete:
            cut.append(number)
        used.append(clock() - began)

    last = run_bursts(group, run, bursts)
    if not any(step.phase == "timed" for step in steps):
        raise TimeLimitError(
            "the time limit of {} s came after {} warm-up steps, before the first timed step; "
            "raise the limit or lower the batch size".format(time_limit_seconds, len(steps))
        )
    return "time_limit" if cut else "steps", last
