"""Figure 1: grouped bars like the article's. Above, images per second; below, the speedup; intervals on all."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from runner.catalogue.publications import HEADLINE, Publication
from runner.claims.judge import judge_claim
from runner.report.claims_sections import material
from runner.report.document import Figure
from runner.report.drawing import colour, render
from runner.report.intervals import NONE, Whiskers, draw_whiskers, whiskers_of
from runner.report.measured import Measured
from runner.report.wording import plural, significant, topology_title
from runner.stats.evidence import EVIDENCE_FAILED, NO_EVIDENCE
from runner.vocabulary import Cell, Group

DESCRIPTION = "Training throughput and speedup of each topology, with 95% intervals"
GROUP_WIDTH = 0.82
# Room above the tallest interval for its number.
HEADROOM = 1.12
# Statuses beside which the evidence's own few words stand.
MARKED = (EVIDENCE_FAILED, NO_EVIDENCE)
# Characters in a line of a remark: more would run into the next bar.
REMARK_WIDTH = 14
# An interval that goes further than this factor beyond the tallest bar ends in an arrow, with its end beside it: two
# noisy blocks would else press all bars flat.
WIDEST = 2.0
# Inches: below this the legend of three variants would be cut off.
NARROWEST = 10.4


def draw(measured: Measured, article: Publication) -> Figure:
    """Figure 1 for this host; beside the bars of the stack that is nearest to the article's stands what it claims."""
    return render("figure1", DESCRIPTION, lambda: _figure(measured, article))


def _figure(measured: Measured, article: Publication) -> Drawing:
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
        handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9,
        handlelength=1.2, title=_key(measured),
    )  # fmt: skip
    legend.get_title().set(fontsize=9, color="#444444")
    return figure


def _key(measured: Measured) -> str:
    """What the lines and the hatching mean."""
    blocks = measured.header["plan"]["blocks"]
    lines = [
        f"Thick line: 95% interval of this bar alone, over {blocks} blocks of separate launches. Higher is better.",
        f"Thin line: 95% intervals of all {plural(measured.family, 'pair')} of the run at once. What is called "
        "faster or slower is read off these.",
    ]
    if measured.has_partial:
        lines.append(f"Hatched, partial: no verdict yet; complete it with {measured.completing} (the run's folder).")
    return "\n".join(lines)


def _claimed(measured: Measured, article: Publication) -> str:
    claim = article.claim(HEADLINE)
    verdict = judge_claim(article, claim, material(measured)).answer.verdict
    return f"{article.short}: {claim.words}, on {claim.configuration.cores} cores\n{verdict}"


def _title(measured: Measured) -> str:
    processor = measured.header["machine"]["processor"]["model_name"] or "unknown processor"
    cores, threads = (measured.header["plan"]["pin"][name] for name in ("cores", "threads"))
    used = plural(cores, "core") + (f", {plural(threads, 'thread')}" if threads != cores else "")
    sizes = ", ".join(str(size) for size in measured.batch_sizes)
    return f"CNN training, batch size {sizes}\n{processor}, {used}, engine {measured.header['engine']['name']}"


def _groups(measured: Measured, stack: str) -> list[Group]:
    return sorted({pair.group for pair in measured.pairs if pair.group.stack == stack}, key=Group.report_order)


def _draw_throughput(axes: Axes, measured: Measured, stack: str) -> None:
    variants, groups = measured.variants(stack), _groups(measured, stack)
    cells = [[_throughput(measured, group, variant) for group in groups] for variant in variants]
    for index, variant in enumerate(variants):
        place = Place(index, len(variants), _limit(cells))
        _bars(axes, place, cells[index], colour(variant, variants), measured.label(stack, variant), "{}")
    axes.set_ylabel("images per second")
    axes.set_title(f"{measured.header['stacks'][stack]['title']}: training throughput", loc="left", fontsize=10)
    _finish(axes, groups, measured.batch_sizes)


def _draw_speedups(axes: Axes, measured: Measured, stack: str) -> None:
    variants, groups = measured.variants(stack), _groups(measured, stack)
    baseline = variants[0]
    cells = [[_speedup(measured, group, baseline, variant) for group in groups] for variant in variants[1:]]
    for index, variant in enumerate(variants[1:]):
        place = Place(index, len(variants) - 1, _limit(cells))
        label = f"{measured.label(stack, variant)} over {baseline}"
        _bars(axes, place, cells[index], colour(variant, variants), label, "{}x")
    axes.axhline(1.0, color="#444444", linewidth=1, linestyle="--", zorder=0)
    axes.set_ylabel("speedup")
    title = measured.header["stacks"][stack]["title"]
    text = f"{title}: speedup over {measured.label(stack, baseline)} (dashed line: 1x)"
    axes.set_title(text, loc="left", fontsize=10)
    _finish(axes, groups, measured.batch_sizes)


# value, its intervals, and the reason where there is no value, or a mark where there is one to be careful with
Bar = tuple[float, Whiskers, str]


@dataclass(frozen=True)
class Place:
    """Which bar of how many in each group, and where the axes end for its interval."""

    index: int
    of: int
    limit: float


def _limit(cells: Sequence[Sequence[Bar]]) -> float:
    values = [value for bars in cells for value, *_ in bars if not math.isnan(value)]
    return WIDEST * max(values, default=1.0)


def _throughput(measured: Measured, group: Group, variant: str) -> Bar:
    frame = measured.throughputs
    if frame.empty:
        return (math.nan, NONE, "not measured")
    rows = frame[(frame["stack"] == group.stack) & (frame["topology"] == group.topology)
                 & (frame["batch_size"] == group.batch_size) & (frame["variant"] == variant)]  # fmt: skip
    if rows.empty:
        return (math.nan, NONE, _reason(measured, group, variant))
    row = rows.iloc[0]
    cell = measured.cells.get(Cell(group.stack, variant, group.topology, group.batch_size))
    alone = Whiskers(alone=(row["ci_low"], row["ci_high"]))
    return (row["images_per_second"], alone, cell.remark if cell else "")


def _reason(measured: Measured, group: Group, variant: str) -> str:
    for record in measured.records:
        if record.cell.group == group and record.cell.variant == variant and record.error is not None:
            return record.error["kind"].replace("_", " ")
    return "not measured"


def _speedup(measured: Measured, group: Group, baseline: str, candidate: str) -> Bar:
    frame = measured.speedups
    row: pd.Series[Any] = frame[
        (frame["stack"] == group.stack) & (frame["topology"] == group.topology)
        & (frame["batch_size"] == group.batch_size)
        & (frame["baseline"] == baseline) & (frame["candidate"] == candidate)
    ].iloc[0]  # fmt: skip
    if row["status"] == "ok":
        return (row["speedup"], whiskers_of(row), "")
    cells = [measured.cells.get(Cell(group.stack, name, group.topology, group.batch_size))
             for name in (baseline, candidate)]  # fmt: skip
    remarks = [cell.remark for cell in cells if cell and cell.remark]
    remark = remarks[0] if remarks and row["status"] in MARKED else str(row["status"]).replace("_", " ")
    return (row["speedup"], whiskers_of(row), remark)


def _bars(axes: Axes, place: Place, bars: Sequence[Bar], fill: str, label: str, text: str) -> None:
    width = GROUP_WIDTH / place.of
    for position, (value, whiskers, remark) in enumerate(bars):
        x = position + (place.index - (place.of - 1) / 2) * width
        if math.isnan(value):
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


def _finish(axes: Axes, groups: Sequence[Group], batch_sizes: Sequence[int]) -> None:
    names = [topology_title(group.topology) for group in groups]
    if len(batch_sizes) > 1:
        names = [f"{name}\nbatch {group.batch_size}" for name, group in zip(names, groups, strict=True)]
    axes.set_xticks(range(len(groups)), names)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.set_ylim(0, axes.get_ylim()[1] * HEADROOM)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
