"""The report's section on where a training step's time goes: the traces of all variants, by kind of operation.

The traced step is of a quiet launch, and not of a timed one. It shows which operations took the time, and is compared
with ordinary steps (`trace_checks`). Traces of earlier runs, with oneDNN's verbose switch on, are not drawn.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure as Drawing

from runner.evidence.probed import Evidence, Subject
from runner.report.document import Figure, Section, Table, table
from runner.report.drawing import colour, render
from runner.report.measured import variant_title
from runner.report.trace_checks import Traced, check_table, differences, pairs_table
from runner.report.value_text import plural, significant, times, topology_title
from runner.stats.results import Results
from runner.vocabulary import TOPOLOGIES

TITLE = "Where a training step's time goes"
# This many kinds of operation are shown by name. All others are summed up in one bar.
MOST_KINDS = 12
REST = "all others"
# The bars of one kind fill this share of its row.
ROW = 0.8
# Intel's builds and the graph optimisers add these to the name of the operation that they replace. Native means a
# kernel in TensorFlow's own layout. WithBias and Fused mean that the kernel also computes a bias or an activation.
_AFFIXES = re.compile(r"^_(?:Mkl)?(?:Native)?(?:Fused(?=Conv|Depthwise|MatMul))?|(?:WithBias|Ex|V\d)$")

# kind of operation -> variant -> milliseconds.
Kinds = Mapping[str, Mapping[str, float]]


def kind_of(operation: str) -> str:
    """Return an operation's name as all builds have it: Conv2D for _MklNativeFusedConv2D and for _FusedConv2D."""
    return _AFFIXES.sub("", operation)


def trace_sections(measured: Results) -> list[Section]:
    """Return the section with one figure and one table for each traced topology; none if nothing was traced."""
    lost = _not_traced(measured)
    traced = _traced(measured)
    if not traced:
        return [Section(TITLE, lost)] if lost else []
    figures, tables = [], []
    for (stack, topology), by_variant in traced.items():
        variants = [name for name in measured.variants(stack) if name in by_variant]
        kinds = top_kinds({name: by_variant[name] for name in variants})
        sizes = _sizes({(stack, topology): by_variant})
        figures.append(_draw(measured, (stack, topology, sizes), variants, kinds))
        tables.append(_table(stack, topology, variants, kinds))
    paragraphs = (
        f"TensorFlow's own trace of one training step of each variant (batch size {_sizes(traced)}), in a launch that "
        "is not timed and has no verbose switch on. It has the time inside each operation's kernel, summed by kind. "
        "The executor's own time around the kernels is not included. Each operation is listed under the name of the "
        "plain operation that it replaces, and includes what is fused into it (bias, activation). Only one step was "
        "traced, so that small differences mean nothing.",
        "The trace shows which operations took the time. It does not show by how much training became faster. The "
        "first table compares the sum of each traced step's kernels with the median ordinary step of the same launch, "
        "and with the timed step if that has the same batch size. Its last column is the step of the other launch, "
        "whose verbose lines show which kernels ran. The times in those lines include what logging adds.",
        *differences(measured, traced),
        *lost,
    )
    checks = (check_table(measured, traced), pairs_table(measured, traced))
    told = f"by kind of operation, on {plural(len(traced), 'network')}"
    return [Section(TITLE, paragraphs, (*checks, *tables), figures=tuple(figures), summary=told)]


def _not_traced(measured: Results) -> tuple[str, ...]:
    """Return sentences on what was traced with verbose output on, and on what was not traced, with the reason."""
    found = sorted(measured.evidence.values(), key=lambda each: _in_words(each.subject))
    noisy = [each for each in found if each.trace and each.quiet is None]
    told = [f"No step was traced of {_in_words(each.subject)}: {each.quiet_error['kind']}: "
            f"{each.quiet_error['message'].rstrip('.')}." for each in found if each.quiet_error]  # fmt: skip
    if not noisy:
        return tuple(told)
    return (
        f"This run traced a step with oneDNN's verbose switch on. {_lines_written(noisy)} The lines are written inside "
        "the kernels that a trace measures, so that the traced times may be too long. By how much was not measured. "
        "The traces are in evidence.jsonl and are not drawn.",
        *told,
    )


def _lines_written(noisy: Sequence[Evidence]) -> str:
    """Return a sentence on how many lines each build's probes wrote, and one on the builds that wrote none."""
    lines: dict[str, list[int]] = {}
    for each in noisy:
        count = sum(int(primitive["count"]) for primitive in each.primitives)
        lines.setdefault(f"{each.subject.stack} {each.subject.variant}", []).append(count)
    wrote = [f"{name} {_span(counts)}" for name, counts in lines.items() if any(counts)]
    silent = [name for name, counts in lines.items() if not any(counts)]
    sentences = [f"Lines written in all steps of a probe: {'; '.join(wrote)}."] if wrote else []
    if silent:
        sentences.append(f"{' and '.join(silent)} wrote none, so that the switch did not affect its traced times.")
    return " ".join(sentences)


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _in_words(subject: Subject) -> str:
    return f"{subject.stack} {subject.variant} {topology_title(subject.topology)}"


def top_kinds(traces: Mapping[str, Evidence]) -> dict[str, dict[str, float]]:
    """Return milliseconds by kind and variant: the kinds that take most in any variant, then all others in one sum."""
    sums: dict[str, dict[str, float]] = {}
    for variant, evidence in traces.items():
        for entry in evidence.trace:
            by_variant = sums.setdefault(kind_of(entry["operation"]), dict.fromkeys(traces, 0.0))
            by_variant[variant] += entry["milliseconds"]
    ordered = sorted(sums, key=lambda kind: (-max(sums[kind].values()), kind))
    shown = {kind: sums[kind] for kind in ordered[:MOST_KINDS]}
    rest = ordered[MOST_KINDS:]
    if rest:
        shown[REST] = {variant: sum(sums[kind][variant] for kind in rest) for variant in traces}
    return shown


def _sizes(traced: Traced) -> str:
    sizes = {evidence.batch_size for by_variant in traced.values() for evidence in by_variant.values()}
    return ", ".join(map(str, sorted(sizes)))


def _traced(measured: Results) -> Traced:
    found: dict[tuple[str, str], dict[str, Evidence]] = {}
    for subject, evidence in measured.evidence.items():
        if evidence.trace and evidence.quiet is not None and subject.variant in measured.variants(subject.stack):
            found.setdefault((subject.stack, subject.topology), {})[subject.variant] = evidence
    return dict(sorted(found.items(), key=lambda entry: (entry[0][0], _position(entry[0][1]), entry[0][1])))


def _position(topology: str) -> int:
    return TOPOLOGIES.index(topology) if topology in TOPOLOGIES else len(TOPOLOGIES)


def _draw(measured: Results, what: tuple[str, str, str], variants: Sequence[str], kinds: Kinds) -> Figure:
    stack, topology, _ = what
    name = f"trace-{stack}-{topology}"
    description = f"Milliseconds of one training step of {topology_title(topology)} by kind of operation, {stack}"
    return render(name, description, lambda: _figure(measured, what, variants, kinds))


def _figure(measured: Results, what: tuple[str, str, str], variants: Sequence[str], kinds: Kinds) -> Drawing:
    stack, topology, size = what
    figure = Drawing(figsize=(10.4, 1.4 + 0.17 * len(kinds) * len(variants) + 0.1 * len(kinds)), layout="constrained")
    axes = figure.subplots()
    height = ROW / len(variants)
    for index, variant in enumerate(variants):
        places = [row + (index - (len(variants) - 1) / 2) * height for row in range(len(kinds))]
        spent = [kinds[kind][variant] for kind in kinds]
        axes.barh(places, spent, height * 0.92, color=colour(measured, stack, variant),
                  label=f"{variant_title(measured, stack, variant)}: {significant(sum(spent))} ms in all")  # fmt: skip
        for place, value in zip(places, spent, strict=True):
            axes.annotate(significant(value), (value, place), xytext=(3, 0), textcoords="offset points", va="center",
                          fontsize=8)  # fmt: skip
    axes.set_yticks(range(len(kinds)), list(kinds))
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds inside the kernels of one training step")
    title = f"{measured.header.stacks[stack].title}: {topology_title(topology)}"
    axes.set_title(f"{title}, one step of a quiet launch that is not timed, batch size {size}", loc="left", fontsize=10)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=1, frameon=False, fontsize=9, handlelength=1.2)
    return figure


def _table(stack: str, topology: str, variants: Sequence[str], kinds: Kinds) -> Table:
    baseline, others = variants[0], variants[1:]
    totals = {variant: sum(by_variant[variant] for by_variant in kinds.values()) for variant in variants}
    rows = []
    for kind, spent in [*kinds.items(), ("the whole step's kernels", totals)]:
        changes = []
        for other in others:
            ratio = spent[baseline] / spent[other] if spent[other] else math.nan
            changes += [significant_signed(spent[baseline] - spent[other]), times(ratio) if spent[baseline] else "—"]
        rows.append((kind, *(significant(spent[variant]) for variant in variants), *changes))
    gains = [text for other in others for text in (f"ms saved by {other}", f"{baseline} / {other}")]
    columns = ("operation", *(f"{variant} (ms)" for variant in variants), *gains)
    return table(columns, rows, columns[1:], caption=f"{stack}, {topology_title(topology)}")


def significant_signed(value: float) -> str:
    """Return a difference with its sign: +12.3, -4.56."""
    if value == 0:
        return "0"
    return f"{'+' if value > 0 else '-'}{significant(abs(value))}"
