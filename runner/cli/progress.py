"""Shows a run while it runs: the current launch, done and left, the running speedups, the time left.

On a terminal it redraws in place; elsewhere it prints one line for each launch. Everything is computed when a launch
has ended (runner/cli/standing.py). While a launch runs, only its clock is drawn, once a second (rule 10 of
CONTRIBUTING.md).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.segment import Segment, SegmentLines
from rich.table import Table
from rich.text import Text

from runner.cli.standing import Standing, StandingOf, running_mean, running_table, standing_of
from runner.stats.estimators import images_per_second
from runner.storage.records import Record
from runner.storage.runs import Run
from runner.vocabulary import Launch

# Characters in a line of a log or a pipe, whose width is not known. The tables of several stacks need this many.
LOG_WIDTH = 120
CONSOLE = Console(highlight=False)
if not CONSOLE.is_terminal and "COLUMNS" not in os.environ:
    CONSOLE.width = LOG_WIDTH


def say(text: str) -> None:
    """Print one line on what is being done."""
    CONSOLE.print(text, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class _Shown:
    """What stays on the screen until the next launch has ended: the state of the run, and its table as lines."""

    standing: Standing
    table: SegmentLines | None


class Progress:
    """A listener of `execute` that draws. Use as a context manager around it; `left` are the launches to be run."""

    def __init__(
        self,
        run: Run,
        left: Sequence[Launch],
        console: Console = CONSOLE,
        standing_of: StandingOf = standing_of,
    ) -> None:
        self._run = run
        self._left = list(left)
        self._planned = len(run.launches)
        self._console = console
        self._standing_of = standing_of
        self._records = run.read_records()
        self._current: tuple[Sequence[Launch], float] | None = None
        self._shown = self._look()
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=1, transient=True)

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def started(self, launches: Sequence[Launch]) -> None:
        """Launches begin: one, or all that take turns in a block."""
        self._current = (launches, time.monotonic())

    def finished(self, record: Record) -> None:
        """A launch has ended: one line about it stays on the screen."""
        self._current = None
        self._records = [*self._records, record]
        self._take(record.launch_id)
        mean = running_mean(self._shown.standing, record, self._records)
        line = f"{self._count()}  {describe(record)}{'  ' if mean else ''}{mean}{self._time_left(0.0)}"
        self._console.print(line, markup=False, soft_wrap=True)

    def passed_over(self, launch: Launch) -> None:
        """A planned launch is not needed after all."""
        self._planned -= 1
        self._take(launch.launch_id)

    def _take(self, launch_id: str) -> None:
        self._left = [launch for launch in self._left if launch.launch_id != launch_id]
        self._shown = self._look()

    def _look(self) -> _Shown:
        """Compute what is shown until the next launch has ended."""
        standing = self._standing_of(self._run, self._records, self._left)
        table = running_table(standing) if self._console.is_terminal else None
        return _Shown(standing, None if table is None else self._laid_out(table))

    def _laid_out(self, table: Table) -> SegmentLines:
        """A table as finished lines. Each line is one segment, because every redraw processes every segment again."""
        lines = ("".join(piece.text for piece in line) for line in self._console.render_lines(table, pad=False))
        return SegmentLines([[Segment(line)] for line in lines], new_lines=True)

    def _draw(self) -> Group:
        """What is drawn each second. Its cost must not grow with the number of records."""
        status = Text(self._status())
        return Group(status) if self._shown.table is None else Group(self._shown.table, status)

    def _status(self) -> str:
        current = self._current
        if current is None:
            return self._count()
        launches, since = current
        cell, seconds = launches[0].cell, time.monotonic() - since
        variants = " | ".join(launch.cell.variant for launch in launches)
        what = f"{cell.stack} {variants} {cell.topology}, batch {cell.batch_size}, block {launches[0].block}"
        return f"{self._count()}  now: {what} ({clock(seconds)}){self._time_left(seconds)}"

    def _count(self) -> str:
        done = self._planned - len(self._left)
        return f"{done:{len(str(self._planned))}}/{self._planned}"

    def _time_left(self, running_seconds: float) -> str:
        seconds = self._shown.standing.seconds_left
        return "" if seconds is None else f"  ~{clock(max(0.0, seconds - running_seconds))} left"


def describe(record: Record) -> str:
    """One line on a finished launch."""
    cell = record.cell
    head = f"block {record.block}  {cell.stack} {cell.variant:12} {cell.topology:10} b{cell.batch_size:<3}"
    if record.failure is not None:
        return f"{head}  {record.failure.kind}: {record.failure.message.splitlines()[0][:200]}"
    return f"{head}  {images_per_second(record):7.2f} images/s ({record.facts['seconds']:.0f} s)"


def clock(seconds: float) -> str:
    """A number of seconds as a clock shows it: 0:42, 12:05, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
