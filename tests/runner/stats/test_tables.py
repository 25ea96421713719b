"""Means and extremes over topologies: which pairs count, over which blocks, and what is said of the rest."""

from __future__ import annotations

import pytest

from runner.stats.evidence_marks import EVIDENCE_FAILED, NO_EVIDENCE
from runner.stats.pairs import LOSSES_DIFFER, PARTIAL, Pair
from runner.stats.tables import NOT_COUNTED, Summary, speedups, summaries
from runner.status import Status
from runner.vocabulary import Group


def pair(topology: str, ratios: list[float], *, status: Status = Status.OK, blocks: tuple[int, ...] = ()) -> Pair:
    """A pair with these block-wise ratios."""
    ones = tuple(1.0 for _ in ratios)
    return Pair(Group("tf-1.12", topology, 32), "stock", "intel", ones, tuple(ratios), None, status, "", blocks)


def summary(*pairs: Pair) -> Summary:
    """The one row of the summaries."""
    (row,) = summaries(speedups(pairs).values())
    return row


@pytest.mark.parametrize("status", [EVIDENCE_FAILED, LOSSES_DIFFER, PARTIAL])
def test_a_flagged_pair_is_in_no_mean_and_is_never_the_largest(status: Status) -> None:
    """Its number stays in the table of speedups, without a verdict that could be counted."""
    flagged = pair("vgg16", [9.0, 9.0], status=status)
    row = summary(pair("resnet50", [2.0, 2.0]), flagged)
    assert row.mean is not None
    assert row.largest is not None
    assert (row.mean.value, row.largest.own.value, row.largest.topology) == pytest.approx((2.0, 2.0, "resnet50"))
    assert (row.topologies, len(row.speedups), row.flagged) == (1, 2, 1)
    shown = speedups([flagged])[flagged.comparison]
    assert shown.alone is not None
    assert shown.alone.value == pytest.approx(9.0)
    assert shown.verdict == NOT_COUNTED


def test_a_pair_that_was_not_probed_counts() -> None:
    """Missing evidence does not exclude a pair; failed evidence does."""
    row = summary(pair("resnet50", [2.0, 2.0]), pair("vgg16", [8.0, 8.0], status=NO_EVIDENCE))
    assert row.mean is not None
    assert (row.topologies, row.flagged) == (2, 0)
    assert row.mean.value == pytest.approx(4.0)


def test_the_mean_is_over_the_blocks_that_all_pairs_have() -> None:
    """A block of one pair is not combined with another block of the next."""
    mean = summary(pair("resnet50", [2.0, 3.0], blocks=(1, 2)), pair("vgg16", [3.0, 7.0], blocks=(2, 3))).mean
    assert mean is not None
    assert mean.value == pytest.approx(3.0)
    assert mean.replicates == 1


def test_pairs_without_a_common_block_have_no_mean() -> None:
    """Blocks with different numbers are never combined."""
    row = summary(pair("resnet50", [2.0], blocks=(1,)), pair("vgg16", [2.0], blocks=(2,)))
    assert (row.mean, row.largest) == (None, None)


def test_what_was_not_measured_has_no_number_and_no_verdict() -> None:
    """The row is there all the same, with the reason in its pair."""
    row = speedups([pair("vgg16", [], status=Status.MISSING)]).popitem()[1]
    assert (row.alone, row.together, row.baseline_images_per_second, row.verdict, row.blocks) == (
        None,
        None,
        None,
        "",
        0,
    )
    assert row.pair.status == Status.MISSING
