"""Gives a plan more blocks, or fewer. Pure functions of the plan: nothing of a request is needed.

A run in two stages is planned with its first blocks. What these show fixes how many more each group gets
(runner/stats/sizing.py). Blocks are added in mirrored pairs, with fresh launches like those of the first block.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from runner.planning.plan import Plan, balanced_orders, turn_order
from runner.vocabulary import Group, Launch, Turns, TurnSize


def extended(plan: Plan, blocks: Mapping[Group, int]) -> Plan:
    """The plan with so many blocks of each group in all; a group that is not named, or has as many, keeps its own.

    The first blocks of the plan become its first stage, unless it has one already.
    """
    most = max([plan.blocks, *blocks.values()])
    rng = random.Random(f"{plan.seed}, more blocks after {plan.blocks}")
    added: dict[int, list[Launch]] = {}
    for group in rng.sample(plan.groups, len(plan.groups)):
        own = plan.blocks_of(group)
        for block, launches in _more(plan, group, range(own + 1, blocks.get(group, own) + 1), rng):
            added.setdefault(block, []).extend(launches)
    if not added:
        return plan
    first = plan.blocks if plan.first_blocks is None else plan.first_blocks
    more = [launch for block in sorted(added) for launch in added[block]]
    return replace(plan, blocks=most, first_blocks=first, launches=(*plan.launches, *more))


def cut(plan: Plan, blocks: int) -> Plan:
    """The plan with its first blocks alone."""
    return replace(plan, blocks=blocks, launches=tuple(each for each in plan.launches if each.block <= blocks))


def _more(plan: Plan, group: Group, blocks: range, rng: random.Random) -> list[tuple[int, list[Launch]]]:
    """The launches of each further block of a group."""
    sittings: dict[int | None, dict[str, Launch]] = {}
    for each in plan.launches:
        if each.cell.group == group and each.block == 1:
            sittings.setdefault(each.sitting, {})[each.cell.variant] = each
    return [
        (block, _block([like[name] for name in order], block, rng))
        for like in sittings.values()
        for block, order in zip(blocks, balanced_orders(list(like), len(blocks), rng), strict=True)
    ]


def _block(like: list[Launch], block: int, rng: random.Random) -> list[Launch]:
    """A block of launches in this order, each like one of the first block."""
    first = like[0].turns
    turns: list[Turns | None] = [None] * len(like)
    if first is not None:
        size = TurnSize(first.bursts, first.burst_seconds)
        order = turn_order(first.members, like[0].steps, size, rng)
        turns = [replace(first, member=member if first.members > 1 else 0, order=order) for member in range(len(like))]
    return [
        replace(
            launch,
            launch_id=launch.launch_id.replace(f"block{launch.block}-", f"block{block}-", 1),
            block=block,
            position=position,
            turns=turns[position - 1],
        )
        for position, launch in enumerate(like, start=1)
    ]
