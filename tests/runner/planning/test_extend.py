"""More blocks, or fewer: fresh launches like the first ones, in balanced order, and nothing of the plan changed."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from runner.planning.extend import cut, extended
from runner.planning.plan import Plan
from runner.vocabulary import Launch, TurnSize
from tests.runner.builders import plan

SIZE = TurnSize(4, 1.0)


@pytest.fixture(params=[SIZE, TurnSize(4, 1.0, together=False), None], ids=["turns", "in sequence", "steps alone"])
def first(request: pytest.FixtureRequest) -> Plan:
    return plan(topologies=("resnet50", "vgg16"), variants=(), blocks=2, turns=request.param)


def block_of(launches: Plan, topology: str, block: int) -> list[Launch]:
    return [each for each in launches.launches if (each.cell.topology, each.block) == (topology, block)]


def test_a_group_gets_its_blocks_and_another_keeps_its_own(first: Plan) -> None:
    resnet, vgg = first.groups
    longer = extended(first, {resnet: 6})
    assert (longer.blocks_of(resnet), longer.blocks_of(vgg)) == (6, 2)
    assert (longer.blocks, longer.first_blocks) == (6, 2)
    assert longer.launches[: len(first.launches)] == first.launches, "what was planned stays"
    assert len({each.launch_id for each in longer.launches}) == len(longer.launches)


def test_new_blocks_are_like_the_first_but_for_number_and_order(first: Plan) -> None:
    longer = extended(first, dict.fromkeys(first.groups, 4))
    like = {each.cell: each for each in block_of(first, "resnet50", 1)}
    for each in block_of(longer, "resnet50", 3):
        same = ("installation", "layout", "steps", "environment", "seed", "time_limit_seconds", "members")
        assert [getattr(each, name) for name in same] == [getattr(like[each.cell], name) for name in same]
        assert each.launch_id == f"block3-tf-2.14-{each.cell.variant}-resnet50-b4"


def test_added_blocks_are_balanced(first: Plan) -> None:
    longer = extended(first, dict.fromkeys(first.groups, 8))
    before: Counter[tuple[str, str]] = Counter()
    for block in range(3, 9):
        order = [each.cell.variant for each in block_of(longer, "resnet50", block)]
        assert [each.position for each in block_of(longer, "resnet50", block)] == [1, 2, 3]
        before.update(combinations(order, 2))
    assert set(before.values()) == {3}


def test_launches_of_an_added_block_share_one_order_of_turns() -> None:
    longer = extended(first := plan(variants=(), blocks=2, turns=SIZE), dict.fromkeys(first.groups, 4))
    for block in (3, 4):
        turns = [each.turns for each in block_of(longer, "resnet50", block)]
        assert [each and each.member for each in turns] == [0, 1, 2]
        assert len({each and each.order for each in turns}) == 1


def test_a_second_extension_keeps_the_first_stage(first: Plan) -> None:
    twice = extended(extended(first, dict.fromkeys(first.groups, 4)), dict.fromkeys(first.groups, 6))
    assert (twice.blocks, twice.first_blocks) == (6, 2)


def test_the_same_plan_is_extended_in_the_same_way(first: Plan) -> None:
    wanted = dict.fromkeys(first.groups, 6)
    assert extended(first, wanted) == extended(first, wanted)


def test_nothing_more_changes_nothing(first: Plan) -> None:
    assert extended(first, dict.fromkeys(first.groups, 2)) is first


def test_a_plan_is_cut_to_its_first_blocks(first: Plan) -> None:
    longer = plan(topologies=("resnet50",), blocks=6)
    assert {each.block for each in cut(longer, 4).launches} == {1, 2, 3, 4}
    assert cut(longer, 4).blocks == 4
