"""One claim that is judged by one run, and the part of the run that comes nearest to the claim. Judges nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from runner.catalogue.publications import Claim, Publication
from runner.stats.results import Results


@dataclass(frozen=True)
class Case:
    """One claim, and the run by which it is judged."""

    publication: Publication
    claim: Claim
    results: Results

    def variant(self, stack: str) -> str:
        """The variant of a stack that the claim is about, a vendor's build unless it says otherwise; "" for none."""
        return self.claim.variant or self.vendors_build(stack)

    def vendors_build(self, stack: str) -> str:
        """The variant that is a vendor's build of a stack's release; "" if the run has none."""
        return self.results.vendors_build(stack) or ""

    def sides(self, stack: str) -> tuple[str, str]:
        """The variants that a claim on a speedup compares, the default build and a vendor's unless it says otherwise.

        "" stands for one that the claim does not name and the run does not have.
        """
        recorded = self.results.header.stacks.get(stack)
        baseline = recorded.baseline if recorded is not None else ""
        return self.claim.against or baseline, self.variant(stack)


@dataclass(frozen=True)
class RunPart:
    """The part of a run with which a claim is compared."""

    stack: str
    batch_size: int


def nearest_part(case: Case, stacks: Collection[str] | None = None) -> RunPart:
    """Return the stack and batch size of the run that come nearest to the claim's.

    `stacks` limits the choice to these stacks; None for all stacks of the run. A stack with both variants of the claim
    comes first, then the stack that is nearest to the publication's, then the batch size of the claim.

    Raises:
        ValueError: there is no stack to choose from.
    """
    results = case.results
    chosen = results.stacks if stacks is None else stacks
    parts = (RunPart(stack, size) for stack in chosen for size in results.batch_sizes)
    return min(parts, key=lambda part: farness(case, part))


def farness(case: Case, part: RunPart) -> tuple[bool, ...]:
    """Return how far a part of a run is from the claim; the smaller, the nearer."""
    pair = all(case.results.has_variant(part.stack, name) for name in case.sides(part.stack))
    return (not pair, part.stack != case.publication.nearest_stack, part.batch_size != case.claim.batch_size)
