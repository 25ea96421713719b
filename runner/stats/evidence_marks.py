"""Marks pairs whose cells lack passing evidence. The number stays, flagged like that of a pair whose losses differ.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.checks.fingerprints import FingerprintCheck, compare_fingerprints
from runner.evidence.cells import CellEvidence, Cells
from runner.stats.pairs import LOSSES_DIFFER, PARTIAL, Pair
from runner.status import Status

EVIDENCE_FAILED = Status.EVIDENCE_FAILED
NO_EVIDENCE = Status.NO_EVIDENCE
# The statuses of a cell's evidence, the gravest first. A pair shows the graver status of its two cells.
_ORDER = ("failed", "no evidence", "not probed", "passed")


def with_evidence(pairs: Sequence[Pair], cells: Cells) -> list[Pair]:
    """Return the pairs, marked where evidence failed or was not obtained. A pair with a graver status keeps it.

    A pair whose fingerprints differ gets the status of a pair whose losses differ: in both cases the two sides have not
    trained the same thing.
    """
    return [_marked(_trained_alike(pair, fingerprints_of(pair, cells)), sides_of(pair, cells)) for pair in pairs]


def fingerprints_of(pair: Pair, cells: Cells) -> FingerprintCheck | None:
    """Return the comparison of the fingerprints of both sides' probes; None if either side has none."""
    found = [cells.get(cell) for cell in pair.comparison.cells]
    probes = [side.probe for side in found if side is not None and side.probe is not None]
    return compare_fingerprints(*(probe.fingerprint for probe in probes)) if len(probes) == len(found) else None


def counts(pair: Pair) -> bool:
    """Return whether the pair may enter means, extremes and verdicts."""
    return not why_not(pair)


def why_not(pair: Pair) -> str:
    """Return why a pair may enter no mean, extreme or verdict; empty if it may.

    The number of a flagged pair is still shown. If the two sides trained different things, or if the evidence failed,
    the pair is not the comparison that its name says. If a pair is not complete, the missing launches might have
    changed the result.
    """
    if pair.status == Status.OTHER_ARITHMETIC:
        return f"its two sides are not the same training: {pair.reason}"
    if pair.status == LOSSES_DIFFER:
        return "the two sides may not have trained the same thing"
    if pair.status == EVIDENCE_FAILED:
        return f"its evidence failed: {pair.reason}"
    if pair.status == PARTIAL:
        return f"not complete: {pair.reason}"
    return "" if pair.is_measured else pair.reason or "not measured"


def sides_of(pair: Pair, cells: Cells) -> list[CellEvidence]:
    """Return the evidence on the baseline's and the candidate's cell, the gravest first, without unmeasured cells."""
    sides = (cells.get(cell) for cell in pair.comparison.cells)
    return sorted((side for side in sides if side is not None), key=lambda side: _ORDER.index(side.status))


def _trained_alike(pair: Pair, check: FingerprintCheck | None) -> Pair:
    if not pair.is_measured or check is None:
        return pair
    if pair.arithmetic and not check.alone:
        return replace(pair, reason=f"{pair.reason}; {_how_far(check)}")
    if check.passed is not False:
        return pair
    reason = "; ".join([check.explanation, *([pair.reason] if pair.reason else [])])
    return replace(pair, status=LOSSES_DIFFER, reason=reason)


def _how_far(check: FingerprintCheck) -> str:
    """Return by how much the first step of another arithmetic differs, which is expected and not a fault."""
    if check.worst is None:
        return "no tensor of its first step could be compared"
    if check.passed:
        return "its first step differs by no more than rounding in float32, so that nothing shows another arithmetic"
    return (
        f"its first step differs by more than rounding in float32 in {len(check.failed)} of {check.judged} tensors, "
        f"most in the {check.worst.title} (by {check.worst.difference:.1e})"
    )


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
