"""How long will the rest take? Estimates from the launches that have ended, scaled by what each topology costs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from runner.storage.records import Record
from runner.topologies import BUILT_IN
from runner.vocabulary import Launch

# Training GFLOPs for one image, used only to carry a duration over from one topology to another before each has been
# seen once (`python images/workload --describe TOPOLOGY` counts them from the graph).
TRAINING_GFLOPS: Mapping[str, float] = {name: topology.training_gflops for name, topology in BUILT_IN.items()}
# Start, import, graph: what a launch takes besides its steps, as GFLOPs of the same currency.
FIXED_GFLOPS = 300.0


def weight(launch: Launch) -> float:
    """What a launch costs relative to others, before anything is known of this host."""
    images = launch.cell.batch_size * (launch.steps.warmup + launch.steps.timed)
    return FIXED_GFLOPS + images * TRAINING_GFLOPS.get(launch.cell.topology, 30.0)


def seconds_left(left: Sequence[Launch], planned: Sequence[Launch], finished: Sequence[Record]) -> float | None:
    """Expected seconds for the launches that are left; None while none has ended.

    A cell that has been seen counts with its own mean; another with its weight times the mean seconds per weight of
    its variant on its stack, of that variant on any stack, or of all launches.
    """
    by_id = {launch.launch_id: launch for launch in planned}
    seen = [(by_id[record.launch_id], float(record.facts["seconds"])) for record in finished]
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
