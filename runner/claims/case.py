"""One claim held against one run, and the part of the run that comes nearest to it. Judges nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from runner.catalogue.publications import Claim, Publication
from runner.stats.results import Results

# Every claim is about Intel's build against the default one: these variants, and no others.
BASELINE = "stock"
CANDIDATE = "intel"


@dataclass(frozen=True)
class Case:
    """One claim held against one run."""

    publication: Publication
    claim: Claim
    results: Results

    @property
    def variant(self) -> str:
        """The variant that the claim is about."""
        return self.claim.variant or CANDIDATE


@dataclass(frozen=True)
class RunPart:
    """The part of a run that a claim is held against."""

    stack: str
    batch_size: int


def nearest_part(case: Case, stacks: Collection[str] | None = None) -> RunPart:
    """The stack and batch size of the run that come nearest to the claim's, of all its stacks or of these."""
    results, claim, nearest = case.results, case.claim, case.publication.nearest_stack

    def farness(part: RunPart) -> tuple[bool, ...]:
        pair = all(results.has_variant(part.stack, name) for name in (BASELINE, case.variant))
        return (not pair, part.stack != nearest, part.batch_size != claim.batch_size)

    chosen = results.stacks if stacks is None else stacks
    return min((RunPart(stack, size) for stack in chosen for size in results.batch_sizes), key=farness)
