"""Whether launches were warm when timing began is judged by their own steps."""

from __future__ import annotations

import math

import pytest

from runner.stats.steadiness import log_ratios, steadiness
from runner.storage.records import Record
from runner.vocabulary import Cell
from tests.runner.builders import record
from tests.runner.stats.turn_records import by_turns

CELL = Cell("tf-2.14", "stock", "resnet50", 4)


def launch(first: float, block: int = 1) -> Record:
    """A warm-up turn of two steps, and two bursts of two; `first` is the seconds of the steps of the first burst."""
    return by_turns("stock", {0: (0.0, [9.0, 1.0]), 2: (20.0, [first, first]), 5: (40.0, [1.0, 1.0])}, block=block)


def test_the_first_half_is_divided_by_the_second_half() -> None:
    assert log_ratios(launch(2.0)) == [pytest.approx(math.log(2))]


def test_the_step_in_the_middle_has_no_part() -> None:
    found = by_turns("stock", {0: (0.0, [9.0]), 2: (20.0, [3.0, 100.0, 1.0])})
    assert log_ratios(found) == [pytest.approx(math.log(3))]


def test_one_timed_step_cannot_be_judged() -> None:
    found = by_turns("stock", {0: (0.0, [9.0, 1.0]), 2: (20.0, [1.0])})
    assert log_ratios(found) == []
    assert (steadiness([found])[CELL].factor, steadiness([found])[CELL].verdict) == (None, "")


def test_blocks_are_the_replicates_and_warm_up_is_counted() -> None:
    found = steadiness([launch(1.10, 1), launch(1.12, 2), launch(1.11, 3)])[CELL]
    assert found.factor is not None
    assert (found.factor.replicates, found.warmup, found.verdict) == (3, 2, "slower")
    assert found.factor.value == pytest.approx(1.11, abs=1e-3)


def test_two_launches_of_a_block_are_one_replicate() -> None:
    """As where memory has room for two launches of three, and the baseline has one with each candidate."""
    found = steadiness([launch(1.2, 1), launch(1.0, 1), launch(1.1, 2)])[CELL]
    assert found.factor is not None
    assert found.factor.replicates == 2


def test_launches_that_follow_one_another_are_judged_too() -> None:
    assert log_ratios(record("stock", seconds=(9.0, 2.0, 2.0, 1.0, 1.0))) == [pytest.approx(math.log(2))]
