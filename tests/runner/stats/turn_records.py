"""Records of launches that took turns, for tests: every burst as the test has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.storage.records import Record
from tests.runner.builders import record

# A burst of a test: when it began (seconds), and the seconds of its steps. The first one is warm-up.
Bursts = Mapping[int, tuple[float, Sequence[float]]]


def by_turns(
    variant: str, bursts: Bursts, *, block: int = 1, position: int = 1, members: int = 2,
    idle_cpu_seconds: float = 0.0, settled_seconds: float | None = 0.0, topology: str = "resnet50",
) -> Record:  # fmt: skip
    """A launch with these bursts, by the number of the turn; steps of a burst follow one another without a gap."""
    made = record(variant, block, topology=topology)
    steps: list[dict[str, Any]] = []
    recorded: list[dict[str, Any]] = []
    for turn, (began, seconds) in bursts.items():
        phase = "timed" if recorded else "warmup"
        for number, each in enumerate(seconds):
            steps.append({"index": len(steps), "phase": phase, "seconds": each, "loss": 1.0, "turn": turn,
                          "began": began + sum(seconds[:number])})  # fmt: skip
        recorded.append({"turn": turn, "phase": phase, "began": began, "ended": began + sum(seconds),
                         "idle_cpu_seconds": idle_cpu_seconds if recorded else None,
                         "settled_seconds": settled_seconds})  # fmt: skip
    turns = {"members": members, "bursts": len(bursts) - 1, "burst_seconds": 1.0}
    return replace(
        made,
        case={**made.case, "position": position},
        conditions={**made.conditions, "turns": turns},
        result={**(made.result or {}), "steps": steps, "bursts": recorded},
    )
