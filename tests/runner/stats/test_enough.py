"""How many blocks a run gets: by the spread of its first blocks and by their durations."""

from __future__ import annotations

import math

import pytest

from runner.stats.enough import Size, blocks_wanted, seconds_per_block, shortfalls
from runner.stats.pairs import Pair
from runner.status import Status
from runner.vocabulary import Group
from tests.runner.builders import record

GROUP, OTHER = Group("tf-2.14", "resnet50", 4), Group("tf-2.14", "vgg16", 4)


def pair(spread: float, blocks: int = 6, group: Group = GROUP) -> Pair:
    """Ratios around 2 whose logarithms are apart by `spread` either way."""
    ratios = tuple(2 * math.exp(spread if block % 2 else -spread) for block in range(blocks))
    return Pair(group, "stock", "intel", (1.0,) * blocks, ratios, None, Status.OK, "", tuple(range(1, blocks + 1)))


def test_a_wider_spread_needs_more_blocks() -> None:
    wanted = [blocks_wanted([pair(spread)], 6, Size(precision=0.05), None, {})[GROUP] for spread in (0.01, 0.1, 0.2)]
    assert wanted == sorted(wanted)
    assert wanted[0] == 6 < wanted[1]
    assert all(blocks % 2 == 0 for blocks in wanted)


def test_only_the_first_blocks_decide() -> None:
    wide_later = pair(0.01, blocks=6)
    later = Pair(**{**wide_later.__dict__, "baseline_speeds": (1.0,) * 8, "blocks": tuple(range(1, 9)),
                    "candidate_speeds": (*wide_later.candidate_speeds, 20.0, 0.1)})  # fmt: skip
    size = Size(precision=0.05)
    assert blocks_wanted([later], 6, size, None, {}) == blocks_wanted([wide_later], 6, size, None, {})


def test_a_budget_goes_to_the_widest_interval() -> None:
    pairs = [pair(0.2), pair(0.02, group=OTHER)]
    wanted = blocks_wanted(pairs, 6, Size(budget_seconds=100), 60, {GROUP: 10.0, OTHER: 10.0})
    assert wanted == {GROUP: 12, OTHER: 6}


def test_a_budget_limits_a_precision_and_a_precision_a_budget() -> None:
    pairs, durations = [pair(0.2)], {GROUP: 10.0}
    assert blocks_wanted(pairs, 6, Size(0.001, 100), 40, durations) == {GROUP: 10}
    assert blocks_wanted(pairs, 6, Size(0.9, 100), 1e6, durations) == {GROUP: 6}


def test_a_group_without_a_spread_gets_no_more() -> None:
    assert blocks_wanted([pair(0.2, blocks=1)], 6, Size(precision=0.01), None, {}) == {}


def test_launches_that_live_together_share_the_time_of_their_block() -> None:
    turns = {"turns": {"members": 2, "bursts": 2, "burst_seconds": 1.0}}
    cells = [("stock", 1), ("intel", 1), ("stock", 2), ("intel", 2)]
    assert seconds_per_block([record(*each, conditions=turns) for each in cells]) == {GROUP: 10.0}
    assert seconds_per_block([record(*each) for each in cells]) == {GROUP: 20.0}


def test_what_was_not_reached_says_what_it_would_take() -> None:
    (short,) = shortfalls([pair(0.1)], {GROUP: 0.10, OTHER: 0.01}, Size(precision=0.05), {GROUP: 30.0})
    assert (short.group, short.half_width) == (GROUP, 0.10)
    assert short.more_blocks == 18, "six blocks, and (log 1.10 / log 1.05) squared times as many in all: 22.9"
    assert short.seconds == pytest.approx(18 * 30.0)


def test_without_a_precision_nothing_falls_short() -> None:
    assert shortfalls([pair(0.1)], {GROUP: 9.0}, Size(budget_seconds=1), {}) == []
