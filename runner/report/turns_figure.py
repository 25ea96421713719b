"""Draws how the launches of a block took turns: one row a launch, one bar a burst, on the clock that they share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from runner.report.document import Figure
from runner.report.drawing import colour, render
from runner.report.value_text import topology_title
from runner.stats.living_together import blocks_by_turns, complete
from runner.stats.results import Results
from runner.storage.launch_result import Burst, Step
from runner.storage.records import Record
from runner.vocabulary import Group

NAME = "turns"
DESCRIPTION = "One block of each topology: when each of its launches trained, and that no two trained at the same time"
# Inches.
WIDTH, ROW, AROUND = 10.4, 0.27, 0.62
# Shares of a row.
BAR = 0.72
WARMUP_OPACITY = 0.4


@dataclass(frozen=True)
class Bar:
    """Steps of one phase in one burst, from and to when, in seconds from the beginning of the block's first burst."""

    phase: str
    began: float
    ended: float


@dataclass(frozen=True)
class Timeline:
    """One block of a group: the bars of each launch, by variant in the order in which the launches started."""

    group: Group
    block: int
    rows: tuple[tuple[str, tuple[Bar, ...]], ...]


def timelines(records: Iterable[Record]) -> list[Timeline]:
    """Return the first complete block of each group whose launches took turns, in the order of the report."""
    first: dict[Group, Timeline] = {}
    blocks = blocks_by_turns(records)
    for key in sorted(blocks, key=lambda key: (key[0].report_order(), key[1:])):
        group, number, *_ = key
        if group not in first and complete(blocks[key]):
            first[group] = _timeline(group, number, blocks[key])
    return list(first.values())


def _timeline(group: Group, number: int, block: Sequence[Record]) -> Timeline:
    trained = [(record.cell.variant, record.training) for record in block if record.training]
    zero = min(burst.began for _, training in trained for burst in training.bursts)
    rows = (
        (variant, tuple(bar for burst in training.bursts for bar in _bars(burst, training.steps, zero)))
        for variant, training in trained
    )
    return Timeline(group, number, tuple(rows))


def _bars(burst: Burst, steps: Sequence[Step], zero: float) -> list[Bar]:
    """Return the bars of a burst. A timed one that follows another launch's begins with an untimed step."""
    began, ended = burst.began - zero, burst.ended - zero
    own = [step for step in steps if step.turn == burst.turn]
    first_timed = next((step.began - zero for step in own if step.phase == "timed" and step.began is not None), began)
    if burst.phase != "timed" or all(step.phase == "timed" for step in own):
        return [Bar(burst.phase, began, ended)]
    return [Bar("warmup", began, first_timed), Bar("timed", first_timed, ended)]


def draw_turns(measured: Results, found: Sequence[Timeline]) -> Figure:
    """Return the figure with one panel for each of these blocks; there is at least one."""
    return render(NAME, DESCRIPTION, lambda: _figure(measured, found))


def _figure(measured: Results, found: Sequence[Timeline]) -> Drawing:
    heights = [ROW * len(each.rows) + AROUND for each in found]
    drawing = Drawing(figsize=(WIDTH, sum(heights) + 0.5), layout="constrained")
    grid = drawing.subplots(len(found), 1, squeeze=False, height_ratios=heights)
    for axes, each in zip(grid[:, 0], found, strict=True):
        _panel(axes, each, measured)
    grid[-1, 0].set_xlabel("seconds from the block's first burst")
    handles = [Patch(facecolor="#444444", alpha=WARMUP_OPACITY), Patch(facecolor="#444444")]
    labels = ["warm-up", "timed"]
    drawing.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9, handlelength=1.2)
    return drawing


def _panel(axes: Axes, timeline: Timeline, measured: Results) -> None:
    group, rows = timeline.group, timeline.rows
    for position, (variant, bars) in enumerate(rows):
        fill = colour(measured, group.stack, variant)
        for is_timed in (False, True):
            shown = [bar for bar in bars if (bar.phase == "timed") == is_timed]
            _draw_bars(axes, position, shown, fill, 1.0 if is_timed else WARMUP_OPACITY)
    stack = measured.header.stacks[group.stack].title
    axes.set_title(
        f"{stack}: {topology_title(group.topology)}, batch size {group.batch_size}, block {timeline.block}",
        loc="left", fontsize=10,
    )  # fmt: skip
    axes.set_yticks(range(len(rows)), [variant for variant, _ in rows], fontsize=9)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, max(bar.ended for _, bars in rows for bar in bars))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)


def _draw_bars(axes: Axes, position: int, bars: Sequence[Bar], fill: str, opacity: float) -> None:
    """Draw a row's bars as one path, which keeps the file small. A white line parts two bursts of one launch."""
    if not bars:
        return
    low, high = position - BAR / 2, position + BAR / 2
    paths = [
        Path([(bar.began, low), (bar.ended, low), (bar.ended, high), (bar.began, high), (bar.began, low)], closed=True)
        for bar in bars
    ]
    axes.add_patch(
        PathPatch(Path.make_compound_path(*paths), facecolor=fill, alpha=opacity, edgecolor="white", linewidth=0.7)
    )
