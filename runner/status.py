"""The outcome of a launch, of a pair of variants or of a rung of a ladder: one enumeration, with its words.

The values are those in records, speedups.csv and evidence.jsonl; results/README.md describes each.
"""

from __future__ import annotations

from enum import Enum


class Status(str, Enum):
    """A status. It is also a string, so that it is written and compared as its value."""

    OK = "ok"

    # A launch's error. A pair or a rung without a complete block has the status of its first error.
    FAILED = "failed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    NOT_AS_PLANNED = "not_as_planned"

    # There is no speedup: the pair is not measured yet, or its two sides were measured under different conditions.
    MISSING = "missing"
    NOT_COMPARABLE = "not_comparable"

    # A speedup is shown, but it enters no mean and gets no verdict. NO_EVIDENCE is different: it is only a remark.
    PARTIAL = "partial"
    OTHER_ARITHMETIC = "other_arithmetic"
    LOSSES_DIFFER = "losses_differ"
    EVIDENCE_FAILED = "evidence_failed"
    NO_EVIDENCE = "no_evidence"

    # A rung of a ladder: the first one, which is compared with no other; one whose change has no effect on this build;
    # one that cannot be run on this stack and host.
    FIRST = "first"
    INERT = "inert"
    LEFT_OUT = "left_out"

    @property
    def words(self) -> str:
        """The status as a report or the terminal writes it, for example "losses differ"."""
        return self.value.replace("_", " ")

    def __str__(self) -> str:
        return self.value


# The statuses of a pair whose launches were all measured, and that nothing is wrong with.
NO_FAULT = frozenset({Status.OK, Status.NO_EVIDENCE, Status.OTHER_ARITHMETIC})
# What the `kind` of a launch's error may be.
ERRORS = frozenset({Status.FAILED, Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.NOT_AS_PLANNED})


def status_of_error(kind: str) -> Status:
    """The status of a pair or rung whose launch has an error of this kind; `failed` for an unknown kind."""
    return Status(kind) if kind in ERRORS else Status.FAILED
