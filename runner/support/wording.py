"""Writes speedups and names in the same way in verdicts, figures, tables, sentences and on the terminal."""

from __future__ import annotations

import math

from runner.topologies import BUILT_IN

TOPOLOGY_TITLES = {name: topology.title for name, topology in BUILT_IN.items()}


def topology_title(topology: str) -> str:
    """A topology's name as the article writes it; a user's own topology keeps its name."""
    return TOPOLOGY_TITLES.get(topology, topology)


def significant(value: float, digits: int = 3) -> str:
    """A number with `digits` significant digits and without an exponent: 0.0123, 7.41, 221; a dash for NaN."""
    if math.isnan(value):
        return "—"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def times(value: float) -> str:
    """A speedup, for example 2.41x; a dash for NaN."""
    return "—" if math.isnan(value) else f"{significant(value)}x"


def interval(low: float, high: float) -> str:
    """The ends of an interval, for example "2.31 to 2.52"; "none" for NaN."""
    return "none" if math.isnan(low) else f"{significant(low)} to {significant(high)}"


def with_interval(value: float, low: float, high: float) -> str:
    """A speedup with its interval, for example 2.41x [2.31, 2.52]; without it where the interval is NaN."""
    return f"{times(value)} [{significant(low)}, {significant(high)}]" if not math.isnan(low) else times(value)


def at_once(family: int) -> str:
    """What a simultaneous interval covers, for example "95% for all 16 comparisons of the run at once"."""
    return "95% interval" if family == 1 else f"95% for all {family} comparisons of the run at once"


def true_largest(own: tuple[float, float], joint: tuple[float, float]) -> str:
    """A clause with the interval of the largest true value; empty if it equals the named bar's own interval."""
    within = f"[{significant(joint[0])}, {significant(joint[1])}]"
    same = within == f"[{significant(own[0])}, {significant(own[1])}]"
    return "" if same or math.isnan(joint[0]) else f"; the largest true one lies within {within}"


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 block, 2 blocks; 1 topology, 2 topologies."""
    if count == 1:
        return f"{count} {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"
