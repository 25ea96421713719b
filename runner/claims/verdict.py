"""The verdicts, and an answer with what belongs to it: the measured figure, its interval, the reason, what differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from runner.catalogue.publications import Claim, Publication
from runner.stats.intervals import Estimate

Verdict = Literal["reproduced", "not reproduced", "partly", "overridden", "not testable here"]
REPRODUCED: Verdict = "reproduced"
NOT_REPRODUCED: Verdict = "not reproduced"
PARTLY: Verdict = "partly"
# Of a prescribed setting over which another prescribed one takes precedence, on any host.
OVERRIDDEN: Verdict = "overridden"
NOT_TESTABLE: Verdict = "not testable here"
# What is missing where an interval is too wide for a verdict.
MORE_BLOCKS = "more --blocks"


@dataclass(frozen=True)
class Answer:
    """The answer of a judge to one claim. `measured` and `interval` are in the claim's metric; None if not measured.

    `why` is the reason for the verdict. `missing` has a phrase for each thing that kept the run from confirming or from
    refuting the claim.
    """

    verdict: Verdict
    why: str
    measured: float | None = None
    interval: tuple[float, float] | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One thing in which this run differs from the published platform, or of which the publication does not say."""

    what: str
    published: str
    here: str


@dataclass(frozen=True)
class Judgement:
    """The verdict on one claim of a publication."""

    publication: Publication
    claim: Claim
    answer: Answer
    differs: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON for other programs. Numbers are in the claim's metric; null if not measured."""
        claim, answer = self.claim, self.answer
        return {
            "id": claim.id,
            "verdict": answer.verdict,
            "measured": answer.measured,
            "interval": None if answer.interval is None else list(answer.interval),
            "why": answer.why,
            "missing": list(answer.missing),
            "publication": self.publication.id,
            "quote": claim.quote,
            "metric": claim.metric,
            "published": claim.value,
            "to_confirm": list(claim.to_confirm),
            "to_refute": list(claim.to_refute),
            "differs": [asdict(each) for each in self.differs],
        }


def answer(verdict: Verdict, why: str, estimate: Estimate | None = None, missing: Sequence[str] = ()) -> Answer:
    """Return an answer with an estimate's value and interval. A value that is NaN becomes None."""
    if estimate is None:
        return Answer(verdict, why, missing=tuple(missing))
    measured = None if math.isnan(estimate.value) else estimate.value
    return Answer(verdict, why, measured, estimate.interval, tuple(missing))
