"""Refuses launches that would live together without the memory for it. A plan is made for the memory that is free then.

A run that is resumed or repeated keeps its plan, and may find less memory free, or another host.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.errors import HostError
from runner.planning.memory import GB, free_bytes_needed
from runner.session.planned import memory_of
from runner.session.this_host import LIVE_ROOT, machine_below
from runner.vocabulary import Launch


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


def _needed(launch: Launch) -> int:
    return free_bytes_needed(launch.cell.topology, launch.cell.batch_size, launch.members)
