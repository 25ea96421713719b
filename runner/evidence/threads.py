"""Gives verdicts on where threads may run and are bound, from what OpenMP printed or from the kernel's masks.

Only OpenMP's threads must be bound. A probe's log names them. A timed launch has no log; there the bound threads that
did most of the work in the timed steps are taken for OpenMP's, or there is no verdict. All functions are pure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.evidence.cell_plan import CellPlan
from runner.evidence.openmp import Bound, OpenMp
from runner.evidence.verdicts import THREADS_BOUND, Verdict
from runner.machine.cpulist import format_cpu_list, parse_cpu_list

# The threads under evidence.threads in a result, each with id, name and allowed_cpus.
Threads = Sequence[Mapping[str, Any]]
# Thread id -> its CPU seconds in the timed steps. Empty for launches of releases that did not record them.
Worked = Mapping[int, float]

# A team shares its work evenly and waits by spinning, so that its members use nearly equal CPU seconds. In a
# measurement with other work on the host, the member with the least had 0.83 of the one with the most. Other bound
# threads, those of TensorFlow's pool in tf-1.12, had 0.23.
OF_THE_TEAM = 0.5
# A thread with less than this share of the busiest OpenMP thread's CPU seconds did not compute, such as a main thread
# that only asks OpenMP for the number of threads.
TOOK_PART = 0.1
# Some kernels count CPU time in hundredths of a second. Below this many seconds, shares of it mean nothing.
LEAST_CPU_SECONDS = 0.05


def worked_in(result: Mapping[str, Any]) -> dict[int, float]:
    """The CPU seconds of each thread in a launch's timed steps, by thread id; empty if unknown or too few."""
    found = {thread["id"]: thread["cpu_seconds"] for thread in (result.get("cpu") or {}).get("threads", ())}
    return found if max(found.values(), default=0.0) >= LEAST_CPU_SECONDS else {}


def judge_threads(
    cell_plan: CellPlan, openmp: OpenMp, omp_max_threads: int | None, threads: Threads, worked: Worked | None = None
) -> Verdict:
    """The verdict on whether every thread is in the cpuset and every computing OpenMP thread has a core of its own."""
    escaped = _escaped(cell_plan, openmp.bound) or _escaped_threads(cell_plan, threads)
    cpuset = format_cpu_list(cell_plan.cpus)
    if escaped:
        return Verdict(THREADS_BOUND, False, f"Threads escape the cpuset {cpuset}: {escaped}.")
    if omp_max_threads is None:
        text = f"No OpenMP runtime is in the process; all of its threads may use the cpuset {cpuset} only."
        return Verdict(THREADS_BOUND, True if threads else None, text)
    if not cell_plan.binds_threads:
        text = f"No binding was asked for; every thread may use the cpuset {cpuset} only."
        return Verdict(THREADS_BOUND, True if threads else None, text)
    if openmp.cannot_bind:
        return Verdict(THREADS_BOUND, False, "The OpenMP runtime says that it cannot bind threads on this host.")
    if not openmp.computing:
        return judge_masks(cell_plan, omp_max_threads, threads, worked)
    return _judge_cores(cell_plan, _as_they_are(openmp.computing, threads), omp_max_threads, worked or {})


def judge_masks(
    cell_plan: CellPlan, omp_max_threads: int | None, threads: Threads, worked: Worked | None = None
) -> Verdict:
    """The same verdict for a timed launch, which has no log: from masks and CPU seconds in the timed steps."""
    cpuset = format_cpu_list(cell_plan.cpus)
    escaped = _escaped_threads(cell_plan, threads)
    if escaped:
        return Verdict(THREADS_BOUND, False, f"Threads escape the cpuset {cpuset}: {escaped}.")
    if not threads:
        return Verdict(THREADS_BOUND, None, "The launch recorded no threads.")
    if omp_max_threads is None or not cell_plan.binds_threads or len(cell_plan.cores) == 1:
        return Verdict(THREADS_BOUND, True, f"Every thread may use the cpuset {cpuset} only.")
    return _judge_workers(cell_plan, min(omp_max_threads, len(cell_plan.cores)), threads, worked or {})


def _judge_workers(cell_plan: CellPlan, expected: int, threads: Threads, worked: Worked) -> Verdict:
    """The verdict on whether each core has a bound thread, and whether those that worked are as many as OpenMP has."""
    bound = {
        thread["id"]: core for thread in threads if (core := _core_of(cell_plan, thread["allowed_cpus"])) is not None
    }
    most = max((worked.get(thread, 0.0) for thread in bound), default=0.0)
    took_part = {core for thread, core in bound.items() if not worked or worked.get(thread, 0.0) > 0}
    if len(took_part) < expected:
        which = "a bound thread that worked" if worked else "a bound thread"
        text = (f"OpenMP threads share cores or are not bound: {expected} cores should each have {which}, "
                f"{len(took_part)} have.")  # fmt: skip
        return Verdict(THREADS_BOUND, False, text)
    head = f"Threads are bound inside the cpuset {format_cpu_list(cell_plan.cpus)} on {len(took_part)} cores"
    if not worked:
        return Verdict(THREADS_BOUND, None, f"{head}; this launch did not record which of them are OpenMP's.")
    team = [core for thread, core in bound.items() if worked.get(thread, 0.0) >= OF_THE_TEAM * most]
    if len(team) == len(set(team)) == expected:
        text = f"{head}; the {expected} that did most of the work in the timed steps are on one core each."
        return Verdict(THREADS_BOUND, True, text)
    text = f"{head}; their CPU seconds in the timed steps do not show which of them are OpenMP's."
    return Verdict(THREADS_BOUND, None, text)


def _core_of(cell_plan: CellPlan, allowed_cpus: str | None) -> int | None:
    """The number of the core that a thread is bound to; None if it may use several or its mask is unknown."""
    mask = parse_cpu_list(allowed_cpus) if allowed_cpus else frozenset()
    return next((number for number, core in enumerate(cell_plan.cores) if mask and mask <= core), None)


def _as_they_are(computing: Sequence[Bound], threads: Threads) -> list[Bound]:
    """Each OpenMP thread once, with the kernel's mask at the end, because a runtime may bind a thread again."""
    masks = {thread["id"]: thread["allowed_cpus"] for thread in threads}
    once = {bound.task: bound for bound in computing}
    return [replace(bound, cpus=masks.get(task) or bound.cpus) for task, bound in once.items()]


def _escaped_threads(cell_plan: CellPlan, threads: Threads) -> str:
    """The threads that the kernel lets run outside of the pin, in words; empty if there are none."""
    found = [
        f"thread {thread['id']} ({thread['name']}) may use the CPUs {thread['allowed_cpus']}"
        for thread in threads
        if thread["allowed_cpus"] is not None and not parse_cpu_list(thread["allowed_cpus"]) <= cell_plan.cpus
    ]
    return _some(found)


def _escaped(cell_plan: CellPlan, bound: Iterable[Bound]) -> str:
    return _some([
        f"OpenMP thread {each.thread} is bound to the CPUs {each.cpus}"
        for each in bound
        if not parse_cpu_list(each.cpus) <= cell_plan.cpus
    ])  # fmt: skip


def _judge_cores(cell_plan: CellPlan, openmp: Sequence[Bound], omp_threads: int, worked: Worked) -> Verdict:
    """The verdict on whether each core has one thread of each team. Parallel operations have a team each."""
    loose = [
        f"OpenMP thread {bound.thread} may use the CPUs {bound.cpus}, {cores} cores"
        for bound in openmp
        if (cores := sum(bool(core & parse_cpu_list(bound.cpus)) for core in cell_plan.cores)) != 1
    ]
    if loose:
        return Verdict(THREADS_BOUND, False, f"Threads are not bound to one core: {_some(loose)}.")
    least = TOOK_PART * max((worked.get(bound.task, 0.0) for bound in openmp), default=0.0)
    computing = [bound for bound in openmp if worked.get(bound.task, 0.0) >= least]
    teams = math.ceil(len(computing) / omp_threads)
    per_core = Counter(_core_of(cell_plan, bound.cpus) for bound in computing)
    crowded = [f"{count} threads on the core of the CPUs {format_cpu_list(cell_plan.cores[core])}"
               for core, count in sorted(per_core.items()) if core is not None and count > teams]  # fmt: skip
    if crowded:
        return Verdict(THREADS_BOUND, False, f"Threads share a core: {_some(crowded)}.")
    expected = min(omp_threads, len(cell_plan.cores))
    on = len({_core_of(cell_plan, bound.cpus) for bound in openmp})
    if on < expected:
        text = f"{expected} cores should each have an OpenMP thread, {on} have."
        return Verdict(THREADS_BOUND, False, text)
    cpuset = format_cpu_list(cell_plan.cpus)
    if len(set(per_core.values())) > 1:
        text = (f"The {len(computing)} OpenMP threads are bound inside the cpuset {cpuset}, but are no whole teams of "
                f"{omp_threads}: whether two of one team share a core is not known.")  # fmt: skip
        return Verdict(THREADS_BOUND, None, text)
    text = f"Every one of {len(computing)} OpenMP threads is bound inside the cpuset {cpuset}, one to a core"
    return Verdict(THREADS_BOUND, True, f"{text}." if teams == 1 else f"{text} in each of {teams} teams.")


def _some(found: list[str], most: int = 3) -> str:
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + more
