"""How memory was laid out: means over launches, and groups in which one side had clearly more of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.stats.memory_layout import apart, faults_apart, memory_layouts
from runner.storage.records import Record
from tests.runner.builders import record


def launch(variant: str, huge: int | None, block: int = 1, members: int = 2, **nodes: int) -> Record:
    """A launch with a peak of 1 GB, so much of it in huge pages and on each node."""
    made = record(variant, block)
    pages: dict[str, Any] = {"anon_huge_bytes": huge, "node_bytes": nodes or None, "minor_faults": 100 * block,
                             "major_faults": 0}  # fmt: skip
    evidence: dict[str, Any] = {"threads": [], "mapped_libraries": [], "wheel": None, "memory_pages": pages}
    turns = {"members": members, "bursts": 2, "burst_seconds": 1.0}
    return replace(made, result={**(made.result or {}), "evidence": evidence}, conditions={"turns": turns})


def test_shares_are_means_over_the_launches_of_a_cell() -> None:
    (found,) = memory_layouts([launch("stock", 100_000_000), launch("stock", 300_000_000, block=2)]).values()
    assert found.launches == 2
    assert found.huge_share == pytest.approx(0.2)
    assert found.minor_faults == pytest.approx(150)
    assert found.node_shares == {}


def test_a_side_with_clearly_more_huge_pages_is_flagged() -> None:
    near = memory_layouts([launch("stock", 100_000_000), launch("intel", 190_000_000)])
    far = memory_layouts([launch("stock", 100_000_000), launch("intel", 210_000_000)])
    assert apart(near) == []
    assert [group.topology for group in apart(far)] == ["resnet50"]


def test_a_side_whose_memory_is_spread_over_nodes_is_flagged() -> None:
    found = memory_layouts([launch("stock", None, n0=900, n1=100), launch("intel", None, n0=500, n1=500)])
    assert len(apart(found)) == 1


def test_sides_that_are_on_different_nodes_are_flagged() -> None:
    found = memory_layouts([launch("stock", None, n0=900), launch("intel", None, n1=900)])
    assert len(apart(found)) == 1


def test_a_side_with_many_times_as_many_page_faults_is_flagged() -> None:
    """The launches of a test have 100 faults for each number of their block."""
    (group,) = {cell.group for cell in memory_layouts([launch("stock", None)])}
    more = memory_layouts([launch("stock", None, block=1), launch("intel", None, block=3)])
    as_many = memory_layouts([launch("stock", None, block=1), launch("intel", None, block=2)])
    assert faults_apart(more) == {group: pytest.approx(3)}
    assert faults_apart(as_many) == {}


def test_launches_that_live_alone_and_older_ones_are_left_out() -> None:
    assert memory_layouts([launch("stock", 1, members=1), record("stock")]) == {}
