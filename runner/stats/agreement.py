"""Tells whether two runs of the same comparison agree: the ratio of their speedups, with simultaneous intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.stats.evidence_marks import why_not
from runner.stats.family import estimate
from runner.stats.intervals import FEWEST, Estimate, quotient, simultaneous_confidence
from runner.stats.pairs import Comparison, Pair
from runner.vocabulary import Group

# Equal logarithms may differ in their last bits after a sum in another order.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Agreement:
    """One speedup in two runs. `ratio` is the repeated speedup over the original; if it is None, `reason` says why."""

    group: Group
    baseline: str
    candidate: str
    original: Estimate | None
    repeated: Estimate | None
    ratio: Estimate | None
    reason: str

    @property
    def agrees(self) -> bool | None:
        """Whether the interval of the ratio contains 1; None if there is no ratio."""
        if self.ratio is None:
            return None
        return self.ratio.low <= 1 + ROUNDING and self.ratio.high >= 1 - ROUNDING


def compare_pairs(original: Sequence[Pair], repeated: Sequence[Pair]) -> list[Agreement]:
    """Return the agreement of every pair that either run has, in the original's order.

    The intervals of all ratios hold at once, each with a confidence of 1 - 0.05 / number of pairs (Bonferroni).
    """
    then, now = {pair.comparison: pair for pair in original}, {pair.comparison: pair for pair in repeated}
    keys = list(dict.fromkeys([*then, *now]))
    reasons = {key: _why_not(then.get(key), now.get(key)) for key in keys}
    # The family is every pair that was planned. It does not shrink where something failed.
    confidence = simultaneous_confidence(len(keys)) if keys else 0.0
    return [_agreement(key, then.get(key), now.get(key), reasons[key], confidence) for key in keys]


def _why_not(original: Pair | None, repeated: Pair | None) -> str:
    """Return why two pairs cannot be compared; empty if they can."""
    for name, pair in (("the original", original), ("the repetition", repeated)):
        if pair is None:
            return f"not in {name}"
        if not pair.is_measured:
            return f"in {name}: {pair.reason or 'too few blocks for an interval'}"
        if why_not(pair):
            return f"in {name} {why_not(pair)}"
        if len(pair.ratios) < FEWEST:
            return f"in {name}: too few blocks for an interval"
    return ""


def _agreement(
    key: Comparison, original: Pair | None, repeated: Pair | None, reason: str, confidence: float
) -> Agreement:
    then, now = _estimate(original), _estimate(repeated)
    ratio = None
    if not reason and original is not None and repeated is not None:
        ratio = quotient(repeated.ratios, original.ratios, confidence)
    return Agreement(key.group, key.baseline, key.candidate, then, now, ratio, reason)


def _estimate(pair: Pair | None) -> Estimate | None:
    return estimate(pair.ratios, pair.first) if pair is not None and pair.is_measured else None
