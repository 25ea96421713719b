"""Rows of the tables that a report and speedups.csv show: speedups, throughputs and summaries. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.stats.estimators import ArticleLine, article_line, images_per_second, timed_step_seconds
from runner.stats.evidence_marks import counts
from runner.stats.family import estimate, largest, together, verdict
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate
from runner.stats.pairs import Comparison, Pair
from runner.storage.records import Record, latest
from runner.vocabulary import Cell

# Stands in place of a verdict where a pair is flagged or not complete: no verdict is given on its number.
NOT_COUNTED = "not counted"


@dataclass(frozen=True)
class Speedup:
    """One pair with its ratio. Where nothing could be measured, the verdict is empty and all else but the pair is None.

    `alone` is the ratio with the 95% interval of this pair by itself. `together` is the ratio with the interval that
    holds at once with those of all pairs of the run; the verdict is read off it. Both speeds are geometric means over
    the complete blocks, in images per second.
    """

    pair: Pair
    alone: Estimate | None
    together: Estimate | None
    baseline_images_per_second: float | None
    candidate_images_per_second: float | None
    verdict: str

    @property
    def blocks(self) -> int:
        """How many blocks are complete."""
        return len(self.pair.baseline_speeds)


@dataclass(frozen=True)
class Throughput:
    """One cell's speed over its `launches` usable launches, in images per second with its 95% interval.

    `article` is the article's own estimator over the timed steps of all these launches. `peak_memory_bytes` is the
    largest peak of any launch; None if no launch recorded one.
    """

    cell: Cell
    images_per_second: Estimate
    launches: int
    article: ArticleLine
    peak_memory_bytes: int | None


@dataclass(frozen=True)
class Largest:
    """The largest speedup over topologies. `own` is the estimate of the named topology, with its own interval.

    The interval of `joint` contains the largest true speedup, whichever topology has it. Both intervals come from the
    simultaneous intervals of the family.
    """

    topology: str
    own: Estimate
    joint: Estimate


@dataclass(frozen=True)
class Summary:
    """One pair of variants over the topologies of a stack at one batch size. `speedups` has a row for each topology.

    `mean` and `largest` are over the `topologies` speedups that are complete and not flagged. `flagged` is how many
    measured speedups were left out. The mean is geometric and has an interval of its own. Its replicates are the blocks
    that all of these topologies have; it is None if there is no such block. `largest` is None if one of these
    topologies has too few blocks for an interval.
    """

    stack: str
    batch_size: int
    baseline: str
    candidate: str
    speedups: tuple[Speedup, ...]
    topologies: int
    flagged: int
    mean: Estimate | None
    largest: Largest | None


def half_width(estimate: Estimate) -> float:
    """Return half of an estimate's interval as a share of its value: 0.05 is 5%. The interval is one of logarithms."""
    return math.sqrt(estimate.high / estimate.low) - 1


def speedups(pairs: Iterable[Pair]) -> dict[Comparison, Speedup]:
    """Return one row for each pair, in the order of the pairs."""
    return {pair.comparison: _speedup(pair) for pair in pairs}


def throughputs(records: Sequence[Record]) -> dict[Cell, Throughput]:
    """Return one row for each cell with a usable launch, in the order of the records."""
    by_cell: dict[Cell, list[Record]] = {}
    for record in latest(records).values():
        if record.error is None:
            by_cell.setdefault(record.cell, []).append(record)
    return {cell: _throughput(cell, usable) for cell, usable in by_cell.items()}


def summaries(rows: Iterable[Speedup]) -> tuple[Summary, ...]:
    """Return one row for each stack, batch size, baseline and candidate, in the order of the speedups."""
    found: dict[tuple[str, int, str, str], list[Speedup]] = {}
    for row in rows:
        group, pair = row.pair.group, row.pair
        found.setdefault((group.stack, group.batch_size, pair.baseline, pair.candidate), []).append(row)
    return tuple(_summary(*key, tuple(each)) for key, each in found.items())


def _speedup(pair: Pair) -> Speedup:
    if not pair.is_measured:
        return Speedup(pair, None, None, None, None, "")
    return Speedup(
        pair=pair,
        alone=estimate(pair.ratios, pair.first),
        together=together(pair.ratios, pair.family, pair.first),
        baseline_images_per_second=geometric_estimate(pair.baseline_speeds).value,
        candidate_images_per_second=geometric_estimate(pair.candidate_speeds).value,
        verdict=verdict(pair.ratios, pair.family, pair.first) if counts(pair) else NOT_COUNTED,
    )


def _throughput(cell: Cell, usable: Sequence[Record]) -> Throughput:
    peaks = [record.training.peak_memory_bytes for record in usable if record.training]
    return Throughput(
        cell=cell,
        images_per_second=geometric_estimate([images_per_second(record) for record in usable]),
        launches=len(usable),
        article=article_line([seconds for record in usable for seconds in timed_step_seconds(record)], cell.batch_size),
        peak_memory_bytes=max((peak for peak in peaks if peak), default=None),
    )


def _summary(stack: str, batch_size: int, baseline: str, candidate: str, rows: tuple[Speedup, ...]) -> Summary:
    pairs = [row.pair for row in rows]
    measured = [pair for pair in pairs if counts(pair)]
    flagged = sum(pair.is_measured for pair in pairs) - len(measured)
    mean, most = _mean_over_topologies(measured), _largest(measured)
    return Summary(stack, batch_size, baseline, candidate, rows, len(measured), flagged, mean, most)


def _largest(pairs: Sequence[Pair]) -> Largest | None:
    if not pairs or min(len(pair.ratios) for pair in pairs) < FEWEST:
        return None
    top = max(pairs, key=lambda pair: geometric_estimate(pair.ratios).value)
    own = together(top.ratios, top.family, top.first)
    firsts = [pair.first for pair in pairs]
    return Largest(top.group.topology, own, largest([pair.ratios for pair in pairs], top.family, firsts))


def _mean_over_topologies(pairs: Sequence[Pair]) -> Estimate | None:
    """Return the geometric mean over the blocks that all pairs have. Each block's replicate is its geometric mean.

    Of a run in two stages it has the first blocks alone: how many more a topology has depends on its spread.
    """
    by_block: list[Mapping[int, float]] = [
        {block: ratio for block, ratio in pair.ratio_by_block.items() if block <= (pair.first_blocks or block)}
        for pair in pairs
    ]
    common = [block for block in by_block[0] if all(block in each for each in by_block)] if by_block else []
    if not common:
        return None
    return geometric_estimate([geometric_estimate([each[block] for each in by_block]).value for block in common])
