"""Where the wall time of a run's launches went: start-up, warm-up, timed training, and the rest. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.stats.estimators import timed_step_seconds
from runner.storage.records import Record


@dataclass(frozen=True)
class LaunchTime:
    """The wall time of some launches of one variant, in seconds, summed over the launches.

    `total` runs from the start of the container or process to its end, as the runner saw it. The workload measured the
    parts that have a name: `imports` (TensorFlow and numpy), `graph` (building it), `initialise` (the session and the
    initial values), `warmup` and `timed` (the training steps).
    """

    stack: str
    variant: str
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


def launch_times(usable: Iterable[Record]) -> list[LaunchTime]:
    """One entry for each stack and variant, in the order of the records. Launches without a training are left out."""
    by_variant: dict[tuple[str, str], list[Record]] = {}
    for record in usable:
        if record.training is not None and record.facts["seconds"] > 0:
            by_variant.setdefault((record.cell.stack, record.cell.variant), []).append(record)
    return [_sum(stack, variant, records) for (stack, variant), records in by_variant.items()]


def all_together(times: Sequence[LaunchTime]) -> LaunchTime:
    """The sum over all variants; its stack and variant are empty."""
    return LaunchTime(
        stack="",
        variant="",
        launches=sum(each.launches for each in times),
        total=sum(each.total for each in times),
        imports=sum(each.imports for each in times),
        graph=sum(each.graph for each in times),
        initialise=sum(each.initialise for each in times),
        warmup=sum(each.warmup for each in times),
        timed=sum(each.timed for each in times),
    )


def _sum(stack: str, variant: str, records: Sequence[Record]) -> LaunchTime:
    return LaunchTime(
        stack=stack,
        variant=variant,
        launches=len(records),
        total=sum(record.facts["seconds"] for record in records),
        imports=_measured(records, "import"),
        graph=_measured(records, "graph_build"),
        initialise=_measured(records, "initialise"),
        warmup=sum(_warmup(record) for record in records),
        timed=sum(sum(timed_step_seconds(record)) for record in records),
    )


def _measured(records: Sequence[Record], part: str) -> float:
    """Seconds of one part of the start-up, over the launches that recorded it."""
    return sum(record.training.seconds.get(part) or 0.0 for record in records if record.training)


def _warmup(record: Record) -> float:
    return sum(step.seconds for step in record.training.steps if step.phase == "warmup") if record.training else 0.0
