"""Whether the first step after a switch is slower is judged by data."""

from __future__ import annotations

import math

import pytest

from runner.stats.first_steps import first_steps, log_ratios
from runner.storage.records import Record
from runner.vocabulary import Cell
from tests.runner.builders import record
from tests.runner.stats.turn_records import by_turns

CELL = Cell("tf-2.14", "stock", "resnet50", 4)


def launch(first: float, block: int = 1) -> Record:
    """Two timed bursts of three steps, both after another launch's turn; `first` is the seconds of their first step."""
    steps = [first, 1.0, 1.0]
    return by_turns("stock", {0: (0.0, [9.0, 1.0]), 2: (20.0, steps), 4: (40.0, steps)}, block=block)


def test_the_first_step_is_divided_by_the_geometric_mean_of_the_others_of_its_burst() -> None:
    found = by_turns("stock", {0: (0.0, [9.0, 1.0]), 2: (20.0, [4.0, 1.0, 4.0])})
    assert log_ratios(found) == [pytest.approx(math.log(2))]


def test_a_burst_that_follows_a_turn_of_the_same_launch_and_warm_up_have_no_part() -> None:
    found = by_turns("stock", {0: (0.0, [9.0, 1.0]), 2: (20.0, [2.0, 1.0]), 3: (30.0, [5.0, 1.0])})
    assert log_ratios(found) == [pytest.approx(math.log(2))]


def test_blocks_are_the_replicates_and_a_steady_excess_is_called_slower() -> None:
    found = first_steps([launch(1.10, 1), launch(1.12, 2), launch(1.11, 3)])[CELL]
    assert found.factor is not None
    assert (found.factor.replicates, found.bursts) == (3, 6)
    assert found.factor.value == pytest.approx(1.11, abs=1e-3)
    assert found.verdict == "slower"


def test_what_differs_from_block_to_block_is_no_clear_difference() -> None:
    assert first_steps([launch(1.2, 1), launch(0.9, 2)])[CELL].verdict == "no clear difference"


def test_a_first_step_that_is_faster_in_all_blocks_is_called_so() -> None:
    assert first_steps([launch(0.90, 1), launch(0.91, 2), launch(0.90, 3)])[CELL].verdict == "faster"


def test_a_first_step_that_is_not_timed_is_judged_against_the_timed_ones() -> None:
    found = by_turns("stock", {0: (0.0, [9.0, 1.0]), 2: (20.0, [3.0, 1.0]), 4: (40.0, [3.0, 1.0])})
    assert found.result is not None
    for step in found.result["steps"]:
        step["phase"] = "warmup" if step["index"] % 2 == 0 else step["phase"]
    assert log_ratios(found) == [pytest.approx(math.log(3))] * 2
    assert not first_steps([found])[CELL].is_timed
    assert first_steps([launch(1.5)])[CELL].is_timed


def test_bursts_of_one_step_cannot_be_judged() -> None:
    found = first_steps([by_turns("stock", {0: (0.0, [9.0]), 2: (20.0, [1.0])})])[CELL]
    assert (found.bursts, found.factor, found.verdict) == (0, None, "")


def test_one_block_has_an_estimate_and_no_verdict() -> None:
    found = first_steps([launch(1.5)])[CELL]
    assert found.factor is not None
    assert (found.factor.has_interval, found.verdict) == (False, "")


def test_launches_that_took_no_turns_are_not_judged() -> None:
    assert first_steps([record("stock")]) == {}
