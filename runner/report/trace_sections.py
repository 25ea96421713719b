"""Where a training step's time goes: the traces of all variants side by side, per kind of operation.

The traced step is a probe's, not a timed launch's: it says what became faster, not by how much training did.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure as Drawing

from runner.evidence.probed import Evidence
from runner.report.document import Figure, Section, Table, table
from runner.report.drawing import colour, render
from runner.report.measured import Measured
from runner.report.wording import significant, times, topology_title
from runner.vocabulary import TOPOLOGIES

# Kinds of operation that are shown by name; all others are summed up in one bar.
MOST_KINDS = 12
REST = "all others"
# One kind's bars fill this much of its row.
ROW = 0.8
# Intel's builds and the graph optimisers put these before and after the name of the operation they replace: Native is
# a kernel in TensorFlow's own layout, WithBias and Fused have a bias or an activation in the same kernel.
_AFFIXES = re.compile(r"^_(?:Mkl)?(?:Native)?(?:Fused(?=Conv|Depthwise|MatMul))?|(?:WithBias|Ex|V\d)$")

# kind of operation -> variant -> milliseconds
Kinds = Mapping[str, Mapping[str, float]]
# (stack, topology) -> variant -> the probe that traced a step
Traced = dict[tuple[str, str], dict[str, Evidence]]


def kind_of(operation: str) -> str:
    """An operation's name as all builds have it: _MklNativeFusedConv2D and _FusedConv2D are Conv2D."""
    return _AFFIXES.sub("", operation)


def trace_sections(measured: Measured) -> list[Section]:
    """The section with one figure and one table for each traced topology; none if nothing was traced."""
    traced = _traced(measured)
    if not traced:
        return []
    figures, tables = [], []
    for (stack, topology), by_variant in traced.items():
        variants = [name for name in measured.variants(stack) if name in by_variant]
        kinds = top_kinds({name: by_variant[name] for name in variants})
        sizes = _sizes({(stack, topology): by_variant})
        figures.append(_draw(measured, (stack, topology, sizes), variants, kinds))
        tables.append(_table(stack, topology, variants, kinds))
    paragraphs = (
        f"TensorFlow's own trace of one training step of each variant's probe (batch size {_sizes(traced)}, with "
        "verbose output on): the time inside each operation's kernel, summed by kind; the executor's own time around "
        "the kernels is not in it. Operations stand under the name of the plain one they replace, with what is fused "
        "into them (bias, activation). One step, so that small differences mean nothing.",
        "It says which operations became faster, not by how much training did. The first table holds the two against "
        "each other: where they are far apart, the small batch of a probe spends its time elsewhere than the batch "
        "that was timed, and the pictures do not explain the bar.",
    )
    against = _against_training(measured, traced)
    return [Section("Where a training step's time goes", paragraphs, (against, *tables), figures=tuple(figures))]


def top_kinds(traces: Mapping[str, Evidence]) -> dict[str, dict[str, float]]:
    """Milliseconds by kind and variant: the kinds that cost most in any variant, then all others in one."""
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


def _against_training(measured: Measured, traced: Traced) -> Table:
    """For each timed pair that was traced on both sides: the ratio of the kernels' times, and of the training."""
    rows = []
    for row in measured.speedups.itertuples():
        sides = [traced.get((row.stack, row.topology), {}).get(name) for name in (row.baseline, row.candidate)]
        if all(sides):
            base, other = (sum(entry["milliseconds"] for entry in side.trace) for side in sides if side)
            head = (row.stack, topology_title(row.topology), f"{row.candidate} / {row.baseline}")
            shown = (times(base / other), str(row.batch_size), times(row.speedup))
            rows.append((*head, *shown))
    columns = ("stack", "topology", "pair", f"kernels traced, batch size {_sizes(traced)}", "timed batch size",
               "training timed")  # fmt: skip
    return table(columns, rows, columns[3:], caption="The traced step against the timed training")


def _traced(measured: Measured) -> Traced:
    found: dict[tuple[str, str], dict[str, Evidence]] = {}
    for subject, evidence in measured.evidence.items():
        if evidence.trace and subject.variant in measured.variants(subject.stack):
            found.setdefault((subject.stack, subject.topology), {})[subject.variant] = evidence
    return dict(sorted(found.items(), key=lambda entry: (entry[0][0], _position(entry[0][1]), entry[0][1])))


def _position(topology: str) -> int:
    return TOPOLOGIES.index(topology) if topology in TOPOLOGIES else len(TOPOLOGIES)


def _draw(measured: Measured, what: tuple[str, str, str], variants: Sequence[str], kinds: Kinds) -> Figure:
    stack, topology, _ = what
    name = f"trace-{stack}-{topology}"
    description = f"Milliseconds of one training step of {topology_title(topology)} by kind of operation, {stack}"
    return render(name, description, lambda: _figure(measured, what, variants, kinds))


def _figure(measured: Measured, what: tuple[str, str, str], variants: Sequence[str], kinds: Kinds) -> Drawing:
    stack, topology, size = what
    figure = Drawing(figsize=(10.4, 1.4 + 0.17 * len(kinds) * len(variants) + 0.1 * len(kinds)), layout="constrained")
    axes = figure.subplots()
    height = ROW / len(variants)
    for index, variant in enumerate(variants):
        places = [row + (index - (len(variants) - 1) / 2) * height for row in range(len(kinds))]
        spent = [kinds[kind][variant] for kind in kinds]
        axes.barh(places, spent, height * 0.92, color=colour(variant, measured.variants(stack)),
                  label=f"{measured.label(stack, variant)}: {significant(sum(spent))} ms in all")  # fmt: skip
        for place, value in zip(places, spent, strict=True):
            axes.annotate(significant(value), (value, place), xytext=(3, 0), textcoords="offset points", va="center",
                          fontsize=8)  # fmt: skip
    axes.set_yticks(range(len(kinds)), list(kinds))
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds inside the kernels of one training step")
    title = f"{measured.header['stacks'][stack]['title']}: {topology_title(topology)}"
    axes.set_title(f"{title}, one step of an untimed probe at batch size {size}", loc="left", fontsize=10)
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
    """A difference with its sign: +12.3, -4.56."""
    if value == 0:
        return "0"
    return f"{'+' if value > 0 else '-'}{significant(abs(value))}"
