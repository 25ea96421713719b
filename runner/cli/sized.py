"""Carries a comparison out to a precision or within a budget: first blocks, a decision, then the further blocks.

The decision is written into run.json before the further blocks begin, so that --resume and a report know of it.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from runner.cli.progress import Progress, say
from runner.cli.progress import clock as clock_text
from runner.planning.extend import cut, extended
from runner.report.value_text import topology_title
from runner.session.execute import execute
from runner.session.state import Session
from runner.stats.enough import Shortfall, Size, blocks_wanted, seconds_per_block, shortfalls
from runner.stats.results import Results, results_of
from runner.stats.tables import half_width
from runner.storage import runs
from runner.vocabulary import Group, Launch

# The first stage has at least so many blocks, whatever the budget is: fewer give no spread.
FEWEST_FIRST = 2
# A run that exceeds its budget by more than this factor says so.
WORTH_TELLING = 1.02
# What takes more than this share of the budget before the first launch is named.
MUCH = 0.2
# With fewer first blocks, Student's t of the first stage is so wide that a second stage makes no interval narrower.
FEWEST_TO_DECIDE = 4


def measure_sized(session: Session, launches: Sequence[Launch], size: Size, started: float) -> None:
    """Run the first blocks, decide how many more there are to be, and run those.

    `started` is the time at which the budget began, on the monotonic clock.
    """
    before = time.monotonic() - started
    with Progress(session.run, launches) as progress:
        execute(session, while_there_is_time(launches, size, started), progress)
    session = _decided(session, size, started)
    # A block that failed in the first stage is left to --resume, as in a run of one stage.
    tried = {record.launch_id for record in session.run.read_records() if record.session == session.number}
    left = [launch for launch in session.run.remaining() if launch.launch_id not in tried]
    if left:
        with Progress(session.run, left) as progress:
            execute(session, left, progress)
    for text in (*reached(results_of(session.run), size), *overrun(size, before, time.monotonic() - started)):
        say(text)


def while_there_is_time(
    launches: Sequence[Launch], size: Size, started: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[Launch]:
    """The launches in order, until the next two blocks of all groups would not end within the budget.

    Only durations decide, so that what was measured has no part in it.
    """
    began, first, block = clock(), launches[0].block if launches else 1, 0
    for launch in launches:
        is_first_of_block, block = launch.block != block, launch.block
        starts_a_pair = is_first_of_block and block > FEWEST_FIRST and block % 2 == 1 and block > first
        if starts_a_pair and size.budget_seconds is not None:
            now = clock()
            if now - started + 2 * (now - began) / (block - first) > size.budget_seconds:
                return
        yield launch


def _decided(session: Session, size: Size, started: float) -> Session:
    """The session with the plan that the first blocks ask for."""
    run, plan = session.run, session.run.about.plan
    if plan.first_blocks is not None:  # decided in an earlier session
        return session
    records = run.read_records()
    ended = max((record.block for record in records), default=0)
    plan = cut(plan, max(ended, FEWEST_FIRST))
    left = None if size.budget_seconds is None else size.budget_seconds - (time.monotonic() - started)
    durations = seconds_per_block(records)
    enough = plan.blocks >= FEWEST_TO_DECIDE
    wanted = blocks_wanted(results_of(run).pairs, plan.blocks, size, left, durations) if enough else {}
    longer = extended(plan, wanted)
    if longer != run.about.plan:
        session = replace(session, run=runs.planned_anew(run, longer))
    for line in _in_words(wanted, plan.blocks):
        say(line)
    return session


def _in_words(wanted: dict[Group, int], first: int) -> list[str]:
    more = {group: blocks for group, blocks in wanted.items() if blocks > first}
    if not more:
        return [f"first stage: {first} blocks; no more are run"]
    parts = [f"{_name(group)} {blocks}" for group, blocks in more.items()]
    return [f"first stage: {first} blocks; by their spread, blocks in all: {', '.join(parts)}"]


def _name(group: Group) -> str:
    return f"{topology_title(group.topology)} (batch size {group.batch_size}, {group.stack})"


def reached(everything: Results, size: Size) -> list[str]:
    """The widest interval, and what would reach the precision that was requested, or else half of that interval."""
    widths: dict[Group, float] = {}
    for row in everything.speedups.values():
        if row.alone is not None and row.alone.has_interval:
            width = half_width(row.alone)
            widths[row.pair.group] = max(widths.get(row.pair.group, 0.0), width)
    if not widths:
        return []
    widest = max(widths, key=lambda group: widths[group])
    durations = seconds_per_block(everything.records)
    aim = widths[widest] / 2 if size.precision is None else size.precision
    pairs = [row.pair for row in everything.speedups.values()]
    short = shortfalls(pairs, widths, replace(size, precision=aim), durations)
    if size.precision is None:
        short = [each for each in short if each.group == widest]
    return [
        f"the widest 95% interval: ±{widths[widest]:.1%}, {_name(widest)}",
        *(_sentence(each, everything, aim) for each in short),
    ]


def overrun(size: Size, before: float, used: float) -> list[str]:
    """By how much a run exceeded its budget, in seconds of which `before` were over when the first launch began."""
    budget = size.budget_seconds
    if budget is None or used <= WORTH_TELLING * budget:
        return []
    said = f"the budget of {clock_text(budget)} was exceeded: {clock_text(used)} were used"
    if before > MUCH * budget:
        said += (
            f", {clock_text(before)} of them before the first timed launch, for probes and matrix products. What "
            "probes show is kept, so that another run of the same variants here has more of its time for blocks"
        )
    return [f"{said}. At least {FEWEST_FIRST} blocks are always run"]


def _sentence(short: Shortfall, everything: Results, aim: float) -> str:
    folder = shlex.quote(str(everything.run.folder))
    return (
        f"{_name(short.group)}: the widest interval is ±{short.half_width:.1%}; ±{aim:.1%} would take about "
        f"{short.more_blocks} more blocks, {clock_text(short.seconds)}: "
        f"python -m runner compare --resume {folder} --more-blocks {short.more_blocks}"
    )
