"""The threads and settings that the launches of a run were planned with, and how many steps they ran.

Threads may differ from the pin's own counts.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from runner.planning.bkm import load_bkms, resolve
from runner.planning.plan import Plan
from runner.stats.estimators import timed_step_seconds
from runner.stats.results import Results
from runner.stats.steadiness import warmup_steps
from runner.storage.runs import Run

OWN_NUMBER = "the framework's own number"


def intra_op_threads(run: Run, stack: str, batch_size: int) -> frozenset[int]:
    """Return the intra-op thread counts of the launches of a part of a run; 0 leaves the number to the framework."""
    return frozenset(
        launch.intra_op_threads
        for launch in run.launches
        if (launch.cell.stack, launch.cell.batch_size) == (stack, batch_size)
    )


def steps(results: Results, stack: str, batch_size: int) -> str:
    """Return the steps that a launch of a part of a run has run, in words: "2 warm-up and 2 to 14 timed".

    An untimed step at the beginning of a later burst is in neither number.
    """
    ran = [record for record in results.usable if record.training
           and (record.cell.stack, record.cell.batch_size) == (stack, batch_size)]  # fmt: skip
    if not ran:
        return "no usable launch"
    timed = [len(timed_step_seconds(record)) for record in ran]
    return f"{_span([warmup_steps(record) for record in ran])} warm-up and {_span(timed)} timed"


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least} to {most}"


def cores(run: Run) -> int:
    """Return the number of physical cores in the run's pin, on which every launch computes."""
    return run.about.plan.pin.threads


def sockets(run: Run) -> int:
    """Return the number of sockets that the run's pin spans."""
    return run.about.plan.pin.sockets


def numbers(threads: Set[int]) -> str:
    """Return the thread counts in words: "2", "1 or 2", and "the framework's own number" for a count of 0."""
    return " or ".join(str(count) if count else OWN_NUMBER for count in sorted(threads)) or "no"


def in_words(threads: Set[int]) -> str:
    """Return thread counts with the noun: "2 threads", or "the framework's own number of threads" for 0 alone."""
    if threads == {0}:
        return f"{OWN_NUMBER} of threads"
    return "1 thread" if threads == {1} else f"{numbers(threads)} threads"


def bkms(plan: Plan, published: str | None) -> str:
    """Return the name of a run's set of BKMs.

    If it is the published set, the result also names each setting whose value is not the published set's on this pin.
    """
    name = plan.bkms.name
    if name != published:
        return name
    prescribed = {each.name: each.value for each in resolve(load_bkms(name), plan.pin).settings}
    here = {each.name: each.value for each in plan.bkms.settings}
    other = [
        f"{key}={here.get(key, 'not set')}" for key in {**prescribed, **here} if prescribed.get(key) != here.get(key)
    ]
    return f"{name}, but with {', '.join(other)}" if other else name
