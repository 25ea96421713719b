"""The picture of the turns: one row a launch, one bar a burst, on one clock."""

from __future__ import annotations

from runner.report.turns_figure import Bar, timelines
from tests.runner.builders import record
from tests.runner.stats.turn_records import by_turns

STOCK = by_turns("stock", {0: (100.0, [2.0]), 3: (107.0, [1.0, 0.5])}, position=1)
INTEL = by_turns("intel", {1: (102.5, [2.0]), 2: (105.0, [1.0])}, position=2)


def test_bars_begin_and_end_as_the_bursts_did_counted_from_the_first_of_the_block() -> None:
    (found,) = timelines([INTEL, STOCK])
    assert found.rows == (
        ("stock", (Bar("warmup", 0.0, 2.0), Bar("timed", 7.0, 8.5))),
        ("intel", (Bar("warmup", 2.5, 4.5), Bar("timed", 5.0, 6.0))),
    )


def test_the_untimed_step_at_the_beginning_of_a_burst_is_drawn_as_warm_up() -> None:
    stock = by_turns("stock", {0: (100.0, [2.0]), 3: (107.0, [1.0, 0.5])}, position=1)
    assert stock.result is not None
    stock.result["steps"][1]["phase"] = "warmup"
    (found,) = timelines([INTEL, stock])
    assert found.rows[0] == ("stock", (Bar("warmup", 0.0, 2.0), Bar("warmup", 7.0, 8.0), Bar("timed", 8.0, 8.5)))


def test_the_first_complete_block_is_drawn() -> None:
    """A block that lacks a launch would look as if nobody trained in the gaps."""
    first = by_turns("stock", {0: (0.0, [1.0])}, block=1)
    second = [by_turns(name, {turn: (float(turn), [0.5])}, block=2) for turn, name in enumerate(("stock", "intel"))]
    third = [by_turns(name, {turn: (float(turn), [0.5])}, block=3) for turn, name in enumerate(("stock", "intel"))]
    assert [found.block for found in timelines([first, *third, *second])] == [2]


def test_each_topology_has_one_in_the_order_of_the_report() -> None:
    made = [
        by_turns(name, {turn: (float(turn), [0.5])}, topology=topology)
        for topology in ("vgg16", "resnet50")
        for turn, name in enumerate(("stock", "intel"))
    ]
    assert [found.group.topology for found in timelines(made)] == ["resnet50", "vgg16"]


def test_launches_that_followed_one_another_have_none() -> None:
    assert timelines([record("stock"), record("intel")]) == []
