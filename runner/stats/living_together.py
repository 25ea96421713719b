"""How launches of a block lived together: what they used while others trained, and how turns went on. Pure functions.

Only what the launches recorded is read here. That bursts overlap, or that a launch is not idle, is for
`runner/checks/turns.py` to say. Launches that are not as planned have no part in these sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from runner.storage.launch_result import Burst
from runner.storage.records import Record
from runner.vocabulary import Group

# A block of a group or one of its sittings, as one session carried it out: group, block, session, sitting (0: none).
BlockKey = tuple[Group, int, int, int]


@dataclass(frozen=True)
class LivingTogether:
    """How the launches of one variant lived beside those of the others. All times are in seconds.

    `waited` is the time in which other launches had their turns, and `idle_cpu` is the CPU time that this variant's
    launches used in it; both are sums over the launches. `hand_overs` has, for every burst after which another launch's
    turn came, the time from its end to the beginning of the other's burst. `slowest_to_sleep` is the longest time that
    threads took to fall asleep after a burst; None if it was never recorded. `never_asleep` counts the bursts after
    which they did not.
    """

    launches: int
    waited: float
    idle_cpu: float
    hand_overs: tuple[float, ...]
    slowest_to_sleep: float | None
    never_asleep: int

    @property
    def idle_share(self) -> float:
        """The CPU time used while others trained, as a share of that time; 0 if no other launch had a turn."""
        return self.idle_cpu / self.waited if self.waited > 0 else 0.0


def members_of(record: Record) -> int:
    """Return how many launches lived together, this one among them; 1 if it had the CPUs to itself."""
    turns = record.conditions.get("turns")
    return int(turns["members"]) if turns else 1


def blocks_by_turns(records: Iterable[Record]) -> dict[BlockKey, tuple[Record, ...]]:
    """Return the launches that took turns with others, by block, in the order in which they started."""
    found: dict[BlockKey, list[Record]] = {}
    for record in records:
        if members_of(record) > 1 and record.training is not None:
            key = (record.cell.group, record.block, record.session, record.sitting or 0)
            found.setdefault(key, []).append(record)
    return {key: tuple(sorted(each, key=lambda record: int(record.case["position"]))) for key, each in found.items()}


def complete(block: Iterable[Record]) -> bool:
    """Whether a block has every launch that lived in it, each with its bursts."""
    launches = list(block)
    return len(launches) == members_of(launches[0]) and all(each.training.bursts for each in launches if each.training)


def living_together(records: Iterable[Record]) -> dict[tuple[str, str], LivingTogether]:
    """Return how the launches lived beside one another, by stack and variant; empty if none took turns."""
    blocks = blocks_by_turns(records)
    found: dict[tuple[str, str], list[Record]] = {}
    for block in blocks.values():
        for record in block:
            found.setdefault((record.cell.stack, record.cell.variant), []).append(record)
    passed_on = _hand_overs(blocks)
    return {key: _of_variant(launches, passed_on) for key, launches in found.items()}


def _of_variant(launches: list[Record], passed_on: Mapping[tuple[str, int], list[float]]) -> LivingTogether:
    waits = [wait for record in launches for wait in _waits(_bursts(record))]
    bursts = [burst for record in launches for burst in _bursts(record)]
    slept = [burst.settled_seconds for burst in bursts if burst.settled_seconds is not None]
    return LivingTogether(
        launches=len(launches),
        waited=sum(seconds for seconds, _ in waits),
        idle_cpu=sum(cpu for _, cpu in waits),
        hand_overs=tuple(
            seconds for record in launches for seconds in passed_on.get((record.launch_id, record.session), [])
        ),
        slowest_to_sleep=max(slept, default=None),
        never_asleep=len(bursts) - len(slept),
    )


def _bursts(record: Record) -> tuple[Burst, ...]:
    """Return a launch's bursts in the order of its turns."""
    bursts = record.training.bursts if record.training else ()
    return tuple(sorted(bursts, key=lambda burst: burst.turn))


def _waits(bursts: tuple[Burst, ...]) -> list[tuple[float, float]]:
    """Return the seconds of each wait in which another launch had a turn, and the CPU seconds used in it."""
    return [
        (other.began - one.ended, other.idle_cpu_seconds or 0.0)
        for one, other in pairwise(bursts)
        if other.turn > one.turn + 1
    ]


def _hand_overs(blocks: Mapping[BlockKey, tuple[Record, ...]]) -> dict[tuple[str, int], list[float]]:
    """Return the seconds from the end of a burst to the next launch's burst, by the launch that passed the turn on."""
    found: dict[tuple[str, int], list[float]] = {}
    for block in blocks.values():
        trained = sorted(
            ((burst.turn, record.launch_id, record.session, burst) for record in block for burst in _bursts(record)),
            key=lambda each: each[0],
        )
        for (turn, launch_id, session, burst), (next_turn, next_id, _, following) in pairwise(trained):
            if next_turn == turn + 1 and next_id != launch_id:
                found.setdefault((launch_id, session), []).append(following.began - burst.ended)
    return found
