"""Explains why a launch used only few of its CPUs, from what it recorded about its threads. Pure functions.

Only observations are used: masks, the CPU that each thread was last on, CPU seconds, and seconds of waiting for a CPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from runner.machine.cpulist import format_cpu_list, parse_cpu_list
from runner.support.wording import plural

# A thread that used a CPU for less than this share of the timed steps' time did not compute: it started work for others
# or waited.
COMPUTED = 0.02
# A thread with at least this share of all CPU seconds counts as the only one that worked.
ALONE = 0.9
# Threads that share one CPU must keep it busy for at least this share of the time. Otherwise sharing did not slow them.
FULL = 0.8
# Waiting for a CPU is the reason if threads were ready to run, without a CPU, for at least this share of the unused CPU
# time.
WAITED = 0.5


def why_few(result: Mapping[str, Any], cpus: frozenset[int], wall_seconds: float) -> str:
    """The reason, as a clause without a full stop, for a launch on `cpus` whose timed steps took `wall_seconds`."""
    masks = {thread["id"]: thread["allowed_cpus"] for thread in result["evidence"]["threads"]}
    computed = [each for each in result["cpu"]["threads"] if each["cpu_seconds"] >= COMPUTED * wall_seconds]
    spent = sum(each["cpu_seconds"] for each in computed)
    if not computed or not spent:
        return "none of its threads that were left at the end had computed"
    shared = _shared(computed, masks, cpus)
    if shared and (there := sum(each["cpu_seconds"] for each in shared[1])) >= FULL * wall_seconds:
        cpu, threads = shared
        share = there / spent
        which = "all" if len(threads) == len(computed) else f"{len(threads)} of the"
        return (f"{which} {plural(len(computed), 'thread')} that computed may run on CPU {cpu} only, where they took "
                f"turns: {share:.0%} of the CPU seconds were used there")  # fmt: skip
    last = sorted({each["last_cpu"] for each in computed})
    waited = sum(each["waited_seconds"] or 0.0 for each in computed)
    if len(last) == 1 and len(computed) > 1 and spent >= FULL * wall_seconds:
        who = f"all {plural(len(computed), 'thread')} that computed"
        allowed = frozenset[int]().union(*(_allowed(masks.get(each["id"]), cpus) for each in computed))
        return (f"{who} were last seen on CPU {last[0]}, though they may run on {format_cpu_list(allowed)}; they were "
                f"ready to run and had no CPU for {waited:.1f} s")  # fmt: skip
    most = max(each["cpu_seconds"] for each in computed)
    if most >= ALONE * spent:
        return f"one thread used {most / spent:.0%} of the CPU seconds"
    if waited >= WAITED * (len(cpus) * wall_seconds - spent):
        return (f"its threads were ready to run for {waited:.1f} s in all and got none of the CPUs "
                f"{format_cpu_list(cpus)}")  # fmt: skip
    return (f"{plural(len(computed), 'thread')} computed, last seen on the CPUs {format_cpu_list(last)}; neither their "
            "masks nor the time that they waited for a CPU explain this")  # fmt: skip


def _allowed(mask: str | None, cpus: frozenset[int]) -> frozenset[int]:
    """The CPUs of the pin that a thread may use; all of them if its mask is not known."""
    return parse_cpu_list(mask) & cpus if mask else cpus


def _shared(
    computed: Sequence[Mapping[str, Any]], masks: Mapping[int, str | None], cpus: frozenset[int]
) -> tuple[int, list[Mapping[str, Any]]] | None:
    """The CPU to which the most threads that computed are confined, and these threads; None if no two share a CPU."""
    if len(cpus) == 1:
        return None
    only = {each["id"]: next(iter(mask)) for each in computed
            if len(mask := parse_cpu_list(masks.get(each["id"]) or "")) == 1}  # fmt: skip
    for cpu, count in Counter(only.values()).most_common(1):
        if count > 1:
            return cpu, [each for each in computed if only.get(each["id"]) == cpu]
    return None
