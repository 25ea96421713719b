"""How speedups and names are written, the same in verdicts, figures, tables, sentences and on the terminal."""

from __future__ import annotations

import math

from runner.topologies import BUILT_IN

TOPOLOGY_TITLES = {name: topology.title for name, topology in BUILT_IN.items()}


def topology_title(topology: str) -> str:
    """The name as the article writes it."""
    return TOPOLOGY_TITLES.get(topology, topology)


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, never in exponent notation: 0.0123, 7.41, 221."""
    if math.isnan(value):
        return "—"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def times(value: float) -> str:
    """A speedup: 2.41x."""
    return "—" if math.isnan(value) else f"{significant(value)}x"


def interval(low: float, high: float) -> str:
    """The ends of an interval: 2.31 to 2.52."""
    return "none" if math.isnan(low) else f"{significant(low)} to {significant(high)}"


def with_interval(value: float, low: float, high: float) -> str:
    """A speedup with its interval: 2.41x [2.31, 2.52]."""
    return f"{times(value)} [{significant(low)}, {significant(high)}]" if not math.isnan(low) else times(value)


def at_once(family: int) -> str:
    """What a simultaneous interval holds for: 95% for all 16 comparisons of the run at once; one alone has its own."""
    return "95% interval" if family == 1 else f"95% for all {family} comparisons of the run at once"


def true_largest(own: tuple[float, float], joint: tuple[float, float]) -> str:
    """A clause on where the largest true value lies, if that reads otherwise than the named bar's own interval."""
    within = f"[{significant(joint[0])}, {significant(joint[1])}]"
    same = within == f"[{significant(own[0])}, {significant(own[1])}]"
    return "" if same or math.isnan(joint[0]) else f"; the largest true one lies within {within}"


def plural(count: int, noun: str) -> str:
    """1 block, 2 blocks; 1 topology, 2 topologies."""
    if count == 1:
        return f"{count} {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"
