"""Which launches of a plan are still to be run. A pure function of the plan and its records.

A block is the launches of one group that live together or run back to back. It is complete when one session has a
success of each of them. Launches of two sessions are never divided by one another, so all launches of an incomplete
block are run again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from runner.storage.records import Record
from runner.vocabulary import Group, Launch

# A group and the block's number, from 1.
BlockKey = tuple[Group, int]


def remaining(
    launches: Sequence[Launch], records: Sequence[Record], needed: Collection[str] | None = None
) -> list[Launch]:
    """All launches of every block that is not complete, in the order of the plan.

    `needed` are the ids of the launches without which a block is not complete (None: all of them). A launch that is not
    needed is run again with its block if an earlier session has run it there. So no attempt at a block has fewer
    launches than the attempt before it.
    """
    wanted = {launch.launch_id for launch in launches} if needed is None else set(needed)
    blocks: dict[BlockKey, set[str]] = {}
    for launch in launches:
        blocks.setdefault((launch.cell.group, launch.block), set()).add(launch.launch_id)
    done = _successes(records)
    broken = {key for key, ids in blocks.items() if not _is_complete(ids & wanted, done.get(key, {}))}
    run_before = {record.launch_id for record in records}
    return [
        launch
        for launch in launches
        if (launch.cell.group, launch.block) in broken and launch.launch_id in wanted | run_before
    ]


def _is_complete(wanted: set[str], by_session: dict[int, set[str]]) -> bool:
    return not wanted or any(wanted <= done for done in by_session.values())


def _successes(records: Sequence[Record]) -> dict[BlockKey, dict[int, set[str]]]:
    """The ids of the launches that ended well, by block and session."""
    found: dict[BlockKey, dict[int, set[str]]] = {}
    for record in records:
        if record.error is None:
            sessions = found.setdefault((record.cell.group, record.block), {})
            sessions.setdefault(record.session, set()).add(record.launch_id)
    return found
