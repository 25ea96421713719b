"""Runs and times training steps until enough steps were run or the time limit is reached.

A step is any function that returns (anything, loss). The module must not know TensorFlow, jobs or results.
"""

import contextlib
import math
import time
from typing import Any, Callable, ContextManager, List, NamedTuple, Optional, Tuple

from workload.turns import Burst, Group, Turn, run_bursts

StepCall = Callable[[], Tuple[Any, Any]]
Clock = Callable[[], float]

Step = NamedTuple("Step", [("index", int), ("phase", str), ("seconds", float), ("loss", float)])


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
    clock: Clock = time.perf_counter,
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

    Steps that are in `steps` already count as warm-up steps; the others are appended. The time limit counts from the
    start of the first step, which is `started` or else now; None means no limit. `clock` returns seconds and never goes
    back. `around_timed` is entered before the first timed step and left after the last.

    Raises:
        NonFiniteLossError: a loss was infinite or not a number.
        TimeLimitError: the limit was reached before the first timed step.
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


def run_turns(
    call: StepCall,
    group: Group,
    time_limit_seconds: Optional[float],
    steps: List[Step],
    bursts: List[Burst],
    around_timed: ContextManager[Any],
    clock: Clock = time.perf_counter,
) -> Tuple[str, int]:
    """Run warm-up and timed steps in this member's turns; return what stopped them, and the number of its last turn.

    The limit counts this member's own turns only. When it has come, the turns that are left have no steps, so that the
    others can finish. The last turn has come when this returns, and is not passed on.

    Raises:
        NonFiniteLossError: a loss was infinite or not a number.
        TimeLimitError: the limit came before the first timed step.
        TurnError: the group has come apart.
    """
    used: List[float] = []
    cut: List[Turn] = []
    with contextlib.ExitStack() as measured:
        timed_began: List[bool] = []

        def run(turn: Turn) -> None:
            if turn.phase == "timed" and not timed_began:
                measured.enter_context(around_timed)
                timed_began.append(True)
            began = clock()
            deadline = None if time_limit_seconds is None else began + time_limit_seconds - sum(used)
            if not run_steps(call, turn.phase, turn.steps, steps, deadline, clock):
                cut.append(turn)
            used.append(clock() - began)

        last = run_bursts(group, run, bursts)
    if not any(step.phase == "timed" for step in steps):
        raise TimeLimitError("the time limit of {} s came before the first timed step".format(time_limit_seconds))
    return "time_limit" if cut else "steps", last
