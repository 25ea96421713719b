"""Where the wall time of launches went: start-up, warm-up, timed training, and the rest. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.stats.estimators import timed_step_seconds
from runner.stats.living_together import members_of
from runner.storage.launch_result import LaunchResult
from runner.storage.records import Record


@dataclass(frozen=True)
class LaunchTime:
    """The wall time of some launches, in seconds, summed over the launches.

    `total` runs from the start of the container or process to its end, as the runner saw it. The workload measured the
    parts that have a name: `imports` (TensorFlow and numpy), `graph` (building it), `initialise` (the session and the
    initial values), `warmup` and `timed` (the training steps). Launches
    that take turns start at the same time, so each of them counts with its share of that time.
    """

    launches: int
    total: float
    imports: float
    graph: float
    initialise: float
    warmup: float
    timed: float

    @property
    def rest(self) -> float:
        """What no part covers: starting and ending the container or process, the job, the evidence, the result."""
        return self.total - (self.imports + self.graph + self.initialise + self.warmup + self.timed)

    @property
    def timed_share(self) -> float:
        """The share of the wall time that was timed training."""
        return self.timed / self.total


def launch_time(records: Iterable[Record]) -> LaunchTime | None:
    """The wall time of all launches among these that trained; None if there is none."""
    trained = [(record, record.training) for record in records if record.training and record.facts["seconds"] > 0]
    if not trained:
        return None
    return LaunchTime(
        launches=len(trained),
        total=sum(record.facts["seconds"] / members_of(record) for record, _ in trained),
        imports=sum(_seconds(result, "import") / members_of(record) for record, result in trained),
        graph=sum(_seconds(result, "graph_build") / members_of(record) for record, result in trained),
        initialise=sum(_seconds(result, "initialise") / members_of(record) for record, result in trained),
        warmup=sum(step.seconds for _, result in trained for step in result.steps if step.phase == "warmup"),
        timed=sum(sum(timed_step_seconds(record)) for record, _ in trained),
    )


def _seconds(result: LaunchResult, part: str) -> float:
    """The seconds of one part of a launch's start-up; 0 if it was not measured, so that the rest has them."""
    return result.seconds.get(part) or 0.0
