"""What a pair's status says where several things are wrong at once: the gravest."""

from __future__ import annotations

from runner.evidence.cells import CellEvidence
from runner.evidence.verdicts import RIGHT_WHEEL, Verdict
from runner.stats.agreement import compare_pairs
from runner.stats.evidence import EVIDENCE_FAILED, counts, with_evidence
from runner.stats.pairs import LOSSES_DIFFER, Pair, make_pair, tabulate
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
    (found,) = compare_pairs([paired()], with_evidence([paired()], wrong_wheel()))
    assert found.agrees is None
    assert "in the repetition the evidence failed" in found.reason
