"""Judges where threads may run and are bound: from what OpenMP printed, or from the kernel's masks. Pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.evidence.asked import Asked
from runner.evidence.openmp import Bound, OpenMp
from runner.evidence.verdicts import THREADS_BOUND, Verdict
from runner.machine.cpulist import format_cpu_list, parse_cpu_list

# As they stand under evidence.threads in a result: id, name, allowed_cpus.
Threads = Sequence[Mapping[str, Any]]


def judge_threads(asked: Asked, openmp: OpenMp, omp_max_threads: int | None, threads: Threads) -> Verdict:
    """Is every thread inside the cpuset, and every computing OpenMP thread on a core of its own?"""
    escaped = _escaped(asked, openmp.bound) or _escaped_threads(asked, threads)
    cpuset = format_cpu_list(asked.cpus)
    if escaped:
        return Verdict(THREADS_BOUND, False, f"Threads escape the cpuset {cpuset}: {escaped}.")
    if omp_max_threads is None:
        text = f"No OpenMP runtime is in the process; all of its threads may use the cpuset {cpuset} only."
        return Verdict(THREADS_BOUND, True if threads else None, text)
    if not asked.binds_threads:
        text = f"No binding was asked for; every thread may use the cpuset {cpuset} only."
        return Verdict(THREADS_BOUND, True if threads else None, text)
    if openmp.cannot_bind:
        return Verdict(THREADS_BOUND, False, "The OpenMP runtime says that it cannot bind threads on this host.")
    if not openmp.computing:
        return judge_masks(asked, omp_max_threads, threads)
    return _judge_cores(asked, openmp.computing, omp_max_threads)


def judge_masks(asked: Asked, omp_max_threads: int | None, threads: Threads) -> Verdict:
    """The same from the kernel's masks alone, which is all that a timed launch has."""
    cpuset = format_cpu_list(asked.cpus)
    escaped = _escaped_threads(asked, threads)
    if escaped:
        return Verdict(THREADS_BOUND, False, f"Threads escape the cpuset {cpuset}: {escaped}.")
    if not threads:
        return Verdict(THREADS_BOUND, None, "The launch recorded no threads.")
    if omp_max_threads is None or not asked.binds_threads:
        return Verdict(THREADS_BOUND, True, f"Every thread may use the cpuset {cpuset} only.")
    cores = _cores_with_a_bound_thread(asked, threads)
    expected = min(omp_max_threads, len(asked.cores))
    if cores < expected:
        text = f"OpenMP threads share cores or are not bound: {expected} cores should each have one, {cores} have."
        return Verdict(THREADS_BOUND, False, text)
    return Verdict(THREADS_BOUND, True, f"Threads are bound inside the cpuset {cpuset} on {cores} cores, one to each.")


def _escaped_threads(asked: Asked, threads: Threads) -> str:
    """Which threads the kernel lets run outside of the pin, in words; empty if none."""
    found = [
        f"thread {thread['id']} ({thread['name']}) may use the CPUs {thread['allowed_cpus']}"
        for thread in threads
        if thread["allowed_cpus"] is not None and not parse_cpu_list(thread["allowed_cpus"]) <= asked.cpus
    ]
    return _some(found)


def _escaped(asked: Asked, bound: Iterable[Bound]) -> str:
    return _some([
        f"OpenMP thread {each.thread} is bound to the CPUs {each.cpus}"
        for each in bound
        if not parse_cpu_list(each.cpus) <= asked.cpus
    ])  # fmt: skip


def _judge_cores(asked: Asked, computing: Sequence[Bound], omp_threads: int) -> Verdict:
    """One thread of each team to a core. More than one operation at a time makes more than one team."""
    teams = math.ceil(len(computing) / omp_threads)
    per_core = Counter[int]()
    loose = []
    for bound in computing:
        cores = [number for number, core in enumerate(asked.cores) if core & parse_cpu_list(bound.cpus)]
        if len(cores) == 1:
            per_core[cores[0]] += 1
        else:
            loose.append(f"OpenMP thread {bound.thread} is bound to the CPUs {bound.cpus}, {len(cores)} cores")
    if loose:
        return Verdict(THREADS_BOUND, False, f"Threads are not bound to one core: {_some(loose)}.")
    crowded = [f"{count} threads on the core of the CPUs {format_cpu_list(asked.cores[core])}"
               for core, count in sorted(per_core.items()) if count > teams]  # fmt: skip
    if crowded:
        return Verdict(THREADS_BOUND, False, f"Threads share a core: {_some(crowded)}.")
    cpuset = format_cpu_list(asked.cpus)
    text = f"Every one of {len(computing)} OpenMP threads is bound inside the cpuset {cpuset}, one to a core"
    return Verdict(THREADS_BOUND, True, f"{text}." if teams == 1 else f"{text} in each of {teams} teams.")


def _cores_with_a_bound_thread(asked: Asked, threads: Threads) -> int:
    """On a core with one logical CPU in the pin, and on a pin of one core, a free thread's mask may look bound."""
    masks = [parse_cpu_list(thread["allowed_cpus"]) for thread in threads if thread["allowed_cpus"]]
    return sum(any(mask <= core for mask in masks) for core in asked.cores)


def _some(found: list[str], most: int = 3) -> str:
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + more
