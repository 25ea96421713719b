"""Estimates how long the rest of a run takes, from the launches that have ended and the cost of each topology."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from runner.storage.records import Record
from runner.topologies import BUILT_IN
from runner.vocabulary import Launch

# Training GFLOPs for one image (`python images/workload --describe TOPOLOGY` counts them from the graph). They are used
# only to estimate a topology's duration from another one's, before it has been measured once.
TRAINING_GFLOPS: Mapping[str, float] = {name: topology.training_gflops for name, topology in BUILT_IN.items()}
# What a launch takes besides its steps (start, import, graph), expressed in the same GFLOPs.
FIXED_GFLOPS = 300.0


def weight(launch: Launch) -> float:
    """The estimated work of a launch in GFLOPs, before anything is known of this host."""
    images = launch.cell.batch_size * (launch.steps.warmup + launch.steps.timed)
    return FIXED_GFLOPS + images * TRAINING_GFLOPS.get(launch.cell.topology, 30.0)


def seconds_left(left: Sequence[Launch], planned: Sequence[Launch], finished: Sequence[Record]) -> float | None:
    """Expected seconds for the launches that are left; None while no launch has ended.

    A launch whose cell has been measured counts with that cell's mean. Any other counts with its weight, multiplied by
    the mean seconds per weight of its variant on its stack, else of that variant on any stack, else of all launches.
    Launches that live together end together, so each of them counts with its share of that time.
    """
    by_id = {launch.launch_id: launch for launch in planned}
    seen = [
        (launch, float(record.facts["seconds"]) / launch.members)
        for record, launch in ((record, by_id[record.launch_id]) for record in finished)
    ]
    if not seen:
        return None
    return sum(_expected(launch, seen) for launch in left)


def _expected(launch: Launch, seen: Sequence[tuple[Launch, float]]) -> float:
    same_cell = [seconds for other, seconds in seen if other.cell == launch.cell]
    if same_cell:
        return statistics.fmean(same_cell)
    same_variant = [entry for entry in seen if entry[0].cell.variant == launch.cell.variant]
    same_build = [entry for entry in same_variant if entry[0].cell.stack == launch.cell.stack]
    nearest = same_build or same_variant or seen
    rate = sum(seconds for _, seconds in nearest) / sum(weight(other) for other, _ in nearest)
    return rate * weight(launch)
