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
class Question:
    """One claim held against one run."""

    publication: Publication
    claim: Claim
    results: Results

    @property
    def variant(self) -> str:
        """The variant that the claim is about."""
        return self.claim.variant or CANDIDATE


@dataclass(frozen=True)
class Scene:
    """The part of a run that a claim is held against."""

    stack: str
    batch_size: int


def scene_of(question: Question, stacks: Collection[str] | None = None) -> Scene:
    """The stack and batch size of the run that come nearest to the claim's, of all its stacks or of these."""
    results, claim, nearest = question.results, question.claim, question.publication.nearest_stack

    def farness(scene: Scene) -> tuple[bool, ...]:
        pair = all(results.has_variant(scene.stack, name) for name in (BASELINE, question.variant))
        return (not pair, scene.stack != nearest, scene.batch_size != claim.batch_size)

    chosen = results.stacks if stacks is None else stacks
    return min((Scene(stack, size) for stack in chosen for size in results.batch_sizes), key=farness)
