"""The report's section on what the kernel and the processor counted in a training step of each variant."""

from __future__ import annotations

from collections.abc import Mapping

from runner.evidence.counters import Counters
from runner.evidence.probed import Evidence
from runner.report.document import Section, table
from runner.report.evidence_sections import probe_order
from runner.report.value_text import plural, significant, topology_title
from runner.stats.results import Results

TITLE = "What a step costs the processor"
COLUMNS = (
    "stack", "variant", "topology", "batch size", "CPU seconds", "GHz", "cycles (10^9)", "instructions (10^9)",
    "instructions per cycle", "last-level load misses (10^6)", "context switches", "page faults", "seconds counted",
)  # fmt: skip
USER_ONLY = (
    "Cycles, instructions and misses are those in user space: this user may not count the kernel's. A frequency does "
    "not follow from them."
)


def counter_sections(measured: Results) -> tuple[Section, ...]:
    """One row for each probe that was counted; nothing for a run of before there were counters."""
    probed = [(each, each.counters) for each in measured.evidence.values() if each.counters is not None]
    if not probed:
        return ()
    ordered = sorted(probed, key=lambda pair: probe_order(measured, pair[0]))
    rows = [_row(evidence, counters) for evidence, counters in ordered if counters.per_step]
    without = [why for _, counters in probed if (why := counters.why_no_hardware) is not None]
    paragraphs = [
        "perf counts from outside, over all threads of the quiet launch of each probe, in its timed steps. A launch "
        "gets no further permission for it. No launch from which a speedup is computed is counted. Counts of one "
        "launch have no interval. A dash stands for what this host does not count."
    ]
    if any(counters.user_only for _, counters in probed):
        paragraphs.append(USER_ONLY)
    told = "cycles, instructions and cache misses of a step"
    if without:
        reasons = "; ".join(sorted(set(without)))
        told = f"the processor's counters are missing for {len(without)} of {plural(len(probed), 'probe')}: {reasons}"
        paragraphs.append(f"{told[0].upper()}{told[1:]}.")
    tables = (table(COLUMNS, rows, COLUMNS[3:]),) if rows else ()
    return (Section(TITLE, tuple(paragraphs), tables, summary=told),)


def _row(evidence: Evidence, counters: Counters) -> tuple[str, ...]:
    counts = counters.per_step
    cpu = _scaled(counts, "task-clock", 1e3)
    cycles, instructions = _scaled(counts, "cycles", 1e9), _scaled(counts, "instructions", 1e9)
    subject = evidence.subject
    shown = (
        cpu, None if counters.user_only else _ratio(cycles, cpu), cycles, instructions, _ratio(instructions, cycles),
        _scaled(counts, "LLC-load-misses", 1e6), counts.get("context-switches"), counts.get("page-faults"),
        counters.covered_seconds,
    )  # fmt: skip
    return (
        subject.stack, subject.variant, topology_title(subject.topology), str(evidence.batch_size),
        *("—" if value is None else significant(value) for value in shown),
    )  # fmt: skip


def _scaled(counts: Mapping[str, float | None], event: str, unit: float) -> float | None:
    count = counts.get(event)
    return None if count is None else count / unit


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else one / other
