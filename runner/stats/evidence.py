"""Marks pairs whose cells lack passing evidence: the number stays, flagged like one whose losses differ. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.evidence.cells import CellEvidence, Cells
from runner.stats.pairs import LOSSES_DIFFER, Pair
from runner.vocabulary import Cell

EVIDENCE_FAILED = "evidence_failed"
NO_EVIDENCE = "no_evidence"
# A pair so marked is another comparison than its names say: its number is shown, and no mean or verdict is made of it.
FLAGGED = frozenset({EVIDENCE_FAILED, LOSSES_DIFFER})
# From the gravest to none: what a pair shows of its two cells.
_ORDER = ("failed", "no evidence", "not probed", "passed")


def with_evidence(pairs: Sequence[Pair], cells: Cells) -> list[Pair]:
    """The pairs, marked where evidence failed or was not obtained; what is graver already keeps its status."""
    return [_marked(pair, sides_of(pair, cells)) for pair in pairs]


def counts(pair: Pair) -> bool:
    """May means, extremes and verdicts be made of this pair?"""
    return pair.is_measured and pair.status not in FLAGGED


def sides_of(pair: Pair, cells: Cells) -> list[CellEvidence]:
    """The evidence on the baseline's and the candidate's cell, as far as they were measured; the gravest first."""
    group = pair.group
    names = (pair.baseline, pair.candidate)
    sides = (cells.get(Cell(group.stack, name, group.topology, group.batch_size)) for name in names)
    return sorted((side for side in sides if side is not None), key=lambda side: _ORDER.index(side.status))


def _marked(pair: Pair, sides: Sequence[CellEvidence]) -> Pair:
    marked = [side for side in sides if side.remark]
    if not pair.is_measured or not marked:
        return pair
    texts = [f"{side.cell.variant}: {side.reason.rstrip('.')}" for side in marked]
    reason = "; ".join([pair.reason, *texts] if pair.reason else texts)
    failed = marked[0].status == "failed"
    if pair.status == LOSSES_DIFFER or (pair.status != "ok" and not failed):
        return replace(pair, reason=reason)
    return replace(pair, status=EVIDENCE_FAILED if failed else NO_EVIDENCE, reason=reason)
