"""What a run's launches were really given, as they were planned: threads and settings, not what its pin would take."""

from __future__ import annotations

from collections.abc import Set

from runner.planning.bkm import load_bkms, resolve
from runner.planning.plan import Plan
from runner.storage.runs import Run

OWN_NUMBER = "the framework's own number"


def intra_op_threads(run: Run, stack: str, batch_size: int) -> frozenset[int]:
    """The intra-op threads that the launches of a part of a run were given; 0 is the framework's own number."""
    return frozenset(
        launch.intra_op_threads
        for launch in run.launches
        if (launch.cell.stack, launch.cell.batch_size) == (stack, batch_size)
    )


def steps(run: Run, stack: str, batch_size: int) -> str:
    """The steps of one launch of a part of a run: 1 warm-up and 4 timed."""
    found = {
        (launch.steps.warmup, launch.steps.timed)
        for launch in run.launches
        if (launch.cell.stack, launch.cell.batch_size) == (stack, batch_size)
    }
    return " or ".join(f"{warmup} warm-up and {timed} timed" for warmup, timed in sorted(found))


def cores(run: Run) -> int:
    """The physical cores of the run's pin, which every launch computes on."""
    return run.about.plan.pin.threads


def sockets(run: Run) -> int:
    """The sockets that the run's pin spans."""
    return run.about.plan.pin.sockets


def numbers(threads: Set[int]) -> str:
    """So many, or, where nothing is set, whatever the framework takes."""
    return " or ".join(str(count) if count else OWN_NUMBER for count in sorted(threads)) or "no"


def in_words(threads: Set[int]) -> str:
    """2 threads; the framework's own number of threads."""
    if threads == {0}:
        return f"{OWN_NUMBER} of threads"
    return "1 thread" if threads == {1} else f"{numbers(threads)} threads"


def bkms(plan: Plan, published: str | None) -> str:
    """The name of a run's set of BKMs, with each setting that is not what the published set gives on the run's pin."""
    name = plan.bkms.name
    if name != published:
        return name
    cell_plan = {each.name: each.value for each in resolve(load_bkms(name), plan.pin).settings}
    here = {each.name: each.value for each in plan.bkms.settings}
    other = [
        f"{key}={here.get(key, 'not set')}" for key in {**cell_plan, **here} if cell_plan.get(key) != here.get(key)
    ]
    return f"{name}, but with {', '.join(other)}" if other else name
