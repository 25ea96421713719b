"""What a run's folder holds that a claim can be judged by: records, pairs with their evidence, ladders, probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.evidence import store
from runner.evidence.cells import Cells, cells_of
from runner.evidence.probed import Evidence, Subject
from runner.planning.ladder_plan import is_ladder
from runner.stats.evidence import with_evidence
from runner.stats.ladder import LadderResult, ladders_of
from runner.stats.pairs import Pair, pairs_of, variants_of
from runner.storage.records import Record, latest
from runner.storage.runs import Run
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
        """Every pair of the candidate over the baseline, marked by the evidence on its cells like a report's."""
        found = with_evidence(pairs_of(self.run, self.records), self.cells)
        return [pair for pair in found if (pair.baseline, pair.candidate) == (BASELINE, CANDIDATE)]

    @cached_property
    def cells(self) -> Cells:
        """The evidence on every measured cell: of its probe, and of its timed launches."""
        evidence = {Subject.of(probe): Evidence.from_json(probe) for probe in self.probes}
        return cells_of(self.run.header, self.records, evidence)

    @cached_property
    def ladders(self) -> list[LadderResult]:
        """The ladder of each topology and batch size; empty for a comparison."""
        if not is_ladder(self.run.header):
            return []
        verdicts = {
            (probe["stack"], probe["variant"], probe["topology"]): {
                verdict["id"]: verdict["text"] for verdict in probe["verdicts"] if verdict["passed"]
            }
            for probe in self.probes
        }
        return ladders_of(self.run, self.records, verdicts)

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

    def failure_of(self, cell: Cell) -> str:
        """What the evidence says against a cell being what its name says; empty if nothing."""
        found = self.cells.get(cell)
        return found.reason.rstrip(".") if found is not None and found.status == "failed" else ""

    def probes_of(self, stack: str, variant: str) -> list[Mapping[str, Any]]:
        """The evidence on one variant of a stack, of every topology whose probe did not fail."""
        return [
            probe
            for probe in self.probes
            if (probe["stack"], probe["variant"]) == (stack, variant) and not probe.get("error")
        ]


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
