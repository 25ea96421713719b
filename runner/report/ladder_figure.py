"""The waterfall of a ladder: each rung's factor begins where the rung before it ends, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullFormatter

from runner.host.microarchitecture import processor_title
from runner.report.document import Figure
from runner.report.drawing import COLOURS, render
from runner.report.intervals import COLOUR, THICK, THIN
from runner.report.value_text import plural, significant, times, topology_title, with_interval
from runner.stats.family import verdict
from runner.stats.intervals import Estimate
from runner.stats.ladder import FIRST, INERT, LEFT_OUT, LadderResult, Step
from runner.stats.products import Total
from runner.stats.results import Results, Role
from runner.status import Status

DESCRIPTION = "What each rung of the ladder is worth, with 95% intervals, and the whole beside the product"
FASTER, SLOWER, UNCLEAR, TOTAL = COLOURS[Role.VENDORS_BUILD], "#d1495b", "#b5bcc4", "#3d405b"
# Inches.
WIDTH, ROW, FRAME = 11.5, 0.36, 1.9
# Room on the logarithmic axis for the numbers beside the bars: a share of the bars' own span, and at least a factor.
LEFT_ROOM, RIGHT_SHARE, LEAST_RIGHT_ROOM = 1.12, 0.7, 1.5
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
# An interval that goes further than this factor beyond all bars ends in an arrow: two noisy blocks would else squeeze
# the bars to nothing. Its ends stand beside the bar.
WIDEST = 2.5


@dataclass(frozen=True)
class Row:
    """One line of the waterfall: a bar from `start` to `end`, both relative to the first rung, or a remark alone."""

    label: str
    start: float
    end: float
    estimate: Estimate | None
    together: Estimate | None
    text: str
    colour: str
    is_branch: bool = False
    is_hatched: bool = False


def draw_ladder(measured: Results) -> Figure:
    """Return the waterfalls of all ladders of a run, one below the other."""
    return render("ladder", DESCRIPTION, lambda: _figure(measured))


def _figure(measured: Results) -> Drawing:
    rows = [waterfall(result) for result in measured.ladders]
    heights = [ROW * len(each) + FRAME for each in rows]
    figure = Drawing(figsize=(WIDTH, sum(heights) + 1.0), layout="constrained")
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)
    for axes, each, result in zip(grid[:, 0], rows, measured.ladders, strict=True):
        _draw(axes, each, _title(measured, result))
    processor = processor_title(measured.header.machine.processor)
    ladder = measured.header.ladder
    figure.suptitle(f"{ladder.title if ladder else ''}\n{processor}, engine {measured.header.engine.name}",
                    fontsize=12, fontweight="bold")  # fmt: skip
    handles = [Patch(color=FASTER, label="faster"), Patch(color=SLOWER, label="slower"),
               Patch(color=UNCLEAR, label="no clear difference, or no verdict"),
               Patch(facecolor="white", edgecolor="#666666", hatch="////", label="branch, no part of the product"),
               Patch(color=TOTAL, label="first against last")]  # fmt: skip
    legend = figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9, handlelength=1.2,
        title="Each bar starts where the rungs before it lead. Thick line: 95% interval of this step alone. Thin, and "
        f"in figures: 95% for all {plural(measured.family, 'comparison')} of the run at once,\noff which verdicts and "
        "colours are read. Dotted: a launch is missing or was flagged, no verdict. Further right is faster.",
    )  # fmt: skip
    legend.get_title().set(fontsize=9, color="#444444")
    return figure


def waterfall(result: LadderResult) -> list[Row]:
    """Return the rows of one ladder: rungs, branches, product and whole."""
    reached: dict[str, float] = {}
    rows = [_row(step, reached) for step in (*result.steps, *result.branches)]
    status = result.whole_status.words
    unlike = "" if result.products.is_complete else "not complete, or flagged"
    rows.append(_total("product of the rungs", result.products, "not every rung has a complete block", unlike))
    rows.append(_total("the whole, measured directly", result.wholes, status, "" if status == Status.OK else status))
    return rows


def _row(step: Step, reached: dict[str, float]) -> Row:
    start = _start(step, reached)
    end = start * step.ratio.value if step.ratio else start
    if not step.rung.is_branch:
        reached[step.rung.id] = end
    label = f"{step.rung.title}, from {step.reference or step.rung.of}" if step.rung.is_branch else step.rung.title
    incomplete = step.ratio is not None and not step.is_comparable
    return Row(
        label, start, end, step.ratio, step.together, _text(step), _colour(step), step.rung.is_branch, incomplete
    )


def _start(step: Step, reached: Mapping[str, float]) -> float:
    """Return where the rung ends that this one is compared with; 1 for the first."""
    return reached.get(step.reference, reached.get(step.rung.of, 1.0))


def _text(step: Step) -> str:
    if step.status in (INERT, LEFT_OUT):
        return step.status.words
    speed = f"{significant(step.speed.value)} images/s" if step.speed else ""
    held = step.together
    factor = with_interval(held.value, held.low, held.high) if held else ""
    remark = "" if step.status in (FIRST, Status.OK) else step.status.words
    return "   ".join(text for text in (factor, speed, remark) if text)


def _colour(step: Step) -> str:
    if step.ratio is None:
        return UNCLEAR
    found = verdict(step.ratios, step.family) if step.is_comparable else ""
    return {"faster": FASTER, "slower": SLOWER}.get(found, UNCLEAR)


def _total(label: str, total: Total, otherwise: str, remark: str) -> Row:
    estimate, together = total.estimate, total.together
    if estimate is None or together is None:
        return Row(label, 1.0, 1.0, None, None, otherwise, TOTAL)
    shown = with_interval(estimate.value, together.low, together.high)
    text = f"{shown}   {remark}" if remark else shown
    return Row(label, 1.0, estimate.value, estimate, together, text, TOTAL, is_hatched=not total.is_complete)


def _draw(axes: Axes, rows: Sequence[Row], title: str) -> None:
    reached = [1.0, *(row.end for row in rows)]
    low = max(min(1.0, *map(_low, rows)), min(reached) / WIDEST)
    high = min(max(1.0, *map(_high, rows)), max(reached) * WIDEST)
    for position, row in enumerate(rows):
        _bar(axes, position, row, (low, high))
    for position, (row, following) in enumerate(pairwise(rows)):
        if not (row.is_branch or following.is_branch or following.colour == TOTAL):
            axes.plot([row.end, row.end], [position, position + 1], color="#999999", linewidth=0.8, zorder=1)
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xscale("log")
    left, right = low / LEFT_ROOM, high * max(LEAST_RIGHT_ROOM, (high / low) ** RIGHT_SHARE)
    axes.set_xlim(left, right)
    axes.set_xticks([tick for tick in TICKS if left <= tick <= right])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("images per second, relative to the first rung (logarithmic)")
    axes.axvline(1.0, color="#444444", linewidth=1, linestyle="--", zorder=0)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", fontsize=10)


def _bar(axes: Axes, position: int, row: Row, edges: tuple[float, float]) -> None:
    left, right = min(row.start, row.end), max(row.start, row.end)
    style: dict[str, Any] = {"color": row.colour}
    if row.is_branch:
        style = {"facecolor": "white", "edgecolor": row.colour, "hatch": "////"}
    elif row.is_hatched:
        style = {"facecolor": row.colour, "edgecolor": "white", "hatch": "..."}
    if row.estimate is not None:
        axes.barh(position, right - left, 0.62, left=left, zorder=2, **style)
        if row.estimate.has_interval:
            _interval(axes, position, row, edges)
    else:
        axes.plot([row.end], [position], marker="|", markersize=9, color="#777777", zorder=2)
    beside = max(min(_high(row), edges[1]), right)
    axes.annotate(row.text, (beside, position), xytext=(6, 0), textcoords="offset points", va="center",
                  fontsize=8.5, color="#222222" if row.estimate else "#777777")  # fmt: skip


def _interval(axes: Axes, position: int, row: Row, edges: tuple[float, float]) -> None:
    """Draw a step's own interval thick, and the simultaneous one thin, with caps, or arrows where it goes on."""
    ends = (_low(row), _high(row))
    shown = (max(ends[0], edges[0]), min(ends[1], edges[1]))
    axes.plot(shown, [position, position], color=COLOUR, linewidth=THIN, zorder=3)
    if row.estimate is not None:
        alone = [max(row.start * row.estimate.low, edges[0]), min(row.start * row.estimate.high, edges[1])]
        axes.plot(alone, [position, position], color=COLOUR, linewidth=THICK, solid_capstyle="butt", zorder=3,
                  path_effects=[withStroke(linewidth=THICK + 1.4, foreground="white")])  # fmt: skip
    for end, true, arrow in zip(shown, ends, ("<", ">"), strict=True):
        marker = "|" if end == true else arrow
        axes.plot([end], [position], marker=marker, markersize=6, color=COLOUR, zorder=3, clip_on=False)


def _low(row: Row) -> float:
    return _bound(row, row.together.low) if row.together else row.end


def _high(row: Row) -> float:
    return _bound(row, row.together.high) if row.together else row.end


def _bound(row: Row, factor: float) -> float:
    """Return where an end of a factor's interval is drawn, given where the bar starts."""
    return row.end if math.isnan(factor) else row.start * factor


def _title(measured: Results, result: LadderResult) -> str:
    group, blocks = result.group, measured.header.plan.blocks
    stack = measured.header.stacks[group.stack].title
    whole = f"; first against last {times(result.whole.value)}" if result.whole else ""
    return f"{stack}: {topology_title(group.topology)}, batch size {group.batch_size}, {blocks} blocks{whole}"
