"""Where the wall time of launches went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.stats.launch_time import launch_time
from runner.storage.records import Record
from tests.runner.builders import record

START_UP = {"import": 2.0, "graph_build": 1.0, "initialise": 0.5, "first_step": 3.0}


def launch(variant: str, wall: float, seconds: tuple[float, ...] = (3.0, 1.0, 1.0)) -> Record:
    made = record(variant, seconds=seconds)
    return replace(made, facts={**made.facts, "seconds": wall}, result={**(made.result or {}), "seconds": START_UP})


def test_the_parts_and_the_rest_are_the_wall_time_of_all_launches() -> None:
    found = launch_time([launch("stock", 10.0), launch("stock", 12.0)])
    assert found is not None
    assert (found.launches, found.total) == (2, 22.0)
    assert (found.imports, found.graph, found.initialise, found.warmup, found.timed) == (4.0, 2.0, 1.0, 6.0, 4.0)
    assert found.rest == pytest.approx(5.0)
    assert found.timed_share == pytest.approx(4 / 22)


def test_a_launch_without_times_of_its_start_up_counts_them_as_rest() -> None:
    """Records of an early version of the workload have steps and nothing else."""
    found = launch_time([record("stock", seconds=(3.0, 1.0))])
    assert found is not None
    assert (found.imports, found.graph, found.initialise) == (0.0, 0.0, 0.0)
    assert found.rest == pytest.approx(6.0)


def test_a_failed_launch_has_no_time() -> None:
    assert launch_time([record("stock", error={"kind": "failed", "message": "gone"})]) is None


def test_launches_that_take_turns_share_their_wall_time_and_their_start_up() -> None:
    """Three start and end together, in 30 s: they took 30 s, not 90. Their steps were one after the other."""
    turns = {"turns": {"members": 3, "bursts": 2, "burst_seconds": 1.0}}
    found = launch_time([replace(launch(name, 30.0), conditions=turns) for name in ("stock", "stock-onednn", "intel")])
    assert found is not None
    assert found.launches == 3
    assert found.total == pytest.approx(30.0)
    assert (found.imports, found.graph, found.initialise) == pytest.approx((2.0, 1.0, 0.5))
    assert (found.warmup, found.timed) == (9.0, 6.0)
    assert found.timed_share == pytest.approx(6 / 30)


def test_a_launch_that_takes_its_turns_alone_has_all_of_its_time() -> None:
    turns = {"turns": {"members": 1, "bursts": 2, "burst_seconds": 1.0}}
    found = launch_time([replace(launch("stock", 10.0), conditions=turns)])
    assert found is not None
    assert (found.total, found.imports) == (10.0, 2.0)
