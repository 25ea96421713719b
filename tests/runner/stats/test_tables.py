"""Means and extremes over topologies: which pairs count, over which blocks, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from runner.stats.evidence import EVIDENCE_FAILED, NO_EVIDENCE
from runner.stats.pairs import LOSSES_DIFFER, PARTIAL, Pair
from runner.stats.tables import NOT_COUNTED, speedups, summaries
from runner.vocabulary import Group


def pair(topology: str, ratios: list[float], *, status: str = "ok", blocks: tuple[int, ...] = ()) -> Pair:
    """A pair with these block-wise ratios."""
    ones = tuple(1.0 for _ in ratios)
    return Pair(Group("tf-1.12", topology, 32), "stock", "intel", ones, tuple(ratios), None, status, "", blocks)


def summary(*pairs: Pair) -> dict[str, Any]:
    """The one row of the summaries."""
    (row,) = summaries(pairs).to_dict("records")
    return {str(key): value for key, value in row.items()}


@pytest.mark.parametrize("status", [EVIDENCE_FAILED, LOSSES_DIFFER, PARTIAL])
def test_a_flagged_pair_is_in_no_mean_and_is_never_the_largest(status: str) -> None:
    """Its number stays in the table of speedups, without a verdict that could be counted."""
    flagged = pair("vgg16", [9.0, 9.0], status=status)
    row = summary(pair("resnet50", [2.0, 2.0]), flagged)
    assert (row["geometric_mean"], row["largest"], row["largest_topology"]) == pytest.approx((2.0, 2.0, "resnet50"))
    assert (row["topologies"], row["of_topologies"], row["flagged"]) == (1, 2, 1)
    (shown,) = speedups([flagged]).to_dict("records")
    assert (shown["speedup"], shown["verdict"]) == (pytest.approx(9.0), NOT_COUNTED)


def test_a_pair_that_was_not_probed_counts() -> None:
    """What is only unknown is not held against a number."""
    row = summary(pair("resnet50", [2.0, 2.0]), pair("vgg16", [8.0, 8.0], status=NO_EVIDENCE))
    assert (row["topologies"], row["flagged"], row["geometric_mean"]) == (2, 0, pytest.approx(4.0))


def test_the_mean_is_over_the_blocks_that_all_pairs_have() -> None:
    """No block is paired with another one."""
    shifted = summary(pair("resnet50", [2.0, 3.0], blocks=(1, 2)), pair("vgg16", [3.0, 7.0], blocks=(2, 3)))
    assert (shifted["geometric_mean"], shifted["geometric_blocks"]) == (pytest.approx(3.0), 1)


def test_pairs_without_a_common_block_have_no_mean() -> None:
    """Nothing is paired across blocks."""
    row = summary(pair("resnet50", [2.0], blocks=(1,)), pair("vgg16", [2.0], blocks=(2,)))
    assert "geometric_mean" not in row
