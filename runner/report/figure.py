"""Figure 1: grouped bars like the article's. Above, images per second; below, the speedup; intervals on all.

Beside each interval stand the blocks that it was computed from, one dot each, in their order from left to right.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from runner.catalogue.publications import HEADLINE, Publication
from runner.claims.judge import judge_claim
from runner.host.microarchitecture import processor_title
from runner.report.document import Figure
from runner.report.dots import draw_dots, room_for_dots
from runner.report.drawing import colour, render
from runner.report.intervals import NONE, Whiskers, draw_whiskers, whiskers_of
from runner.report.measured import blocks_in_words, completing, variant_title
from runner.report.sequence import is_by_turns
from runner.report.value_text import plural, significant, topology_title
from runner.stats.estimators import images_per_second
from runner.stats.evidence_marks import EVIDENCE_FAILED, NO_EVIDENCE
from runner.stats.pairs import Comparison
from runner.stats.results import Results, Role
from runner.status import Status
from runner.vocabulary import Group

DESCRIPTION = "Training throughput and speedup of each topology, with 95% intervals"
GROUP_WIDTH = 0.82
# Room above the tallest interval for its number.
HEADROOM = 1.12
# Statuses beside which the evidence's own few words stand.
MARKED = (EVIDENCE_FAILED, NO_EVIDENCE)
# Characters in a line of a remark: more would run into the next bar.
REMARK_WIDTH = 14
# The letters of a panel's title that fit in one line.
TITLE_WIDTH = 118
# An interval that goes further than this factor beyond the tallest bar ends in an arrow, with its end beside it: two
# noisy blocks would else press all bars flat.
WIDEST = 2.0
# Inches: below this a row of the legend would be cut off.
NARROWEST = 10.4
LABELS_IN_A_ROW = 3


def draw(measured: Results, article: Publication) -> Figure:
    """Return Figure 1 for this host. What the article claims stands beside the bars of the stack nearest to it."""
    return render("figure1", DESCRIPTION, lambda: _figure(measured, article), with_pdf=True)


def _figure(measured: Results, article: Publication) -> Drawing:
    stacks = measured.stacks
    groups = max(len(_groups(measured, stack)) for stack in stacks)
    width = max(NARROWEST, 2.1 * groups + 2.0)
    figure = Drawing(figsize=(width, 7.4 * len(stacks)), layout="constrained")
    grid = figure.subplots(2 * len(stacks), 1, squeeze=False)
    for row, stack in enumerate(stacks):
        _draw_throughput(grid[2 * row][0], measured, stack)
        _draw_speedups(grid[2 * row + 1][0], measured, stack)
        if stack == article.nearest_stack:
            grid[2 * row + 1][0].set_title(_claimed(measured, article), loc="right", fontsize=10, color="#444444")
    panels = grid[1::2, 0]
    highest = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:  # one scale, so that the bars of two stacks can be compared by eye
        axes.set_ylim(0, highest)
    figure.suptitle(_title(measured), fontsize=12, fontweight="bold")
    handles = {
        label: handle for axes in grid[::2, 0] for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    legend = figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=LABELS_IN_A_ROW, frameon=False, fontsize=9,
        handlelength=1.2, title=_key(measured),
    )  # fmt: skip
    legend.get_title().set(fontsize=9, color="#444444")
    return figure


def _key(measured: Results) -> str:
    """Return in words what the lines and the hatching mean."""
    blocks = blocks_in_words(measured)
    launches = "launches that take turns" if is_by_turns(measured) else "separate launches"
    lines = [
        f"Thick line: 95% interval of this bar alone, over {blocks} (the dots) of {launches}. Higher is better.",
    ]
    if measured.family > 1:
        lines.append(
            f"Thin line: 95% intervals of all {plural(measured.family, 'pair')} of the run at once. What is called "
            "faster or slower is read off these."
        )
    if measured.has_partial:
        lines.append(f"Hatched, partial: no verdict yet; complete it with {completing(measured)} (the run's folder).")
    return "\n".join(lines)


def _claimed(measured: Results, article: Publication) -> str:
    claim = article.claim(HEADLINE)
    verdict = judge_claim(article, claim, measured).answer.verdict
    return f"{article.short}: {claim.words}, on {claim.configuration.cores} cores\n{verdict}"


def _title(measured: Results) -> str:
    processor = processor_title(measured.header.machine.processor)
    used = plural(measured.header.plan.pin.threads, "core")
    sizes = ", ".join(str(size) for size in measured.batch_sizes)
    return f"CNN training, batch size {sizes}\n{processor}, {used}, engine {measured.header.engine.name}"


def _groups(measured: Results, stack: str) -> list[Group]:
    return sorted({pair.group for pair in measured.pairs if pair.group.stack == stack}, key=Group.report_order)


def _draw_throughput(axes: Axes, measured: Results, stack: str) -> None:
    variants, groups = measured.variants(stack), _groups(measured, stack)
    bars = [[_throughput(measured, group, variant) for group in groups] for variant in variants]
    for index, variant in enumerate(variants):
        place = Place(index, len(variants), _limit(bars))
        _bars(axes, place, bars[index], colour(measured, stack, variant), variant_title(measured, stack, variant), "{}")
    axes.set_ylabel("images per second")
    axes.set_title(f"{measured.header.stacks[stack].title}: training throughput", loc="left", fontsize=10)
    _finish(axes, groups, measured.batch_sizes, bars)


def _draw_speedups(axes: Axes, measured: Results, stack: str) -> None:
    variants, groups = measured.variants(stack), _groups(measured, stack)
    baseline = variants[0]
    bars = [[_speedup(measured, Comparison(group, baseline, variant)) for group in groups] for variant in variants[1:]]
    for index, variant in enumerate(variants[1:]):
        place = Place(index, len(variants) - 1, _limit(bars))
        label = f"{variant_title(measured, stack, variant)} over {baseline}"
        _bars(axes, place, bars[index], colour(measured, stack, variant), label, "{}x")
    axes.axhline(1.0, color="#444444", linewidth=1, linestyle="--", zorder=0)
    axes.set_ylabel("speedup")
    title = measured.header.stacks[stack].title
    text = f"{title}: speedup over {variant_title(measured, stack, baseline)} (dashed line: 1x)"
    axes.set_title(textwrap.fill(text, TITLE_WIDTH), loc="left", fontsize=10)
    _finish(axes, groups, measured.batch_sizes, bars)


@dataclass(frozen=True)
class Bar:
    """A value with its intervals. `remark` is the reason for a missing value, or a warning about the value.

    `blocks` are the values of the single blocks, in their order.
    """

    value: float | None
    whiskers: Whiskers
    remark: str
    blocks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Place:
    """Which bar of how many in each group, and where the axes end for its interval."""

    index: int
    of: int
    limit: float


def _limit(rows: Sequence[Sequence[Bar]]) -> float:
    values = [bar.value for bars in rows for bar in bars if bar.value is not None]
    return WIDEST * max(values, default=1.0)


def _throughput(measured: Results, group: Group, variant: str) -> Bar:
    if not measured.throughputs:
        return Bar(None, NONE, "not measured")
    cell = group.cell(variant)
    row, evidence = measured.throughputs.get(cell), measured.cells.get(cell)
    if row is None:
        return Bar(None, NONE, _reason(measured, group, variant))
    speed = row.images_per_second
    blocks = tuple(images_per_second(record) for record in measured.of_cell(cell))
    is_other = measured.role(group.stack, variant) == Role.OTHER_ARITHMETIC
    remark = (evidence.remark if evidence else "") or (Status.OTHER_ARITHMETIC.words if is_other else "")
    return Bar(speed.value, Whiskers(alone=speed.interval), remark, blocks)


def _reason(measured: Results, group: Group, variant: str) -> str:
    for record in measured.records:
        if record.cell.group == group and record.cell.variant == variant and record.failure is not None:
            return record.failure.status.words
    return "not measured"


def _speedup(measured: Results, comparison: Comparison) -> Bar:
    row = measured.speedups[comparison]
    status, value = row.pair.status, row.alone.value if row.alone else None
    blocks = tuple(row.pair.ratios)
    if status == Status.OK:
        return Bar(value, whiskers_of(row), "", blocks)
    evidence = [measured.cells.get(cell) for cell in comparison.cells]
    remarks = [each.remark for each in evidence if each and each.remark]
    remark = remarks[0] if remarks and status in MARKED else status.words
    return Bar(value, whiskers_of(row), remark, blocks)


def _bars(axes: Axes, place: Place, bars: Sequence[Bar], fill: str, label: str, text: str) -> None:
    width = GROUP_WIDTH / place.of
    for position, bar in enumerate(bars):
        value, whiskers, remark = bar.value, bar.whiskers, bar.remark
        x = position + (place.index - (place.of - 1) / 2) * width
        if value is None:
            axes.bar(x, 0, width * 0.92, color=fill, label=label if position == 0 else None)
            axes.annotate(remark, (x, 0), xytext=(0, 4), textcoords="offset points", rotation=90, ha="center",
                          va="bottom", fontsize=8, color="#b00020")  # fmt: skip
            continue
        hatch = "///" if remark else None
        axes.bar(x, value, width * 0.92, color=fill, label=label if position == 0 else None, hatch=hatch,
                 edgecolor="white" if hatch else fill)  # fmt: skip
        top = max(value, draw_whiskers(axes, x, whiskers, (0.0, place.limit)))
        lines = [text.format(significant(value)), *textwrap.wrap(remark, REMARK_WIDTH)]
        if top < whiskers.high:
            lines.append(f"(to {text.format(significant(whiskers.high))})")
        axes.annotate("\n".join(lines), (x, top), xytext=(0, 4), textcoords="offset points", ha="center", va="bottom",
                      fontsize=9)  # fmt: skip
        draw_dots(axes, x, width, bar.blocks)


def _finish(axes: Axes, groups: Sequence[Group], batch_sizes: Sequence[int], rows: Sequence[Sequence[Bar]]) -> None:
    names = [topology_title(group.topology) for group in groups]
    if len(batch_sizes) > 1:
        names = [f"{name}\nbatch {group.batch_size}" for name, group in zip(names, groups, strict=True)]
    axes.set_xticks(range(len(groups)), names)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    blocks = [block for bars in rows for bar in bars for block in bar.blocks]
    axes.set_ylim(0, max(axes.get_ylim()[1] * HEADROOM, room_for_dots(blocks)))
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
