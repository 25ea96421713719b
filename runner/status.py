"""What became of a launch, of a pair of variants, or of a rung of a ladder: one enumeration, with its words.

The values are what records, speedups.csv and evidence.jsonl hold; results/README.md describes each.
"""

from __future__ import annotations

from enum import Enum


class Status(str, Enum):
    """A status. It is a string, so that it is written and compared as its value."""

    OK = "ok"

    # A launch's error. A pair or a rung without one whole block has the status of its first error.
    FAILED = "failed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    NOT_AS_PLANNED = "not_as_planned"

    # Nothing to divide: not measured yet, or measured under conditions that differ.
    MISSING = "missing"
    NOT_COMPARABLE = "not_comparable"

    # A speedup is shown. No mean and no verdict is made of it, but for the last, which is a remark only.
    PARTIAL = "partial"
    LOSSES_DIFFER = "losses_differ"
    EVIDENCE_FAILED = "evidence_failed"
    NO_EVIDENCE = "no_evidence"

    # A rung of a ladder that is compared with none before it, that the build ignores, or that cannot be had here.
    FIRST = "first"
    INERT = "inert"
    LEFT_OUT = "left_out"

    @property
    def words(self) -> str:
        """The status as a report or the terminal writes it: losses differ."""
        return self.value.replace("_", " ")

    def __str__(self) -> str:
        return self.value


# What the `kind` of a launch's error may be.
ERRORS = frozenset({Status.FAILED, Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.NOT_AS_PLANNED})


def status_of_error(kind: str) -> Status:
    """The status that a launch's error gives to what it was measured for; `failed` for a kind that is not known."""
    return Status(kind) if kind in ERRORS else Status.FAILED
