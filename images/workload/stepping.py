"""Runs and times training steps, one call each, until enough were run or the time is up.

It must not know TensorFlow, jobs or results: a step is any function that returns (anything, loss).
"""

import contextlib
import math
import time
from typing import Any, Callable, ContextManager, List, NamedTuple, Optional, Tuple

StepCall = Callable[[], Tuple[Any, Any]]
Clock = Callable[[], float]

Step = NamedTuple("Step", [("index", int), ("phase", str), ("seconds", float), ("loss", float)])


class NonFiniteLossError(Exception):
    """A step's loss was infinite or not a number."""


class TimeLimitError(Exception):
    """The time limit came before anything could be measured."""


def run_steps(
    call: StepCall,
    phase: str,
    count: int,
    steps: List[Step],
    deadline: Optional[float] = None,
    clock: Clock = time.perf_counter,
) -> bool:
    """Append `count` steps of a phase to `steps`; return False if the deadline, in the clock's time, cut them short.

    A step's seconds are exactly one call between two readings of the clock. The deadline is looked at between
    steps. Steps stay in `steps` whatever is raised, the one with the faulty loss too.

    Raises:
        NonFiniteLossError: a loss was infinite or not a number.
    """
    for _ in range(count):
        if deadline is not None and clock() >= deadline:
            return False
        started = clock()
        _, loss = call()
        ended = clock()
        step = Step(len(steps), phase, ended - started, float(loss))
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
    clock: Clock = time.perf_counter,
    around_timed: Optional[ContextManager[Any]] = None,
    started: Optional[float] = None,
) -> str:
    """Run warm-up and timed steps; return what stopped them, "steps" or "time_limit".

    What is in `steps` already are warm-up steps that count; the others are appended to it. The limit counts from the
    start of the first step, which is now unless `started` says when, and None is no limit; `clock` returns seconds and
    never goes back. `around_timed` is entered before the first timed step and left after
    the last.

    Raises:
        NonFiniteLossError: a loss was infinite or not a number.
        TimeLimitError: the limit came before the first timed step.
    """
    deadline = None if time_limit_seconds is None else (clock() if started is None else started) + time_limit_seconds
    complete = run_steps(call, "warmup", warmup_steps - len(steps), steps, deadline, clock)
    if complete:
        with contextlib.ExitStack() if around_timed is None else around_timed:
            complete = run_steps(call, "timed", timed_steps, steps, deadline, clock)
    if not any(step.phase == "timed" for step in steps):
        raise TimeLimitError(
            "the time limit of {} s came after {} warm-up steps of {}, before the first timed step; "
            "raise the limit or lower the batch size".format(time_limit_seconds, len(steps), warmup_steps)
        )
    return "steps" if complete else "time_limit"
