"""Reads what `perf stat -x -I` prints: counts of events between two times (man perf-stat, "CSV FORMAT")."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Software counters, which every kernel has, and then the processor's own.
SOFTWARE = ("task-clock", "context-switches", "page-faults")
HARDWARE = ("cycles", "instructions", "LLC-loads", "LLC-load-misses")
EVENTS = (*SOFTWARE, *HARDWARE)
SEPARATOR = ";"
# The name of an event as perf prints it, with what it is limited to: cycles, cycles:u, and for a kind of core of a
# hybrid processor cpu_core/cycles/ and cpu_core/cycles/u. A "u" stands for user space.
_NAME = re.compile(r"(?:\w+/)?(?P<event>[\w-]+)(?:/(?P<of_a_kind>\w*)|:(?P<of_any>\w+))?")
USER = "u"
LONGEST_ERROR = 200


@dataclass(frozen=True)
class Interval:
    """Counts between two times, in seconds on the monotonic clock. A count is None if this host does not let it count.

    `task-clock` is in milliseconds of CPU time.
    """

    began: float
    ended: float
    counts: Mapping[str, float | None]


@dataclass(frozen=True)
class Counted:
    """All intervals of one process, and the version of perf, None without one. `error` is why there are no intervals.

    `user_only` says that the kernel was left out: a user without permission may count his own programs only.
    """

    tool: str | None
    intervals: tuple[Interval, ...] = ()
    error: str | None = None
    user_only: bool = False


@dataclass(frozen=True)
class _Row:
    arrived: float
    seconds: float
    event: str
    count: float | None
    is_user_only: bool


def counted_of(lines: Sequence[tuple[float, str]], tool: str | None) -> Counted:
    """Read the lines that perf printed, each with the time at which it came, in seconds on the monotonic clock.

    perf prints times since it began to count. Lines come a little after the interval that they are of, one of them
    with the least delay. That one says when perf began. The kinds of core of a hybrid processor are added up.
    """
    rows = [row for arrived, line in lines if (row := _row(arrived, line)) is not None]
    if not rows:
        return Counted(tool, error=_error([line for _, line in lines]))
    zero = min(row.arrived - row.seconds for row in rows)
    by_end: dict[float, dict[str, list[float | None]]] = {}
    for row in rows:
        by_end.setdefault(row.seconds, {}).setdefault(row.event, []).append(row.count)
    found = []
    for one, other in pairwise([0.0, *sorted(by_end)]):
        counts = {event: _sum(each) for event, each in by_end[other].items()}
        found.append(Interval(zero + one, zero + other, counts))
    return Counted(tool, tuple(found), user_only=any(row.is_user_only for row in rows))


def _row(arrived: float, line: str) -> _Row | None:
    """Return one count; None for a line that is none."""
    cells = line.split(SEPARATOR)
    try:
        seconds, name = float(cells[0]), _NAME.fullmatch(cells[3])
    except (ValueError, IndexError):
        return None
    if name is None or name["event"] not in EVENTS:
        return None
    is_user_only = USER in (name["of_a_kind"] or name["of_any"] or "")
    try:
        count: float | None = float(cells[1])
    except ValueError:  # <not supported> or <not counted>
        count = None
    if is_user_only and name["event"] == "context-switches":
        count = None  # they happen in the kernel: perf prints 0
    return _Row(arrived, seconds, name["event"], count, is_user_only)


def _sum(counts: Sequence[float | None]) -> float | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _error(lines: Sequence[str]) -> str:
    """Return what perf says in one short sentence, without its heading and its warning about short intervals."""
    told = [line.strip() for line in lines if line.strip() not in ("", "Error:") and "print interval" not in line]
    return textwrap.shorten(told[0], LONGEST_ERROR) if told else "perf printed nothing"
