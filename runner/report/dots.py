"""Draws the blocks that an interval was computed from as dots beside it, in their order from left to right."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from runner.report.intervals import COLOUR

# The dots of a bar are spread from here to there, as shares of the bar's width to the right of its interval.
FROM, TO = 0.14, 0.40
# Room above the highest dot, as a factor.
ROOM = 1.03
POINTS, OPACITY = 3.6, 0.55


def draw_dots(axes: Axes, x: float, width: float, blocks: Sequence[float]) -> None:
    """Draw the values of the blocks beside the interval at `x` of a bar of this width.

    They are no data of the axes, so that they do not move the limits as a plotted line would.
    """
    places = [FROM + (TO - FROM) * (number + 0.5) / len(blocks) for number in range(len(blocks))]
    dots = Line2D(
        [x + width * place for place in places], list(blocks), linestyle="none", marker="o", markersize=POINTS,
        color=COLOUR, alpha=OPACITY, markeredgecolor="white", markeredgewidth=0.5, zorder=4,
    )  # fmt: skip
    axes.add_artist(dots)


def room_for_dots(blocks: Sequence[float]) -> float:
    """Return how high an axis has to reach so that no dot of these blocks is cut off; 0 for none."""
    return ROOM * max(blocks, default=0.0)
