"""Draws a bar's two intervals: thick, this bar alone; thin, all bars of the run's family at once.

Verdicts are read off the thin one (runner/stats/family.py), so that a picture without it could contradict them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

COLOUR = "#222222"
# Points.
THICK, THIN, ARROW = 3.4, 1.0, 6.0

Ends = tuple[float, float]
UNKNOWN: Ends = (math.nan, math.nan)


@dataclass(frozen=True)
class Whiskers:
    """The ends of the interval of a bar alone, and of the one that holds at once with its family's; NaN for none."""

    alone: Ends = UNKNOWN
    together: Ends = UNKNOWN

    @property
    def high(self) -> float:
        """The furthest end upwards; minus infinity where there is no interval."""
        return max((high for _, high in (self.alone, self.together) if not math.isnan(high)), default=-math.inf)


NONE = Whiskers()


def whiskers_of(row: Any) -> Whiskers:
    """Both intervals of a row of the table of speedups."""
    return Whiskers((row["ci_low"], row["ci_high"]), (row["family_ci_low"], row["family_ci_high"]))


def draw_whiskers(axes: Axes, x: float, whiskers: Whiskers, edges: Ends, colour: str = COLOUR) -> float:
    """Draw both, but not beyond the edges, where an arrow says that they go on; return the upper end of the lines."""
    floor, ceiling = edges
    for (low, high), width in ((whiskers.together, THIN), (whiskers.alone, THICK)):
        if not math.isnan(low):
            ends = [max(low, floor), min(high, ceiling)]
            axes.plot([x, x], ends, color=colour, linewidth=width, solid_capstyle="butt", zorder=3)
    low, high = whiskers.alone if math.isnan(whiskers.together[0]) else whiskers.together
    for end, shown, arrow in ((low, max(low, floor), "v"), (high, min(high, ceiling), "^")):
        if not math.isnan(end):
            marker = "_" if shown == end else arrow
            axes.plot(x, shown, marker=marker, markersize=ARROW, color=colour, zorder=3)
    return min(whiskers.high, ceiling)
