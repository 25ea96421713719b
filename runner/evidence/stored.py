"""Checks stored verdicts again by today's rules, from the observations that stand beside them, and renews their text.

Pure functions of one line of evidence.jsonl. Where that line lacks the observations, the verdict stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.evidence.verdicts import (
    BASELINE_FREE,
    OWN_KERNELS_CALL,
    THREADS_BOUND,
    Verdict,
    listed,
    no_layer,
)

# Parts of sentences of earlier releases: on a baseline that passed, and on OpenMP threads in teams.
_FREE = " is free of Intel kernels: "
_IN_TEAMS = re.compile(r"Every one of (\d+) OpenMP threads is bound inside the cpuset (\S+), one to a core in each of ")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def held_to_todays_rules(verdict: Verdict, line: Mapping[str, Any]) -> Verdict:
    """The verdict that today's rules give for the primitives and threads in `line`, its line of evidence.jsonl."""
    if verdict.passed and verdict.id == BASELINE_FREE:
        return _baseline(verdict, line["primitives"])
    if verdict.passed and verdict.id == THREADS_BOUND:
        return _threads(verdict, line["threads"])
    return verdict


def _baseline(verdict: Verdict, primitives: list[Mapping[str, Any]]) -> Verdict:
    """Fail a baseline that passed an earlier, laxer rule if another primitive ran; else give it today's text."""
    counts = Counter[str]()
    for each in primitives:
        counts[each["kind"]] += each["count"]
    wrong = {kind: count for kind, count in counts.items() if kind not in OWN_KERNELS_CALL}
    if wrong:
        text = f"This is NOT free of Intel kernels: the library executed {listed(wrong, len(wrong))}."
        return Verdict(BASELINE_FREE, False, text)
    what, free, silence = verdict.text.partition(_FREE)
    if not free:
        return verdict
    return replace(verdict, text=no_layer(what, counts) if counts else no_layer(what, {}, silence.rstrip(".")))


def _threads(verdict: Verdict, threads: Mapping[str, Any]) -> Verdict:
    """Correct a verdict of an earlier rule, which counted whole teams where the stored bindings show that none are."""
    found, team = _IN_TEAMS.match(verdict.text), threads.get("openmp_max_threads")
    if not found or not team or int(found[1]) % team == 0:
        return verdict
    number, cpuset = int(found[1]), found[2]
    per_cpu = Counter(each["cpus"] for each in threads["bound"])
    where = ", ".join(f"{_in_words(count)} on CPU {cpus}" for cpus, count in sorted(per_cpu.items()))
    known = f" ({where})" if per_cpu.total() == number else ""
    text = (f"{number} OpenMP threads are bound inside the cpuset {cpuset}{known}; whether two of one team share a "
            "core is not known.")  # fmt: skip
    return Verdict(THREADS_BOUND, None, text)


def _in_words(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
