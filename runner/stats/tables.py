"""The tables that a report and its CSV show, as pandas frames: speedups, throughputs, summaries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from runner.records import Record
from runner.stats.estimators import article_line, images_per_second, timed_step_seconds
from runner.stats.evidence import counts
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate, largest
from runner.stats.pairs import Pair, tabulate

SPEEDUP_COLUMNS = [
    "stack", "topology", "batch_size", "baseline", "candidate", "baseline_images_per_second",
    "candidate_images_per_second", "speedup", "ci_low", "ci_high", "blocks", "verdict", "status", "reason",
]  # fmt: skip

NO_CLEAR_DIFFERENCE = "no clear difference"
# Stands in the place of a verdict where a pair is flagged: nothing is made of its number.
NOT_COUNTED = "not counted"
TOO_FEW_BLOCKS = "too few blocks for an interval"


def speedups(pairs: Sequence[Pair]) -> pd.DataFrame:
    """One row for each pair; NaN where nothing could be measured. Speeds are images per second."""
    return pd.DataFrame([_speedup_row(pair) for pair in pairs], columns=SPEEDUP_COLUMNS)


def verdict(estimate: Estimate) -> str:
    """In words: an interval across 1 is no clear difference."""
    if not estimate.has_interval:
        return TOO_FEW_BLOCKS
    if estimate.low > 1:
        return "faster"
    return "slower" if estimate.high < 1 else NO_CLEAR_DIFFERENCE


def throughputs(records: Sequence[Record]) -> pd.DataFrame:
    """One row for each cell with a usable launch: images/s with interval, the article's estimator, memory (bytes)."""
    rows = []
    for cell, by_block in tabulate(records).items():
        usable = [record for record in by_block.values() if record.error is None]
        if usable:
            case = {"stack": cell.stack, "variant": cell.variant, "topology": cell.topology}
            rows.append({**case, "batch_size": cell.batch_size, **_throughput(usable, cell.batch_size)})
    return pd.DataFrame(rows)


def summaries(pairs: Sequence[Pair]) -> pd.DataFrame:
    """For each stack, batch size, baseline and candidate: geometric mean over topologies, and the largest speedup.

    Both are over `topologies` pairs: those that are measured and not flagged. `flagged` of them were left out. The mean
    is over the `geometric_blocks` blocks that all of these pairs have.
    """
    found: dict[tuple[str, int, str, str], list[Pair]] = {}
    for pair in pairs:
        key = (pair.group.stack, pair.group.batch_size, pair.baseline, pair.candidate)
        found.setdefault(key, []).append(pair)
    names = ("stack", "batch_size", "baseline", "candidate")
    return pd.DataFrame([{**dict(zip(names, key, strict=True)), **_summary(each)} for key, each in found.items()])


def _speedup_row(pair: Pair) -> dict[str, Any]:
    row: dict[str, Any] = {
        "stack": pair.group.stack, "topology": pair.group.topology, "batch_size": pair.group.batch_size,
        "baseline": pair.baseline, "candidate": pair.candidate, "blocks": len(pair.baseline_speeds),
        "verdict": "", "status": pair.status, "reason": pair.reason,
    }  # fmt: skip
    if not pair.is_measured:
        return row
    ratio = geometric_estimate(pair.ratios)
    return {
        **row,
        "baseline_images_per_second": geometric_estimate(pair.baseline_speeds).value,
        "candidate_images_per_second": geometric_estimate(pair.candidate_speeds).value,
        "speedup": ratio.value, "ci_low": ratio.low, "ci_high": ratio.high,
        "verdict": verdict(ratio) if counts(pair) else NOT_COUNTED,
    }  # fmt: skip


def _throughput(records: Sequence[Record], batch_size: int) -> dict[str, Any]:
    ours = geometric_estimate([images_per_second(record) for record in records])
    article = article_line([seconds for record in records for seconds in timed_step_seconds(record)], batch_size)
    peaks = [record.result["peak_memory_bytes"] for record in records if record.result]
    return {
        "images_per_second": ours.value,
        "ci_low": ours.low,
        "ci_high": ours.high,
        "launches": len(records),
        "article_total": article.total,
        "article_uncertainty": article.uncertainty,
        "article_jitter": article.jitter,
        "peak_memory_bytes": max((peak for peak in peaks if peak), default=math.nan),
    }


def _summary(pairs: Sequence[Pair]) -> dict[str, Any]:
    measured = [pair for pair in pairs if counts(pair)]
    flagged = sum(pair.is_measured for pair in pairs) - len(measured)
    row: dict[str, Any] = {"topologies": len(measured), "of_topologies": len(pairs), "flagged": flagged}
    if not measured:
        return row
    mean = _mean_over_topologies(measured)
    if mean is not None:
        row |= {"geometric_mean": mean.value, "geometric_low": mean.low, "geometric_high": mean.high,
                "geometric_blocks": mean.replicates}  # fmt: skip
    if min(len(pair.ratios) for pair in measured) >= FEWEST:
        top = max(measured, key=lambda pair: geometric_estimate(pair.ratios).value)
        most = largest([pair.ratios for pair in measured])
        row |= {"largest": most.value, "largest_low": most.low, "largest_high": most.high,
                "largest_topology": top.group.topology}  # fmt: skip
    return row


def _mean_over_topologies(pairs: Sequence[Pair]) -> Estimate | None:
    """The geometric mean over the blocks that all pairs have, a block's replicate being its mean log-ratio."""
    by_block = [pair.ratio_by_block for pair in pairs]
    common = [block for block in by_block[0] if all(block in each for each in by_block)]
    if not common:
        return None
    return geometric_estimate([geometric_estimate([each[block] for each in by_block]).value for block in common])
