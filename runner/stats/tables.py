"""The tables that a report and its CSV show, as pandas frames: speedups, throughputs, summaries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from runner.stats.estimators import article_line, images_per_second, timed_step_seconds
from runner.stats.evidence import counts
from runner.stats.family import largest, together, verdict
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate
from runner.stats.pairs import Pair, tabulate
from runner.storage.records import Record

SPEEDUP_COLUMNS = [
    "stack", "topology", "batch_size", "baseline", "candidate", "baseline_images_per_second",
    "candidate_images_per_second", "speedup", "ci_low", "ci_high", "blocks", "verdict", "status", "reason",
    "family_ci_low", "family_ci_high", "family_size",
]  # fmt: skip

# Stands in the place of a verdict where a pair is flagged or not complete: nothing is made of its number.
NOT_COUNTED = "not counted"


def speedups(pairs: Sequence[Pair]) -> pd.DataFrame:
    """One row for each pair; NaN where nothing could be measured. Speeds are images per second.

    `ci_low` and `ci_high` are the 95% interval of this pair by itself; `family_ci_low` and `family_ci_high` hold at
    once with those of all `family_size` pairs of the run, and the verdict is read off them.
    """
    return pd.DataFrame([_speedup_row(pair) for pair in pairs], columns=SPEEDUP_COLUMNS)


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

    Both are over `topologies` pairs: those that are complete and not flagged. `flagged` measured ones were left out.
    The mean's interval is its own, over the `geometric_blocks` blocks; the largest one's is read off the family's.
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
        "verdict": "", "status": pair.status, "reason": pair.reason, "family_size": pair.family,
    }  # fmt: skip
    if not pair.is_measured:
        return row
    ratio, joint = geometric_estimate(pair.ratios), together(pair.ratios, pair.family)
    return {
        **row,
        "baseline_images_per_second": geometric_estimate(pair.baseline_speeds).value,
        "candidate_images_per_second": geometric_estimate(pair.candidate_speeds).value,
        "speedup": ratio.value, "ci_low": ratio.low, "ci_high": ratio.high,
        "family_ci_low": joint.low, "family_ci_high": joint.high,
        "verdict": verdict(pair.ratios, pair.family) if counts(pair) else NOT_COUNTED,
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
        most = largest([pair.ratios for pair in measured], top.family)
        own = together(top.ratios, top.family)
        row |= {"largest": most.value, "largest_low": most.low, "largest_high": most.high,
                "largest_own_low": own.low, "largest_own_high": own.high,
                "largest_topology": top.group.topology}  # fmt: skip
    return row


def _mean_over_topologies(pairs: Sequence[Pair]) -> Estimate | None:
    """The geometric mean over the blocks that all pairs have, a block's replicate being its mean log-ratio."""
    by_block = [pair.ratio_by_block for pair in pairs]
    common = [block for block in by_block[0] if all(block in each for each in by_block)]
    if not common:
        return None
    return geometric_estimate([geometric_estimate([each[block] for each in by_block]).value for block in common])
