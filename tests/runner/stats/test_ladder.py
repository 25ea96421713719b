"""Ladders whose blocks are not whole: a step, the product and the whole get no verdict from what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runner.planning.ladder_file import WHOLE
from runner.stats.ladder import LadderResult, ladders_of
from runner.storage.records import Record
from tests.runner.claims.builders import ladder, results, rung

RUNGS = (rung("one", ""), rung("two", "one", ("a", "1", "2")), rung("three", "two", ("b", "1", "2")))
SPEEDS = {"one": 1.0, "two": 2.0, "three": 8.0, f"{WHOLE}one": 1.0, f"{WHOLE}three": 8.0}


def result_of(change: Callable[[Record], Record | None] = lambda record: record) -> LadderResult:
    """A ladder of three rungs in four blocks, its records changed or left out one by one."""
    header = ladder(lambda *_: 1.0, *RUNGS).run.header
    found = results(
        lambda name, _topology, _block: SPEEDS[name], topologies=("resnet50",), variants=tuple(SPEEDS),
        header=lambda made: made.update(kind="ladder", ladder=header["ladder"]),
    )  # fmt: skip
    records = [changed for changed in map(change, found.records) if changed is not None]
    (result,) = ladders_of(found.run, records, {})
    return result


def of(record: Record, name: str, block: int) -> bool:
    """Is it this launch?"""
    return (record.cell.variant, record.block) == (name, block)


def test_a_whole_ladder_is_judged() -> None:
    result = result_of()
    assert [step.is_comparable for step in result.steps] == [False, True, True]
    assert (result.products.is_complete, result.wholes.is_complete, result.agrees) == (True, True, True)


def test_a_missing_launch_takes_the_verdict_from_its_steps_and_from_the_product() -> None:
    """The estimates stay; what three of four blocks agree on is not said."""
    result = result_of(lambda record: None if of(record, "two", 2) else record)
    assert [step.status for step in result.steps[1:]] == ["partial", "partial"]
    assert not any(step.is_comparable for step in result.steps)
    assert result.product is not None
    assert (result.products.is_complete, result.wholes.is_complete, result.agrees) == (False, True, None)


def test_rungs_of_two_sessions_are_not_divided_by_one_another() -> None:
    """A block that was resumed in its middle has a step across the sessions, and no product."""
    result = result_of(lambda record: replace(record, session=2) if of(record, "three", 2) else record)
    last = result.steps[2]
    assert (result.steps[1].status, last.status, len(last.ratios)) == ("ok", "partial", 3)
    assert "block 2: its launches are of sessions 1 and 2" in last.reason
    assert len(result.products.ratios) == 3
    assert result.agrees is None


def test_the_product_is_not_held_against_a_whole_of_another_session() -> None:
    """Each of the two is of one session, and not of the same."""
    result = result_of(
        lambda record: replace(record, session=2) if record.cell.variant.startswith(WHOLE) and record.block == 1
        else record
    )  # fmt: skip
    assert (len(result.products.ratios), len(result.wholes.ratios)) == (4, 4)
    assert len(result.agreements.ratios) == 3
    assert result.agrees is None
