"""Intervals that no one can use are told as that, with what would help."""

from __future__ import annotations

import pytest

from runner.report.unusable import cannot_bound
from runner.stats.intervals import Estimate, geometric_estimate


def test_two_blocks_that_bound_nothing_ask_for_four() -> None:
    """The interval of issue 15: from 1.63 to 1665."""
    found = cannot_bound(Estimate(52.1, 1.63, 1665.0, 2))
    assert found.startswith("2 blocks cannot bound this")
    assert found.endswith("use 4 or more (--blocks)")
    assert "1.63" in found


@pytest.mark.parametrize(
    "estimate", [Estimate(2.0, 1.0, 4.0, 2), geometric_estimate([2.0]), Estimate(1.0, 0.9, 1.1, 4)]
)
def test_an_interval_that_can_be_used_needs_no_words(estimate: Estimate) -> None:
    """Nor does an estimate without an interval, of which the report speaks elsewhere."""
    assert cannot_bound(estimate) == ""


def test_more_blocks_are_asked_for_where_they_help() -> None:
    """Half width log 2.1 of four blocks: a spread of 0.466. With 20 blocks it is 2.09 x 0.466 / 4.47 = log 1.24."""
    found = cannot_bound(Estimate(1.0, 1 / 2.1, 2.1, 4))
    assert found.endswith("use 20 or more (--blocks)")


def test_a_host_that_changes_too_much_is_named_instead() -> None:
    found = cannot_bound(Estimate(1.0, 0.1, 10.0, 6))
    assert "the host changes too much from block to block" in found
    assert "python -m runner doctor" in found
