"""Marks pairs whose cells lack passing evidence: the number stays, flagged like one whose losses differ. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.checks.fingerprints import FingerprintCheck, compare_fingerprints
from runner.evidence.cells import CellEvidence, Cells
from runner.stats.pairs import LOSSES_DIFFER, PARTIAL, Pair
from runner.status import Status

EVIDENCE_FAILED = Status.EVIDENCE_FAILED
NO_EVIDENCE = Status.NO_EVIDENCE
# From the gravest to none: what a pair shows of its two cells.
_ORDER = ("failed", "no evidence", "not probed", "passed")


def with_evidence(pairs: Sequence[Pair], cells: Cells) -> list[Pair]:
    """The pairs, marked where evidence failed or was not obtained; what is graver already keeps its status.

    Two fingerprints that differ say what two losses that differ say: the sides have not trained the same thing.
    """
    return [_marked(_trained_alike(pair, fingerprints_of(pair, cells)), sides_of(pair, cells)) for pair in pairs]


def fingerprints_of(pair: Pair, cells: Cells) -> FingerprintCheck | None:
    """What the first training steps of both sides' probes say of one another; None where either has no fingerprint."""
    found = [cells.get(cell) for cell in pair.comparison.cells]
    probes = [side.probe for side in found if side is not None and side.probe is not None]
    return compare_fingerprints(*(probe.fingerprint for probe in probes)) if len(probes) == len(found) else None


def counts(pair: Pair) -> bool:
    """May means, extremes and verdicts be made of this pair?"""
    return not why_not(pair)


def why_not(pair: Pair) -> str:
    """Why no mean, extreme or verdict may be made of a pair; empty if it may.

    One that is flagged has a number, which is shown. Of two kinds it is another comparison than its name says; what is
    missing of one that is not complete may be what would have told against it.
    """
    if pair.status == LOSSES_DIFFER:
        return "the two sides may not have trained the same thing"
    if pair.status == EVIDENCE_FAILED:
        return f"its evidence failed: {pair.reason}"
    if pair.status == PARTIAL:
        return f"not complete: {pair.reason}"
    return "" if pair.is_measured else pair.reason or "not measured"


def sides_of(pair: Pair, cells: Cells) -> list[CellEvidence]:
    """The evidence on the baseline's and the candidate's cell, as far as they were measured; the gravest first."""
    sides = (cells.get(cell) for cell in pair.comparison.cells)
    return sorted((side for side in sides if side is not None), key=lambda side: _ORDER.index(side.status))


def _trained_alike(pair: Pair, check: FingerprintCheck | None) -> Pair:
    if not pair.is_measured or check is None or check.passed is not False:
        return pair
    reason = "; ".join([check.explanation, *([pair.reason] if pair.reason else [])])
    return replace(pair, status=LOSSES_DIFFER, reason=reason)


def _marked(pair: Pair, sides: Sequence[CellEvidence]) -> Pair:
    marked = [side for side in sides if side.remark]
    if not pair.is_measured or not marked:
        return pair
    texts = [f"{side.cell.variant}: {side.reason.rstrip('.')}" for side in marked]
    reason = "; ".join([pair.reason, *texts] if pair.reason else texts)
    failed = marked[0].status == "failed"
    if pair.status == LOSSES_DIFFER or (pair.status != Status.OK and not failed):
        return replace(pair, reason=reason)
    return replace(pair, status=EVIDENCE_FAILED if failed else NO_EVIDENCE, reason=reason)
