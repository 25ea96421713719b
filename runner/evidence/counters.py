"""Makes counts per training step from what was counted while a launch ran. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.evidence.perf_output import EVENTS, HARDWARE, Counted

NOT_INSTALLED = "perf is not installed on this host (in Debian the package linux-perf)"
NEVER_SEEN = "the launch's process was not seen from this host"
TOO_SHORT = "its timed steps are shorter than the intervals in which perf counts"
NOT_THE_LAUNCH = "perf counted next to no CPU time, so that it saw another process than the one that trained"
NO_HARDWARE = "perf counted none of the processor's events: the kernel or the hypervisor of this host hides them"
# A step that trains uses at least this share of a core.
LEAST_CPU = 0.1


@dataclass(frozen=True)
class Counters:
    """What one step of a launch's timed steps did, over all its threads.

    `per_step` has one count for each event, `task-clock` in milliseconds; None for an event that this host does not
    count. `covered_seconds` is how much of the steps' time the counts are from. `error` says why there are none.
    `user_only` says that the kernel's part of cycles, instructions and misses was left out.
    """

    tool: str | None
    per_step: Mapping[str, float | None]
    covered_seconds: float = 0.0
    step_seconds: float | None = None
    error: str | None = None
    user_only: bool = False

    def to_json(self) -> dict[str, Any]:
        """The counters as a line of evidence.jsonl has them."""
        return {"tool": self.tool, "per_step": dict(self.per_step), "covered_seconds": self.covered_seconds,
                "step_seconds": self.step_seconds, "error": self.error, "user_only": self.user_only}  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counters:
        """The counters that `to_json` wrote."""
        return cls(
            data["tool"], data["per_step"], data["covered_seconds"], data["step_seconds"], data["error"],
            data["user_only"],
        )  # fmt: skip

    @property
    def why_no_hardware(self) -> str | None:
        """Why there is no count of the processor's own counters; None if there is one."""
        if self.error is not None:
            return self.error
        return None if any(self.per_step.get(event) is not None for event in HARDWARE) else NO_HARDWARE

    @property
    def is_worth_keeping(self) -> bool:
        """Whether another launch would be counted in the same way: not if an engine did not answer this time."""
        return self.error is None or not self.error.startswith(f"{NEVER_SEEN}: ")


def counters_of(counted: Counted, steps: Sequence[Mapping[str, Any]]) -> Counters:
    """Return the counts per step of a launch's timed steps, which follow one another without a pause.

    Only intervals that lie within the steps count. Their rate, over all of them together, is held to be that of the
    steps.
    """
    timed = [step for step in steps if step["phase"] == "timed"]
    if counted.error is not None or not timed:
        return Counters(counted.tool, {}, error=counted.error or "no step was timed")
    began = timed[0]["began"]
    ended = timed[-1]["began"] + timed[-1]["seconds"]
    inside = [each for each in counted.intervals if each.began >= began and each.ended <= ended]
    covered = math.fsum(each.ended - each.began for each in inside)
    if not covered:
        return Counters(counted.tool, {}, error=TOO_SHORT)
    step_seconds = (ended - began) / len(timed)
    found: dict[str, float | None] = {}
    for event in EVENTS:
        counts = [count for each in inside if (count := each.counts.get(event)) is not None]
        found[event] = math.fsum(counts) / covered * step_seconds if len(counts) == len(inside) else None
    if (found["task-clock"] or 0.0) < 1000 * LEAST_CPU * step_seconds:
        return Counters(counted.tool, {}, error=NOT_THE_LAUNCH)
    return Counters(counted.tool, found, covered, step_seconds, user_only=counted.user_only)
