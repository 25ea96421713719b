"""The state of a run between two launches: the speedups so far, and the time that the rest will take.

It is computed when a launch has ended, and never while one runs, because that would take CPU time from the launch (rule
10 of CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from runner.stats.family import estimate
from runner.stats.intervals import Estimate
from runner.stats.pairs import Pair, pairs_of
from runner.storage.records import Record
from runner.storage.remaining import seconds_left
from runner.storage.runs import Run
from runner.support.wording import times
from runner.vocabulary import Launch


@dataclass(frozen=True)
class Standing:
    """A run between two launches. `running` holds every pair that has a complete block, with its mean so far.

    `seconds_left` is for the launches that have not ended; None while none has ended, or if none is left.
    """

    running: tuple[tuple[Pair, Estimate], ...]
    seconds_left: float | None


# The run, all its records, and what it has left.
StandingOf = Callable[[Run, Sequence[Record], Sequence[Launch]], Standing]


def standing_of(run: Run, records: Sequence[Record], left: Sequence[Launch]) -> Standing:
    """Compute the state of a run from all its records. For hundreds of records this takes tenths of a second."""
    pairs = pairs_of(run, records)
    return Standing(
        running=tuple((pair, estimate(pair.ratios, pair.first)) for pair in pairs if pair.is_measured),
        seconds_left=seconds_left(left, run.launches, records) or None,
    )


def running_mean(standing: Standing, record: Record, records: Sequence[Record]) -> str:
    """The mean so far of the pair that a launch has completed in its block; "" if the other side has not ended yet.

    If a launch completes several pairs, one is shown: the first in which its variant is the candidate, else the last in
    which its variant is the baseline.
    """
    group, variant = record.cell.group, record.cell.variant
    # An earlier session may have completed the pair in this block; only this session counts.
    ended = {each.cell.variant for each in records
             if (each.cell.group, each.block, each.session) == (group, record.block, record.session)}  # fmt: skip
    measured = [
        (pair, mean)
        for pair, mean in standing.running
        if pair.group == group and record.block in pair.blocks and {pair.baseline, pair.candidate} <= ended
    ]
    as_candidate = [each for each in measured if each[0].candidate == variant]
    as_baseline = [each for each in measured if each[0].baseline == variant]
    found = as_candidate[:1] or as_baseline[-1:]
    if record.error is not None or not found:
        return ""
    pair, ratio = found[0]
    blocks = f"{ratio.replicates} complete block{'' if ratio.replicates == 1 else 's'}"
    return f"{pair.candidate}/{pair.baseline} {times(ratio.value)} over {blocks}"


def running_table(standing: Standing) -> Table | None:
    """The running means of all pairs; None while no block of any pair is complete."""
    if not standing.running:
        return None
    table = Table("topology", "batch", "pair", "speedup so far", "95% interval", "complete blocks", box=None)
    for pair, ratio in standing.running:
        interval = f"{ratio.low:.2f} to {ratio.high:.2f}" if ratio.has_interval else "after 2 blocks"
        names = f"{pair.candidate} / {pair.baseline}"
        table.add_row(pair.group.topology, str(pair.group.batch_size), names, f"{ratio.value:.2f}x", interval,
                      str(ratio.replicates))  # fmt: skip
    return table
