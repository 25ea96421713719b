"""Turns a resolved ladder into the ordered launches of a run. A pure function of data.

Each block has every rung once. The order is a rotation of the ladder, with each branch beside the rung that it is
compared with; the next block has the same order backwards. At the outer end of each block the first and the last rung
have one more launch each, back to back. These measure the whole ladder directly, and the product of the rungs' factors
is compared with it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from runner.host.pin import Pin
from runner.planning.bkm import ResolvedBkms
from runner.planning.ladder_file import WHOLE, Ladder
from runner.planning.plan import Plan, Request, balanced_orders, check_blocks
from runner.planning.rungs import PlannedRung
from runner.vocabulary import Cell, Group, Launch

KIND = "ladder"


def make_ladder_plan(request: Request, ladder: Ladder, rungs: Mapping[str, Sequence[PlannedRung]], pin: Pin) -> Plan:
    """Make the plan of a ladder with all its launches; `rungs` is by stack. `pin` is the pin of the run.

    Raises:
        UsageError: the number of blocks is too small, or odd.
    """
    check_blocks(request.blocks)
    rng = random.Random(request.seed)
    groups = [
        Group(stack.name, topology, batch_size)
        for stack in request.stacks
        for topology in request.topologies
        for batch_size in request.batch_sizes
    ]
    orders = {group: block_orders(rungs[group.stack], request.blocks, rng) for group in groups}
    launches = [
        _launch(request, group, name, rungs[group.stack], block, position)
        for block in range(1, request.blocks + 1)
        for group in rng.sample(groups, len(groups))
        for position, name in enumerate(orders[group][block - 1], start=1)
    ]
    settings = ResolvedBkms(f"ladder {ladder.name}", ladder.title, ladder.source, (), {}, 0, 0)
    return Plan(pin, settings, request.blocks, request.seed, tuple(launches))


def block_orders(rungs: Sequence[PlannedRung], blocks: int, rng: random.Random) -> list[tuple[str, ...]]:
    """The variants of each block's launches in order: every rung once, and the two of the whole ladder at one end."""
    whole: tuple[str, ...] = tuple(WHOLE + rung.id for rung in ends(rungs))
    orders = balanced_orders([rung.id for rung in _side_by_side(rungs)], blocks, rng)
    complete: list[tuple[str, ...]] = []
    for index, order in enumerate(orders):
        if index % 2:
            complete.append((*order, *whole[::-1]))  # the mirror image of the block before it
            continue
        whole = whole[::-1] if rng.random() < 1 / 2 else whole
        complete.append((*whole, *order))
    return complete


def ends(rungs: Sequence[PlannedRung]) -> tuple[PlannedRung, PlannedRung]:
    """The first and the last rung of the ladder that are run."""
    chain = [rung for rung in rungs if not rung.is_branch and not rung.left_out]
    return chain[0], chain[-1]


def ladder_header(ladder: Ladder, rungs: Mapping[str, Sequence[PlannedRung]]) -> dict[str, Any]:
    """The keys that run.json has only for a ladder, with their values."""
    stacks = {stack: [rung.to_json() for rung in each] for stack, each in rungs.items()}
    return {"kind": KIND, "ladder": {"name": ladder.name, "title": ladder.title, "source": ladder.source,
                                     "stacks": stacks}}  # fmt: skip


def _side_by_side(rungs: Sequence[PlannedRung]) -> list[PlannedRung]:
    """The rungs and branches that are run, each branch right after the rung that it is compared with."""
    run = [rung for rung in rungs if not rung.left_out]
    return [
        each
        for rung in run
        if not rung.is_branch
        for each in (rung, *(branch for branch in run if branch.is_branch and branch.of == rung.id))
    ]


def _launch(
    request: Request, group: Group, name: str, rungs: Sequence[PlannedRung], block: int, position: int
) -> Launch:
    settings = next(rung.settings for rung in rungs if rung.id == name.removeprefix(WHOLE))
    return Launch(
        launch_id=f"block{block}-{group.stack}-{name}-{group.topology}-b{group.batch_size}",
        block=block,
        position=position,
        cell=Cell(group.stack, name, group.topology, group.batch_size),
        installation=settings.installation,
        layout=settings.layout,
        steps=request.steps,
        intra_op_threads=settings.intra_op_threads,
        inter_op_threads=settings.inter_op_threads,
        environment=settings.environment,
        seed=request.seed,
        time_limit_seconds=request.time_limit_seconds,
        topology_file=request.file_of(group.topology),
        graph_optimisation=settings.graph_optimisation,
        allocator=settings.allocator,
    )
