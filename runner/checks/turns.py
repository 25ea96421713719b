"""Checks that the launches of a block took turns as planned. Pure functions of what the launches recorded.

Two launches that train at the same time slow one another down. So do the threads of a launch that spin while another
one trains. Such launches are not as planned, and their samples are not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from runner.storage.launch_result import Burst, LaunchResult
from runner.vocabulary import Launch

# The CPU time of a launch that waits, as a share of the time that it waits. A process that sleeps uses some
# hundredths of a thousandth; one OpenMP thread that spins uses all of a CPU.
IDLE_SHARE = 0.02
# Below this the share says nothing: the kernel's clocks and one wake-up cost about as much.
IDLE_SECONDS = 0.02


class _Trained(NamedTuple):
    """One burst of one launch, so that the bursts of a block can be put in the order of their beginnings."""

    launch_id: str
    burst: Burst


def faults_in_turns(block: Mapping[str, tuple[Launch, LaunchResult]]) -> dict[str, list[str]]:
    """The faults in the turns of a block's launches, as phrases by launch id; empty lists where there are none.

    `block` has every launch of the block that wrote a result, by launch id. Only what was recorded is judged: that
    bursts are missing is for the status of the launch to say.
    """
    faults: dict[str, list[str]] = {launch_id: [] for launch_id in block}
    trained = sorted(
        (_Trained(launch_id, burst) for launch_id, (_, result) in block.items() for burst in result.bursts),
        key=lambda each: each.burst.began,
    )
    longest = trained[0] if trained else None  # of those that have begun, the one that ends last
    for one, other in pairwise(trained):
        longest = one if longest is None or one.burst.ended >= longest.burst.ended else longest
        if longest.launch_id != other.launch_id and other.burst.began < longest.burst.ended:
            _both(faults, longest, other, "trained at the same time")
        elif one.launch_id != other.launch_id and other.burst.turn < one.burst.turn:
            _both(faults, one, other, "came in another order than planned")
    for launch_id, (launch, result) in block.items():
        if launch.members > 1:
            faults[launch_id] += _not_idle(result.bursts)
    return faults


def _both(faults: dict[str, list[str]], one: _Trained, other: _Trained, what: str) -> None:
    for each, beside in ((one, other), (other, one)):
        faults[each.launch_id].append(
            f"turn {each.burst.turn} and turn {beside.burst.turn} of {beside.launch_id} {what}"
        )


def _not_idle(bursts: tuple[Burst, ...]) -> list[str]:
    """The phrase that says how much CPU time a launch used while the others trained, if it used too much."""
    waits = [(other.began - one.ended, other.idle_cpu_seconds) for one, other in pairwise(bursts)]
    waited = sum(seconds for seconds, _ in waits)
    used = sum(cpu or 0.0 for _, cpu in waits)
    if used <= max(IDLE_SECONDS, IDLE_SHARE * waited):
        return []
    return [f"it used {used:.2f} s of CPU in the {waited:.1f} s in which it waited for its turns"]
