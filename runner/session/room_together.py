"""Refuses launches that would live together without the memory for it. A plan is made for the memory that is free then.

A run that is resumed or repeated keeps its plan, and may find less memory free, or another host. Before a block begins,
what its cells have needed in earlier blocks is held against what is free then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runner.errors import HostError
from runner.planning.memory import GB, free_bytes_needed
from runner.session.planned import memory_of
from runner.session.this_host import LIVE_ROOT, machine_below
from runner.storage.records import Record
from runner.vocabulary import Cell, Launch


def require_room_together(launches: Sequence[Launch]) -> None:
    """Check that the largest block of these launches fits into the memory that is free on this host now.

    Raises:
        HostError: it does not; the message says how much it needs and what to do.
    """
    free = memory_of(machine_below(LIVE_ROOT))
    together = [launch for launch in launches if launch.members > 1]
    if free is None or not together:
        return
    needs = {launch.cell.group: _needed(launch) for launch in together}
    largest = max(needs, key=lambda group: needs[group])
    if needs[largest] > free:
        raise HostError(
            f"The launches of a block of {largest.topology} at batch size {largest.batch_size} live together and need "
            f"{needs[largest] / GB:.0f} GB of free memory. On this host {free / GB:.0f} GB are free now. Free some "
            "memory and try again, or begin a new run: it lets launches follow one another where they do not fit "
            "(--in-sequence for all)."
        )


def peaks_of(records: Iterable[Record]) -> dict[Cell, int]:
    """The largest peak memory, in bytes, of each cell that has recorded one."""
    found: dict[Cell, int] = {}
    for record in records:
        if record.training is not None and record.training.peak_memory_bytes:
            found[record.cell] = max(found.get(record.cell, 0), record.training.peak_memory_bytes)
    return found


def require_room_for(block: Sequence[Launch], peaks: Mapping[Cell, int]) -> None:
    """Check that what a block's launches needed before is free now. Nothing is checked of cells that never ran.

    Raises:
        HostError: it is not free; the message says what to do.
    """
    if len(block) == 1 or not all(launch.cell in peaks for launch in block):
        return
    needed, free = sum(peaks[launch.cell] for launch in block), memory_of(machine_below(LIVE_ROOT))
    if free is not None and needed > free:
        raise HostError(
            f"The next block's launches needed {needed / GB:.1f} GB together in an earlier block, and "
            f"{free / GB:.1f} GB are free on this host now. Something else has taken the memory, and the host would "
            "begin to swap. Free some, then go on with --resume; every finished launch is kept."
        )


def _needed(launch: Launch) -> int:
    return free_bytes_needed(launch.cell.topology, launch.cell.batch_size, launch.members)
