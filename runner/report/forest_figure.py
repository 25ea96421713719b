"""Draws the forest plot as a picture, for papers and for places that show no page of the kit's own."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from runner.report.document import Figure
from runner.report.drawing import render
from runner.report.plot import Forest, Line, Mark, Panel

NAME = "forest"
DESCRIPTION = "The speedup of each network with its intervals and blocks, on one logarithmic axis"
# Inches.
WIDTH, LINE, AROUND = 10.4, 0.22, 0.62
# Beside the axis, which ends at 100.
VALUES_AT = 102.0
PALE = 0.4
# Points: the height of a line of the key, which stands between a panel's title and its axes.
KEY = 11.5
GREY, PUBLISHED = "#5b6670", "#b42318"


def draw_forest(plot: Forest) -> Figure:
    """Return the picture, with one panel for each stack."""
    return render(NAME, DESCRIPTION, lambda: _figure(plot))


def _figure(plot: Forest) -> Drawing:
    heights = [
        LINE * sum(len(row.marks) for row in panel.rows) + AROUND + KEY / 72 * len(panel.pairs) for panel in plot.panels
    ]
    drawing = Drawing(figsize=(WIDTH, sum(heights)), layout="constrained")
    grid = drawing.subplots(len(plot.panels), 1, squeeze=False, height_ratios=heights)
    for axes, panel in zip(grid[:, 0], plot.panels, strict=True):
        _panel(axes, panel, plot)
    return drawing


def _panel(axes: Axes, panel: Panel, plot: Forest) -> None:
    places, count = {}, 0
    for row in panel.rows:
        places[row.name] = count + (len(row.marks) - 1) / 2
        for mark in row.marks:
            _mark(axes, mark, count)
            count += 1
    axes.set_title(panel.title, loc="left", fontsize=10, fontweight="bold", pad=KEY * len(panel.pairs) + 4)
    axes.set_yticks(list(places.values()), list(places), fontsize=9)
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xticks([tick.at for tick in plot.ticks], [tick.label for tick in plot.ticks], fontsize=9)
    axes.tick_params(length=0)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    for tick in plot.ticks:
        if tick.label == "1x":
            axes.axvline(tick.at, color=GREY, linewidth=1, linestyle="--", zorder=0.5)
    if panel.published is not None:
        axes.axvline(panel.published.at, color=PUBLISHED, linewidth=1, linestyle="--", zorder=0.5)
        axes.text(panel.published.at, -0.65, panel.published.label, color=PUBLISHED, fontsize=8, ha="right")
    keys = [Line2D([], [], marker="o", linestyle="", color=colour, markerfacecolor="white" if hollow else colour,
                   label=name) for colour, hollow, name in panel.pairs]  # fmt: skip
    axes.legend(handles=keys, loc="lower left", bbox_to_anchor=(0, 1), ncols=1, frameon=False, fontsize=8,
                handletextpad=0.2, borderaxespad=0, labelspacing=0.3)  # fmt: skip


def _mark(axes: Axes, mark: Mark, at: int) -> None:
    alpha = 1.0 if mark.counted else PALE
    for line, width in ((mark.together, 1.0), (mark.alone, 3.0)):
        if line is not None:
            _line(axes, line, at, mark.colour, width, alpha)
    axes.plot([block.at for block in mark.blocks], [at + 0.28] * len(mark.blocks), ".", color=mark.colour, markersize=3,
              alpha=alpha)  # fmt: skip
    axes.plot(mark.dot.at, at, "o", color=mark.colour, markersize=6, alpha=alpha,
              markerfacecolor="white" if mark.hollow else mark.colour)  # fmt: skip
    axes.text(VALUES_AT, at, mark.text, fontsize=8, va="center", clip_on=False)


def _line(axes: Axes, line: Line, at: int, colour: str, width: float, alpha: float) -> None:
    axes.plot([line.low, line.high], [at, at], color=colour, linewidth=width, alpha=alpha, solid_capstyle="butt")
    for goes_on, end, arrow in ((line.goes_on_below, line.low, "<"), (line.goes_on_above, line.high, ">")):
        if goes_on:
            axes.plot(end, at, arrow, color=colour, markersize=4, alpha=alpha, clip_on=False)
