"""Draws a bar's two intervals: thick, this bar alone; thin, all bars of the run's family at once.

Verdicts are read off the thin one (runner/stats/family.py), so that a picture without it could contradict them.
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
    """The ends of the interval of a bar alone, and of the one that holds at once with its family's; None for none."""

    alone: Ends | None = None
    together: Ends | None = None

    @property
    def high(self) -> float:
        """The furthest end upwards; minus infinity where there is no interval."""
        return max((ends[1] for ends in (self.alone, self.together) if ends is not None), default=-math.inf)


NONE = Whiskers()


def whiskers_of(row: Speedup) -> Whiskers:
    """Both intervals of a speedup."""
    return Whiskers(*(estimate.interval if estimate else None for estimate in (row.alone, row.together)))


def draw_whiskers(axes: Axes, x: float, whiskers: Whiskers, edges: Ends, colour: str = COLOUR) -> float:
    """Draw both, but not beyond the edges, where an arrow says that they go on; return the upper end of the lines."""
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
