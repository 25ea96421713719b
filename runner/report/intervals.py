"""Draws a bar's two intervals: a thick line for this bar alone, a thin line for all bars of the run's family at once.

Verdicts are read off the thin one (runner/stats/family.py). A figure without it could contradict the verdicts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes

from runner.stats.tables import Speedup

COLOUR = "#222222"
# Points.
THICK, THIN, ARROW = 3.4, 1.0, 6.0

Ends = tuple[float, float]


@dataclass(frozen=True)
class Whiskers:
    """The ends of a bar's own interval, and of the interval that holds at once with its family's; None for none."""

    alone: Ends | None = None
    together: Ends | None = None

    @property
    def high(self) -> float:
        """The higher of the two upper ends; minus infinity if there is no interval."""
        return max((ends[1] for ends in (self.alone, self.together) if ends is not None), default=-math.inf)


NONE = Whiskers()


def whiskers_of(row: Speedup) -> Whiskers:
    """Return both intervals of a speedup."""
    return Whiskers(*(estimate.interval if estimate else None for estimate in (row.alone, row.together)))


def draw_whiskers(axes: Axes, x: float, whiskers: Whiskers, edges: Ends, colour: str = COLOUR) -> float:
    """Draw both intervals at `x`, and return the upper end of the lines.

    The lines end at the edges. An arrow there shows that the interval goes on.
    """
    floor, ceiling = edges
    for ends, width in ((whiskers.together, THIN), (whiskers.alone, THICK)):
        if ends is not None:
            line = [max(ends[0], floor), min(ends[1], ceiling)]
            axes.plot([x, x], line, color=colour, linewidth=width, solid_capstyle="butt", zorder=3)
    widest = whiskers.together or whiskers.alone
    if widest is not None:
        low, high = widest
        for end, shown, arrow in ((low, max(low, floor), "v"), (high, min(high, ceiling), "^")):
            marker = "_" if shown == end else arrow
            axes.plot(x, shown, marker=marker, markersize=ARROW, color=colour, zorder=3)
    return min(whiskers.high, ceiling)
