"""The report's sections on what was measured: speedups, throughput, what every launch showed of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from runner.report.document import Section, Table, table
from runner.report.measured import Measured
from runner.report.wording import interval, megabytes, plural, significant, times, topology_title, with_interval
from runner.stats.estimators import article_line, timed_step_seconds
from runner.stats.evidence import fingerprints_of, sides_of
from runner.stats.pairs import PARTIAL, Pair, tabulate
from runner.stats.pairs import Table as PairTable
from runner.storage.records import Record
from runner.vocabulary import Cell

PASSED = "passed"


def speedup_section(measured: Measured) -> Section:
    """The table of speedups, with verdicts, and the means below it."""
    rows = [
        (
            row.stack, topology_title(row.topology), str(row.batch_size), f"{row.candidate} / {row.baseline}",
            times(row.speedup), interval(row.ci_low, row.ci_high), interval(row.family_ci_low, row.family_ci_high),
            row.verdict or "—", str(row.blocks), str(row.status).replace("_", " "), _evidence_of(pair, measured),
            _reason(row, measured),
        )
        for row, pair in zip(measured.speedups.itertuples(), measured.pairs, strict=True)
    ]  # fmt: skip
    joint = f"95%, {plural(measured.family, 'pair')} at once"
    columns = (
        "stack",
        "topology",
        "batch size",
        "pair",
        "speedup",
        "95% interval",
        joint,
        "verdict",
        "blocks",
        "status",
        "evidence",
        "reason",
    )
    paragraphs = (
        "Speedup: images per second of the first variant over the second, from the paired log-ratios of the launches' "
        "median step times; one pair for each block. The 95% interval is Student's t over the blocks, which were fixed "
        "before the run; it is of this pair alone.",
        f"The verdict is read off the interval beside it, which holds at once with those of all "
        f"{plural(measured.family, 'pair')} that the run was planned with, whatever became of them (Bonferroni): one "
        "that holds 1 is called no clear difference. A pair that lacks a launch gets no verdict.",
    )
    numeric = ("batch size", "speedup", "95% interval", joint, "blocks")
    return Section("Speedups", paragraphs, (table(columns, rows, numeric), _summary_table(measured.summaries)))


def _evidence_of(pair: Pair, measured: Measured) -> str:
    """The gravest verdict on a pair's two cells, with the few words that also stand in the figure."""
    sides = sides_of(pair, measured.cells)
    if not sides:
        return "—"
    if sides[0].status == "failed":
        return f"failed: {sides[0].remark}"
    if len(sides) == 1:  # no launch has measured the other side, and this one's evidence must not stand for both
        return f"{sides[0].cell.variant} only: {sides[0].status}"
    if sides[0].status == PASSED and fingerprints_of(pair, measured.cells) is None:
        return f"{PASSED}; no fingerprint"
    return sides[0].status


def _reason(row: Any, measured: Measured) -> str:
    """Why a pair's status is not ok, and what completes it if that is what it needs."""
    if row.status != PARTIAL:
        return str(row.reason) or "—"
    return f"{row.reason}. Complete it with: {measured.completing}"


def throughput_section(measured: Measured) -> Section:
    """Images per second, ours and as the article's script computes and prints them."""
    frame = measured.throughputs
    if frame.empty:
        return Section("Throughput", ("No launch has ended well.",))
    order = {launch.cell: launch.cell.group.report_order() for launch in measured.run.launches}
    rows = sorted(frame.to_dict("records"), key=lambda row: _rank(row, order, measured))
    columns = (
        "stack", "variant", "Network", "batch_size", "images/second", "95% interval", "launches",
        "article's total images/sec", "+/-", "jitter", "peak memory (MB)",
    )  # fmt: skip
    cells = [
        (
            row["stack"], row["variant"], row["topology"], str(row["batch_size"]),
            significant(row["images_per_second"], 4), interval(row["ci_low"], row["ci_high"]), str(row["launches"]),
            significant(row["article_total"], 4), significant(row["article_uncertainty"]),
            significant(row["article_jitter"]), megabytes(row["peak_memory_bytes"]),
        )
        for row in rows
    ]  # fmt: skip
    paragraph = (
        "images/second is the geometric mean over launches of batch size / median step time. The article's script "
        'prints "total images/sec" (batch size x steps / elapsed), +/- (std / sqrt(n)) and jitter (1.4826 x median '
        "absolute deviation), here over the timed steps of all launches; its +/- treats steps as independent, which "
        "steps of one launch are not."
    )
    numeric = frozenset(columns[3:])
    estimators = _estimators_table(measured)
    return Section("Throughput", (paragraph,), (Table(columns, tuple(cells), numeric), estimators))


def launches_section(measured: Measured) -> Section:
    """What the timed launches themselves showed after their last step: libraries, threads, wheel."""
    seen: dict[tuple[str, str], Record] = {}
    for record in measured.usable:
        seen.setdefault((record.cell.stack, record.cell.variant), record)
    rows = [(stack, variant, *_evidence(record)) for (stack, variant), record in sorted(seen.items())]
    columns = (
        "stack", "variant", "TensorFlow", "MKL or oneDNN on", "libraries mapped", "OpenMP threads", "threads",
        "CPUs at start", "wheel", "RECORD sha256",
    )  # fmt: skip
    paragraph = (
        "Read inside one timed launch of each variant, after its last timed step; every launch's is in records.jsonl."
    )
    return Section("What ran", (paragraph,), (table(columns, rows, ("OpenMP threads", "threads")),))


def _summary_table(frame: pd.DataFrame) -> Table:
    rows = []
    for row in frame.to_dict("records"):
        mean = _mean(row) if row["topologies"] > 1 else "—"
        within = interval(row["largest_low"], row["largest_high"]) if _is_known(row, "largest") else "—"
        pair = f"{row['candidate']} / {row['baseline']}"
        left_out = f", {row['flagged']} not counted" if row["flagged"] else ""
        count = f"{row['topologies']} of {row['of_topologies']}{left_out}"
        rows.append((row["stack"], str(row["batch_size"]), pair, mean, _largest(row), within, count))
    columns = (
        "stack", "batch size", "pair", "geometric mean [95%, of it alone]", "largest [95%, all pairs at once]",
        "the largest true one is within", "topologies",
    )  # fmt: skip
    return table(columns, rows, columns[3:], caption="Over the topologies")


def _mean(row: Mapping[str, Any]) -> str:
    if not _is_known(row, "geometric_mean"):
        return "—"
    return with_interval(row["geometric_mean"], row["geometric_low"], row["geometric_high"])


def _largest(row: Mapping[str, Any]) -> str:
    """The named bar with its own interval, which holds at once with the others."""
    if not _is_known(row, "largest"):
        return "—"
    shown = with_interval(row["largest"], row["largest_own_low"], row["largest_own_high"])
    return f"{shown} ({topology_title(row['largest_topology'])})"


def _is_known(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name)
    return value is not None and not math.isnan(value)


def _rank(row: Mapping[str, Any], ranks: Mapping[Any, Any], measured: Measured) -> tuple[Any, ...]:
    order = next(rank for cell, rank in ranks.items() if _is(cell, row))
    return (*order, measured.variants(row["stack"]).index(row["variant"]))


def _is(cell: Any, row: Mapping[str, Any]) -> bool:
    return all(getattr(cell, key) == row[key] for key in ("stack", "topology", "batch_size"))


def _estimators_table(measured: Measured) -> Table:
    by_cell = tabulate(measured.records)
    rows = []
    for pair, row in zip(measured.pairs, measured.speedups.itertuples(), strict=True):
        theirs = math.nan
        if pair.is_measured:
            base, other = (_articles_total(pair, name, by_cell) for name in (pair.baseline, pair.candidate))
            theirs = other / base
        name = f"{pair.candidate} / {pair.baseline}"
        rows.append(
            (row.stack, topology_title(row.topology), str(row.batch_size), name, times(row.speedup), times(theirs))
        )
    columns = ("stack", "topology", "batch size", "pair", "our speedup", "from the article's estimator")
    return table(columns, rows, columns[4:], caption="The same speedups, from either estimator")


def _articles_total(pair: Pair, variant: str, by_cell: PairTable) -> float:
    """The article's images/s of one side, over the timed steps of the pair's complete blocks."""
    group = pair.group
    found = by_cell[Cell(group.stack, variant, group.topology, group.batch_size)]
    seconds = [each for block in pair.blocks for each in timed_step_seconds(found[block])]
    return article_line(seconds, group.batch_size).total


def _evidence(record: Record) -> tuple[str, ...]:
    result = record.result or {}
    evidence, observed = result["evidence"], result["observed"]
    libraries = sorted({entry["name"].split(".so")[0] for entry in evidence["mapped_libraries"]})
    wheel = evidence["wheel"] or {}
    omp = observed["omp_max_threads"]
    return (
        str(result["versions"]["tensorflow"]), {True: "yes", False: "no"}.get(result["mkl_enabled"], "not known"),
        ", ".join(libraries), "none mapped" if omp is None else str(omp), str(len(evidence["threads"])),
        observed["allowed_cpus"], f"{wheel.get('distribution', '?')} {wheel.get('version', '?')}",
        str(wheel.get("record_sha256", "?"))[:12],
    )  # fmt: skip
