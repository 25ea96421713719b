"""What a pair's status says where several things are wrong at once: the gravest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.evidence.cells import CellEvidence
from runner.evidence.verdicts import RIGHT_WHEEL, Verdict
from runner.stats.agreement import compare_pairs
from runner.stats.evidence_marks import EVIDENCE_FAILED, counts, with_evidence
from runner.stats.pairs import LOSSES_DIFFER, Comparison, Pair, make_pair, pair_of, tabulate
from runner.status import Status
from runner.storage.records import Record
from runner.vocabulary import Cell, Group
from tests.runner.builders import record

GROUP = Group("tf-2.14", "resnet50", 4)
FAILED = {"kind": "failed", "message": "it stopped"}


def paired(*, first_loss: float = 8.0, blocks: int = 3) -> Pair:
    """Three blocks, of which the second has a failed launch of Intel's."""
    records = [record("stock", block) for block in range(1, blocks + 1)]
    for block in range(1, blocks + 1):
        error = FAILED if block == 2 else None
        records.append(record("intel", block, losses=[first_loss, 7.875, 7.75], error=error))
    return make_pair(GROUP, "stock", "intel", tabulate(records), range(1, blocks + 1))


def wrong_wheel() -> dict[Cell, CellEvidence]:
    """Evidence that the candidate's wheel is another one."""
    cell = Cell(GROUP.stack, "intel", GROUP.topology, GROUP.batch_size)
    return {cell: CellEvidence(cell, True, None, {"block1": (Verdict(RIGHT_WHEEL, False, "another wheel."),)})}


def test_a_pair_knows_the_numbers_of_its_blocks() -> None:
    """So that pairs with different holes are still put together block by block."""
    found = paired()
    assert (found.status, found.blocks, list(found.ratio_by_block)) == ("partial", (1, 3), [1, 3])


def test_a_failed_launch_does_not_hide_that_the_losses_differ() -> None:
    """Both are told, and the pair is flagged."""
    found = paired(first_loss=9.0)
    assert found.status == LOSSES_DIFFER
    assert "losses differ in step 1" in found.reason
    assert "it stopped" in found.reason
    assert not counts(found)


def test_a_failed_launch_does_not_hide_that_the_evidence_failed() -> None:
    """The gravest is the status, both are in the reason, and nothing is made of the number."""
    (found,) = with_evidence([paired()], wrong_wheel())
    assert found.status == EVIDENCE_FAILED
    assert "it stopped" in found.reason
    assert "another wheel" in found.reason
    assert not counts(found)


def test_runs_whose_evidence_failed_do_not_agree_or_disagree() -> None:
    """A repetition is not held against numbers of another comparison than their names say."""
    whole = replace(paired(), status=Status.OK, reason="")
    (found,) = compare_pairs([whole], with_evidence([whole], wrong_wheel()))
    assert found.agrees is None
    assert "in the repetition its evidence failed" in found.reason


def test_runs_that_lack_a_launch_do_not_agree_or_disagree() -> None:
    """A partial pair has no verdict, also where it is held against another run's."""
    whole = replace(paired(), status=Status.OK, reason="")
    (found,) = compare_pairs([whole], [paired()])
    assert found.agrees is None
    assert "in the repetition not complete: intel, block 2: it stopped" in found.reason


def two_sessions(*sessions: dict[str, int | None], blocks: int = 3) -> Pair:
    """A pair whose second block was run in these sessions: by each, the variants that it has (None: it failed)."""
    records = [record(variant, block) for block in range(1, blocks + 1) if block != 2 for variant in ("stock", "intel")]
    for number, found in enumerate(sessions, start=1):
        records += [
            record(variant, 2, (9.0, seconds or 1, seconds or 1), session=number, error=None if seconds else FAILED)
            for variant, seconds in found.items()
        ]
    return make_pair(GROUP, "stock", "intel", tabulate(records), range(1, blocks + 1))


def test_launches_of_two_sessions_are_not_divided_by_one_another() -> None:
    """A block whose other half was run later is not complete, and says which sessions its launches are of."""
    found = two_sessions({"stock": 1, "intel": None}, {"intel": 1})
    assert (found.status, found.blocks) == ("partial", (1, 3))
    assert "block 2: its launches are of sessions 1 and 2" in found.reason
    assert not counts(found)


def test_a_block_that_was_run_again_whole_counts_whole() -> None:
    """The new session's launches stand as a set before the older half, and the pair is complete."""
    found = two_sessions({"stock": 1, "intel": None}, {"stock": 2, "intel": 4})
    assert (found.status, found.blocks) == ("ok", (1, 2, 3))
    assert found.ratio_by_block[2] == 0.5


def test_a_block_that_was_broken_twice_is_not_put_together_from_both() -> None:
    """Each session has the half that the other lacks."""
    found = two_sessions({"stock": 1, "intel": None}, {"stock": None, "intel": 1})
    assert (found.status, found.blocks) == ("partial", (1, 3))


def test_a_pair_of_two_sessions_in_every_block_is_not_comparable() -> None:
    """No block is left with both sides in one session."""
    records = [record("stock", 1), record("intel", 1, session=2)]
    found = make_pair(GROUP, "stock", "intel", tabulate(records), range(1, 2))
    assert (found.status, found.is_measured) == ("not_comparable", False)
    assert "sessions 1 and 2" in found.reason


def in_sittings(*, failed: bool = False) -> list[Record]:
    """Two blocks in which the host is twice as slow in the second sitting, and the baseline failed once or not."""
    return [
        each
        for block in (1, 2)
        for each in (
            record("stock", block, [9.0, 2.0], sitting=1),
            record("stock-onednn", block, [9.0, 1.6], sitting=1),
            record("stock", block, [9.0, 4.0], sitting=2, error=FAILED if failed and block == 2 else None),
            record("intel", block, [9.0, 2.5], sitting=2),
        )
    ]


@pytest.mark.parametrize(
    ("baseline", "candidate", "ratio", "through"),
    [("stock", "stock-onednn", 1.25, ""), ("stock", "intel", 1.6, ""), ("stock-onednn", "intel", 1.28, "stock")],
)
def test_each_candidate_is_divided_by_the_baseline_beside_it(
    baseline: str, candidate: str, ratio: float, through: str
) -> None:
    found = pair_of(Comparison(GROUP, baseline, candidate), "stock", in_sittings(), range(1, 3))
    assert found.ratios == pytest.approx([ratio, ratio])
    assert (found.status, found.through) == ("ok", through)


def test_candidates_are_not_compared_where_the_baseline_beside_one_of_them_failed() -> None:
    found = pair_of(Comparison(GROUP, "stock-onednn", "intel"), "stock", in_sittings(failed=True), range(1, 3))
    assert (found.status, found.blocks) == ("partial", (1,))


@pytest.mark.parametrize(("blocks", "status"), [(2, Status.OTHER_ARITHMETIC), (4, Status.PARTIAL)])
def test_a_pair_of_other_arithmetic_is_never_called_differing(blocks: int, status: Status) -> None:
    """Its losses differ, which is expected; that blocks are missing is told all the same."""
    records = [record(variant, block, losses=[first, 7.875, 7.75]) for block in (1, 2)
               for variant, first in (("stock", 8.0), ("intel", 9.0))]  # fmt: skip
    words = "intel is set to compute in bf16, and stock in float32"
    pair = make_pair(GROUP, "stock", "intel", tabulate(records), range(1, blocks + 1), arithmetic=words)
    assert (pair.status, counts(pair)) == (status, False)
    assert words in pair.reason
    assert make_pair(GROUP, "stock", "intel", tabulate(records), range(1, 3)).status == LOSSES_DIFFER
