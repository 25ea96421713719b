"""What launches that lived together cost one another."""

from __future__ import annotations

import pytest

from runner.stats.living_together import blocks_by_turns, complete, living_together
from tests.runner.builders import record
from tests.runner.stats.turn_records import by_turns

STOCK = by_turns("stock", {0: (0.0, [2.0]), 2: (5.0, [1.0, 1.0]), 3: (7.5, [1.0, 1.0])}, idle_cpu_seconds=0.25)
INTEL = by_turns("intel", {1: (2.25, [2.5]), 4: (9.625, [1.0])}, position=2, settled_seconds=0.125)


def test_what_was_used_in_turns_of_others_is_set_against_the_time_of_these_turns() -> None:
    """Between its turns 2 and 3 nobody else trained: that time is no wait."""
    stock = living_together([STOCK, INTEL])["tf-2.14", "stock"]
    assert (stock.waited, stock.idle_cpu) == (3.0, 0.25)
    assert stock.idle_share == pytest.approx(1 / 12)


def test_a_hand_over_lasts_until_the_next_launch_begins() -> None:
    found = living_together([INTEL, STOCK])
    assert found["tf-2.14", "stock"].hand_overs == (0.25, 0.125)
    assert found["tf-2.14", "intel"].hand_overs == (0.25,)


def test_the_slowest_of_all_bursts_to_fall_asleep_is_shown_and_those_that_never_did_are_counted() -> None:
    found = living_together([INTEL, by_turns("stock", {0: (0.0, [2.0])}, settled_seconds=None)])
    assert (found["tf-2.14", "intel"].slowest_to_sleep, found["tf-2.14", "intel"].never_asleep) == (0.125, 0)
    assert (found["tf-2.14", "stock"].slowest_to_sleep, found["tf-2.14", "stock"].never_asleep) == (None, 1)


def test_launches_that_had_the_cpus_to_themselves_did_not_live_together() -> None:
    assert living_together([record("stock"), by_turns("intel", {0: (0.0, [1.0])}, members=1)]) == {}


def test_two_blocks_are_not_mixed() -> None:
    """Turn 1 of the second block does not follow turn 0 of the first."""
    other = by_turns("intel", {1: (100.0, [1.0])}, block=2)
    found = living_together([by_turns("stock", {0: (0.0, [2.0])}), other])
    assert found["tf-2.14", "stock"].hand_overs == ()


def test_a_block_is_in_the_order_of_starting_and_complete_only_with_all_its_launches() -> None:
    (block,) = blocks_by_turns([INTEL, STOCK]).values()
    assert block == (STOCK, INTEL)
    assert complete(block)
    assert not complete(block[:1])
