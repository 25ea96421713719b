"""The report's sections on what was measured: speedups, throughput, and what launches recorded of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.report.document import Section, Table, table
from runner.report.measured import completing, in_order_of_interest, typical_step
from runner.report.value_text import (
    ends,
    estimated,
    factor,
    megabytes,
    plural,
    present,
    significant,
    times,
    topology_title,
)
from runner.stats.estimators import article_line, timed_step_seconds
from runner.stats.evidence_marks import fingerprints_of, sides_of
from runner.stats.pairs import PARTIAL, Pair, in_sitting, sitting_of, tabulate
from runner.stats.pairs import Table as PairTable
from runner.stats.results import Results
from runner.stats.tables import Largest, Speedup, Summary
from runner.stats.verdict_words import FASTER, NO_CLEAR_DIFFERENCE, SLOWER
from runner.status import Status
from runner.storage.launch_result import InstalledWheel, LaunchEvidence, LaunchResult, Observed
from runner.storage.records import Record
from runner.vocabulary import Cell

PASSED = "passed"
# The statuses beside which a missing verdict has its reason in the number of blocks alone.
NO_VERDICT_BY_BLOCKS = (Status.OK, Status.NO_EVIDENCE)
MEAN = "geometric mean [95%, of it alone]"


def speedup_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section that shows every speedup at a glance, and the one that has everything about each."""
    paragraph = (
        "How many times as fast the first variant trains as the second, with the 95% interval that holds at once for "
        f"all {plural(measured.family, 'pair')} of the run. Bold: the interval does not contain 1. A remark stands "
        "where a pair has no verdict."
    )
    tables = [
        _overview(measured, stack, size) for stack in in_order_of_interest(measured) for size in measured.batch_sizes
    ]
    return (Section("Speedups", (paragraph,), tuple(each for each in tables if each.rows)), _in_full(measured))


def _overview(measured: Results, stack: str, batch_size: int) -> Table:
    """Return one row for each network and one column for each pair, of one stack at one batch size."""
    rows = [row for row in measured.speedups.values()
            if (row.pair.group.stack, row.pair.group.batch_size) == (stack, batch_size)]  # fmt: skip
    pairs = list(dict.fromkeys(_pair_of(row.pair) for row in rows))
    cells = {(row.pair.group.topology, _pair_of(row.pair)): _glance(row) for row in rows}
    topologies = list(dict.fromkeys(row.pair.group.topology for row in rows))
    means = {f"{each.candidate} / {each.baseline}": each for each in measured.summaries
             if (each.stack, each.batch_size) == (stack, batch_size) and each.topologies > 1}  # fmt: skip
    lines = [(topology_title(name), *(cells.get((name, pair), "—") for pair in pairs)) for name in topologies]
    foot = ((MEAN, *(estimated(means[pair].mean) if pair in means else "—" for pair in pairs)),) if means else ()
    title = f"{measured.header.stacks[stack].title}, batch size {batch_size}"
    return replace(table(("network", *pairs), lines, pairs, caption=title), foot=foot)


def _glance(row: Speedup) -> str:
    """Return a speedup in a few words. Its verdict is shown in bold, or a remark says why there is none."""
    if row.together is None:
        return row.pair.status.words
    text = estimated(row.together)
    if row.verdict in (FASTER, SLOWER):
        return f"**{text}**"
    if row.verdict == NO_CLEAR_DIFFERENCE:
        return text
    return f"{text} ({row.verdict if row.pair.status in NO_VERDICT_BY_BLOCKS else row.pair.status.words})"


def _pair_of(pair: Pair) -> str:
    return f"{pair.candidate} / {pair.baseline}"


def _in_full(measured: Results) -> Section:
    """Return the section with the table of speedups and verdicts, and the means over topologies below it."""
    rows = [
        (
            *_names(row.pair), factor(row.alone), ends(row.alone), ends(row.together), row.verdict or "—",
            str(row.blocks), row.pair.status.words, _evidence_of(row.pair, measured),
            _reason(row.pair, measured),
        )
        for row in measured.speedups.values()
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
        "A speedup is the images per second of the first variant over those of the second. It is computed from paired "
        "log-ratios of the launches' speeds, one for each block. The 95% interval is Student's t over the blocks, "
        f"whose number was fixed {_fixed(measured)}. It is for this pair alone.",
        "The verdict is read off the interval beside it, which holds at once with those of all "
        f"{plural(measured.family, 'pair')} that the run was planned with, measured or not (Bonferroni). If that "
        "interval contains 1, the verdict is no clear difference. A pair that lacks a launch gets no verdict.",
    )
    numeric = ("batch size", "speedup", "95% interval", joint, "blocks")
    tables = (table(columns, rows, numeric), _summary_table(measured.summaries))
    told = "both intervals, blocks, status and evidence of each pair"
    return Section("Every speedup in full", paragraphs, tables, summary=told)


def _names(pair: Pair) -> tuple[str, ...]:
    """Return the first cells of a row: stack, topology, batch size and pair."""
    group = pair.group
    return (group.stack, topology_title(group.topology), str(group.batch_size), _pair_of(pair))


def _evidence_of(pair: Pair, measured: Results) -> str:
    """Return the gravest status of the evidence on a pair's two cells. A failure has the remark that the figure has."""
    sides = sides_of(pair, measured.cells)
    if not sides:
        return "—"
    if sides[0].status == "failed":
        return f"failed: {sides[0].remark}"
    if len(sides) == 1:  # No launch has measured the other side. The evidence on one side must not stand for both.
        return f"{sides[0].cell.variant} only: {sides[0].status}"
    if sides[0].status == PASSED and fingerprints_of(pair, measured.cells) is None:
        return f"{PASSED}; no fingerprint"
    return sides[0].status


def _reason(pair: Pair, measured: Results) -> str:
    """Return why a pair's status is not ok, and the command that completes it if it is partial."""
    if pair.status != PARTIAL:
        return pair.reason or "—"
    return f"{pair.reason}. Complete it with: {completing(measured)}"


def _fixed(measured: Results) -> str:
    """Return when the number of blocks was fixed. In a run of two stages the spread of the first one counts."""
    first = measured.header.plan.first_blocks
    if first is None:
        return "before the run"
    return f"after the first {first} blocks. It keeps their spread and degrees of freedom (Stein's two stages)"


def throughput_section(measured: Results) -> Section:
    """Return the section on images per second, by the kit's estimator and as the article's script computes them."""
    if not measured.throughputs:
        return Section("Throughput", ("No launch has ended well.",))
    rows = sorted(measured.throughputs.values(), key=lambda row: _rank(row.cell, measured))
    columns = (
        "stack", "variant", "Network", "batch_size", "images/second", "95% interval", "launches",
        "article's total images/sec", "+/-", "jitter", "peak memory (MB)",
    )  # fmt: skip
    cells = [
        (
            row.cell.stack, row.cell.variant, topology_title(row.cell.topology), str(row.cell.batch_size),
            significant(row.images_per_second.value, 4), ends(row.images_per_second), str(row.launches),
            significant(row.article.total, 4), significant(row.article.uncertainty),
            significant(row.article.jitter), megabytes(row.peak_memory_bytes),
        )
        for row in rows
    ]  # fmt: skip
    paragraph = (
        f"images/second is the geometric mean over launches of batch size / {typical_step(measured)}. The article's "
        'script prints "total images/sec" (batch size x steps / elapsed), +/- (std / sqrt(n)) and jitter (1.4826 x '
        "median absolute deviation). Here they are over the timed steps of all launches. The +/- treats steps as "
        "independent, which the steps of one launch are not."
    )
    numeric = frozenset(columns[3:])
    estimators = _estimators_table(measured)
    tables = (Table(columns, tuple(cells), numeric), estimators)
    return Section("Throughput", (paragraph,), tables, summary=f"images/s of {plural(len(rows), 'cell')}")


def launches_section(measured: Results) -> Section:
    """Return the section on what timed launches recorded after their last step: libraries, threads, wheel."""
    seen: dict[tuple[str, str], Record] = {}
    for record in measured.usable:
        seen.setdefault((record.cell.stack, record.cell.variant), record)
    rows = [(stack, variant, *_evidence(record)) for (stack, variant), record in sorted(seen.items())]
    columns = (
        "stack", "variant", "TensorFlow", "MKL or oneDNN on", "libraries mapped", "OpenMP threads", "threads",
        "CPUs at start", "wheel", "RECORD sha256",
    )  # fmt: skip
    paragraph = (
        "Read inside one timed launch of each variant, after its last timed step. records.jsonl has the same of every "
        "launch."
    )
    shown = table(columns, rows, ("OpenMP threads", "threads"))
    return Section(
        "What ran", (paragraph,), (shown,), summary="libraries, threads and wheel of each variant's launches"
    )


def _summary_table(summaries: Sequence[Summary]) -> Table:
    rows = []
    for row in summaries:
        mean = estimated(row.mean) if row.topologies > 1 else "—"
        within = ends(row.largest.joint) if row.largest else "—"
        pair = f"{row.candidate} / {row.baseline}"
        left_out = f", {row.flagged} not counted" if row.flagged else ""
        count = f"{row.topologies} of {len(row.speedups)}{left_out}"
        rows.append((row.stack, str(row.batch_size), pair, mean, _largest(row.largest), within, count))
    columns = (
        "stack", "batch size", "pair", "geometric mean [95%, of it alone]", "largest [95%, all pairs at once]",
        "the largest true one is within", "topologies",
    )  # fmt: skip
    return table(columns, rows, columns[3:], caption="Over the topologies")


def _largest(largest: Largest | None) -> str:
    """Return the largest bar with its topology and its own interval, which holds at once with the others."""
    return "—" if largest is None else f"{estimated(largest.own)} ({topology_title(largest.topology)})"


def _rank(cell: Cell, measured: Results) -> tuple[tuple[str, int, int, str], int]:
    return (cell.group.report_order(), measured.variants(cell.stack).index(cell.variant))


def _estimators_table(measured: Results) -> Table:
    rows = []
    for row in measured.speedups.values():
        pair, theirs = row.pair, "—"
        if pair.is_measured and not pair.through:
            sitting = sitting_of(pair.comparison.cells[1], measured.records)
            by_cell = tabulate(in_sitting(measured.records, pair.group, sitting))
            base, other = (_articles_total(pair, cell, by_cell) for cell in pair.comparison.cells)
            theirs = times(other / base)
        rows.append((*_names(pair), factor(row.alone), theirs))
    columns = ("stack", "topology", "batch size", "pair", "our speedup", "from the article's estimator")
    return table(columns, rows, columns[4:], caption="The same speedups, from either estimator")


def _articles_total(pair: Pair, cell: Cell, by_cell: PairTable) -> float:
    """Return the article's images/s of one side, over the timed steps of the pair's complete blocks."""
    seconds = [each for block in pair.blocks for each in timed_step_seconds(by_cell[cell][block])]
    return article_line(seconds, cell.batch_size).total


def _evidence(record: Record) -> tuple[str, ...]:
    result = record.training or LaunchResult()
    evidence, observed = result.evidence or LaunchEvidence(), result.observed or Observed()
    libraries = sorted({entry.name.split(".so")[0] for entry in evidence.mapped_libraries})
    wheel, omp = evidence.wheel or InstalledWheel(), observed.omp_max_threads
    return (
        str(result.versions.get("tensorflow")), present(result.mkl_enabled),
        ", ".join(libraries), "none mapped" if omp is None else str(omp), str(len(evidence.threads)),
        present(observed.allowed_cpus), f"{wheel.distribution or '?'} {wheel.version or '?'}",
        (wheel.record_sha256 or "?")[:12],
    )  # fmt: skip
