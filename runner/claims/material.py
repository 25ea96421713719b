"""What a run's folder holds that a claim can be judged by: records, pairs, and the evidence of probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.evidence import store
from runner.records import Record, latest
from runner.runs import Run
from runner.stats.pairs import Pair, pairs_of, variants_of
from runner.vocabulary import Cell

# Every claim is about Intel's build against the default one: these variants, and no others.
BASELINE = "stock"
CANDIDATE = "intel"


@dataclass(frozen=True)
class Material:
    """A run with its records, and what its probe launches showed (one mapping for each stack, variant, topology)."""

    run: Run
    records: tuple[Record, ...]
    probes: tuple[Mapping[str, Any], ...]

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every pair of the candidate over the baseline."""
        found = pairs_of(self.run, self.records)
        return [pair for pair in found if (pair.baseline, pair.candidate) == (BASELINE, CANDIDATE)]

    @cached_property
    def usable(self) -> list[Record]:
        """The records that count and have samples."""
        return [record for record in latest(list(self.records)).values() if record.error is None]

    @property
    def stacks(self) -> list[str]:
        """The stacks of the run."""
        return list(self.run.header["stacks"])

    @property
    def batch_sizes(self) -> list[int]:
        """The batch sizes of the run, ascending."""
        return sorted({launch.cell.batch_size for launch in self.run.launches})

    def has_variant(self, stack: str, variant: str) -> bool:
        """Was this variant planned on this stack?"""
        return variant in variants_of(self.run, stack)

    def of_cell(self, cell: Cell) -> list[Record]:
        """The usable records of one cell, in the order of blocks."""
        return sorted((record for record in self.usable if record.cell == cell), key=lambda record: record.block)

    def probes_of(self, stack: str, variant: str) -> list[Mapping[str, Any]]:
        """The evidence on one variant of a stack, every probed topology."""
        return [probe for probe in self.probes if (probe["stack"], probe["variant"]) == (stack, variant)]


def material_of(run: Run) -> Material:
    """Read all that a run's folder holds for a verdict.

    Raises:
        RunFormatError: its records or its evidence are damaged, or of a newer schema.
    """
    return Material(run, tuple(run.read_records()), read_probes(run.folder))


def read_probes(folder: Path) -> tuple[Mapping[str, Any], ...]:
    """The evidence beside a run's records, the latest line of each subject; empty if it was never probed.

    Raises:
        RunFormatError: the file is damaged, or of a newer schema.
    """
    return tuple(evidence.to_json() for evidence in store.read(folder).values())
