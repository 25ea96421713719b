"""Shows a run while it runs: the current launch, done and left, the running speedups, the time left.

On a terminal it redraws in place; elsewhere it prints one line for each launch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from runner.records import Record, latest
from runner.remaining import seconds_left
from runner.runs import Run
from runner.stats.estimators import images_per_second
from runner.stats.intervals import Estimate, geometric_estimate
from runner.stats.pairs import Pair, pairs_of
from runner.vocabulary import Launch
from runner.wording import times

# Characters in a line where nobody says how many there are: a log or a pipe. The tables of several stacks need as many.
LOG_WIDTH = 120
CONSOLE = Console(highlight=False)
if not CONSOLE.is_terminal and "COLUMNS" not in os.environ:
    CONSOLE.width = LOG_WIDTH


def say(text: str) -> None:
    """Tell the user what is going on, in one line."""
    CONSOLE.print(text, markup=False, soft_wrap=True)


class Progress:
    """A listener of `execute` that draws. Use as a context manager around it.

    Where two runs are carried out in turn, `name` tells this one's lines from the other's, and `between` are the
    launches that the other has left: they take as long as this one's.
    """

    def __init__(self, run: Run, console: Console = CONSOLE, name: str = "", between: Sequence[Launch] = ()) -> None:
        self._run = run
        self._head = f"{name:6} " if name else ""
        self._between = between
        self._console = console
        self._records = list(latest(run.read_records()).values())
        self._planned = run.launches
        self._current: tuple[Launch, float] | None = None
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

    def started(self, launch: Launch) -> None:
        """A launch begins."""
        self._current = (launch, time.monotonic())

    def finished(self, record: Record) -> None:
        """A launch has ended: one line about it stays on the screen."""
        self._records = list(latest([*self._records, record]).values())
        line = f"{self._count()}  {describe(record)}{self._speedup(record)}{self._time_left()}"
        self._console.print(line, markup=False, soft_wrap=True)
        self._current = None

    def passed_over(self, launch: Launch) -> None:
        """A planned launch is not needed after all."""
        self._planned = [each for each in self._planned if each.launch_id != launch.launch_id]

    def _measured(self) -> list[tuple[Pair, Estimate]]:
        pairs = pairs_of(self._run, self._records)
        return [(pair, geometric_estimate(pair.ratios)) for pair in pairs if pair.is_measured]

    def _speedup(self, record: Record) -> str:
        """The speedup so far of the pair that a launch belongs to: what a log has instead of a table.

        A baseline belongs to several pairs: the last one, which has the stack's last variant, stands for them.
        """
        cell = record.cell
        measured = [each for each in self._measured() if each[0].group == cell.group]
        as_candidate = [each for each in measured if each[0].candidate == cell.variant]
        as_baseline = [each for each in measured if each[0].baseline == cell.variant]
        found = as_candidate[:1] or as_baseline[-1:]
        if record.error is not None or not found:
            return ""
        pair, ratio = found[0]
        return f"  {pair.candidate}/{pair.baseline} {times(ratio.value)}"

    def _draw(self) -> Group:
        parts: list[Table | Text] = []
        rows = self._measured()
        if rows:
            table = Table("topology", "batch", "pair", "speedup so far", "95% interval", "blocks", box=None)
            for pair, ratio in rows:
                interval = f"{ratio.low:.2f} to {ratio.high:.2f}" if ratio.has_interval else "after 2 blocks"
                table.add_row(pair.group.topology, str(pair.group.batch_size), _names(pair), f"{ratio.value:.2f}x",
                              interval, str(ratio.replicates))  # fmt: skip
            parts.append(table)
        parts.append(Text(self._status()))
        return Group(*parts)

    def _status(self) -> str:
        if self._current is None:
            return self._count()
        launch, since = self._current
        cell = launch.cell
        what = f"{cell.stack} {cell.variant} {cell.topology}, batch {cell.batch_size}, block {launch.block}"
        return f"{self._count()}  now: {what} ({clock(time.monotonic() - since)}){self._time_left()}"

    def _count(self) -> str:
        return f"{self._head}{len(self._records):{len(str(len(self._planned)))}}/{len(self._planned)}"

    def _time_left(self) -> str:
        done = {record.launch_id for record in self._records}
        left = [launch for launch in self._planned if launch.launch_id not in done]
        seconds = seconds_left([*left, *self._between], self._planned, self._records)
        if not seconds:  # none has ended, or none is left
            return ""
        running = time.monotonic() - self._current[1] if self._current and self._current[0] in left else 0.0
        return f"  ~{clock(max(0.0, seconds - running))} left"


def describe(record: Record) -> str:
    """One line on a finished launch."""
    cell = record.cell
    head = f"block {record.block}  {cell.stack} {cell.variant:12} {cell.topology:10} b{cell.batch_size:<3}"
    if record.error is not None:
        return f"{head}  {record.error['kind']}: {record.error['message'].splitlines()[0][:200]}"
    return f"{head}  {images_per_second(record):7.2f} images/s ({record.facts['seconds']:.0f} s)"


def clock(seconds: float) -> str:
    """Seconds for people: 0:42, 12:05, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _names(pair: Pair) -> str:
    return f"{pair.candidate} / {pair.baseline}"
