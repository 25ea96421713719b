"""Carries a comparison out to a precision or within a budget: first blocks, a decision, then the further blocks.

The decision is written into run.json before the further blocks begin, so that --resume and a report know of it.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from runner.cli.progress import Progress, clock, say
from runner.planning.extend import cut, extended
from runner.report.value_text import topology_title
from runner.session.execute import execute
from runner.session.state import Session
from runner.stats.enough import Shortfall, Size, blocks_wanted, seconds_per_block, shortfalls
from runner.stats.results import Results, results_of
from runner.storage import runs
from runner.vocabulary import Group, Launch

# The first stage has at least so many blocks, whatever the budget is: fewer give no spread.
FEWEST_FIRST = 2


def measure_sized(session: Session, launches: Sequence[Launch], size: Size, started: float) -> Session:
    """Run the first blocks, decide how many more there are to be, and run those. Return the session of the longer run.

    `started` is the time at which the budget began, on the monotonic clock.
    """
    with Progress(session.run, launches) as progress:
        execute(session, _while_there_is_time(launches, size, started), progress)
    session = _decided(session, size, started)
    left = session.run.remaining()
    if left:
        with Progress(session.run, left) as progress:
            execute(session, left, progress)
    for text in unreached(results_of(session.run), size):
        say(text)
    return session


def _while_there_is_time(launches: Sequence[Launch], size: Size, started: float) -> Iterator[Launch]:
    """The launches in order, until the next two blocks of all groups would not end within the budget.

    Only durations decide, so that what was measured has no part in it.
    """
    began, first = time.monotonic(), launches[0].block if launches else 1
    for launch in launches:
        done = launch.block - first
        starts_a_pair = done >= FEWEST_FIRST and done % 2 == 0
        if starts_a_pair and size.budget_seconds is not None:
            now = time.monotonic()
            if now - started + 2 * (now - began) / done > size.budget_seconds:
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
    durations = seconds_per_block(plan.launches, records)
    wanted = blocks_wanted(results_of(run).pairs, plan.blocks, size, left, durations)
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
    parts = [f"{topology_title(group.topology)} {blocks}" for group, blocks in more.items()]
    return [f"first stage: {first} blocks; by their spread, blocks in all: {', '.join(parts)}"]


def unreached(everything: Results, size: Size) -> list[str]:
    """What precision was not reached, and what would reach it."""
    widths: dict[Group, float] = {}
    for row in everything.speedups.values():
        if row.alone is not None and row.alone.has_interval:
            width = row.alone.high / row.alone.value - 1
            widths[row.pair.group] = max(widths.get(row.pair.group, 0.0), width)
    durations = seconds_per_block(everything.run.launches, everything.records)
    short = shortfalls([row.pair for row in everything.speedups.values()], widths, size, durations)
    return [_sentence(each, everything) for each in short]


def _sentence(short: Shortfall, everything: Results) -> str:
    folder = shlex.quote(str(everything.run.folder))
    return (
        f"{topology_title(short.group.topology)} at batch size {short.group.batch_size}: the widest interval is "
        f"±{short.half_width:.1%}; it would take about {short.more_blocks} more blocks, {clock(short.seconds)}: "
        f"python -m runner compare --resume {folder} --more-blocks {short.more_blocks}"
    )
