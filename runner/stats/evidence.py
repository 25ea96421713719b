"""Marks pairs whose cells lack passing evidence: the number stays, flagged like one whose losses differ. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.evidence.cells import CellEvidence, Cells
from runner.stats.pairs import Pair
from runner.vocabulary import Cell

EVIDENCE_FAILED = "evidence_failed"
NO_EVIDENCE = "no_evidence"
# From the gravest to none: what a pair shows of its two cells.
_ORDER = ("failed", "no evidence", "not probed", "passed")


def with_evidence(pairs: Sequence[Pair], cells: Cells) -> list[Pair]:
    """The pairs, with a status that is otherwise in order replaced where evidence failed or was not obtained."""
    return [_marked(pair, sides_of(pair, cells)) for pair in pairs]


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
    reason = "; ".join(f"{side.cell.variant}: {side.reason.rstrip('.')}" for side in marked)
    if pair.status != "ok":
        return replace(pair, reason=f"{pair.reason}; {reason}")
    status = EVIDENCE_FAILED if marked[0].status == "failed" else NO_EVIDENCE
    return replace(pair, status=status, reason=reason)
