"""A run's records, evidence and peaks as they were read, and everything that is computed from them, each thing once.

Claims and reports read the same object. It has no sentences: those of the report are in runner/report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from runner.evidence import store
from runner.evidence.cell_plan import ONEDNN_SWITCH
from runner.evidence.cells import Cells, cells_of
from runner.evidence.default import Default, observed_defaults
from runner.evidence.probed import Evidence, Subject
from runner.stats import tables
from runner.stats.evidence_marks import with_evidence
from runner.stats.family import family_of
from runner.stats.ladder import LadderResult, ladders_of, still_needed
from runner.stats.pairs import PARTIAL, Comparison, Pair, pairs_of, variants_of
from runner.stats.tables import Speedup, Summary, Throughput
from runner.storage import blocks, peak_records
from runner.storage.header import Header
from runner.storage.peak_records import Peak
from runner.storage.records import Record, latest
from runner.storage.runs import Run
from runner.vocabulary import Cell


class Role(Enum):
    """The part that a variant has in its stack."""

    BASELINE = "the build that the others are divided by"
    SWITCHED_ON = "the baseline's build with oneDNN switched on"
    VENDORS_BUILD = "a vendor's build of the same release"
    PLUG_IN = "the baseline's build with a vendor's plug-in"
    OTHER_ARITHMETIC = "a build that computes in another arithmetic than the baseline"
    OTHER = "something else"


@dataclass(frozen=True)
class Results:
    """A run with its records, peaks and evidence. Everything else is computed from these when it is first read."""

    run: Run
    records: tuple[Record, ...]
    peaks: tuple[Peak, ...] = ()
    evidence: Mapping[Subject, Evidence] = field(default_factory=dict)

    @property
    def header(self) -> Header:
        """The contents of run.json, as types."""
        return self.run.about

    @property
    def stacks(self) -> list[str]:
        """The stacks of the run."""
        return list(self.header.stacks)

    @property
    def batch_sizes(self) -> list[int]:
        """The batch sizes of the run, ascending."""
        return sorted({launch.cell.batch_size for launch in self.run.launches})

    def variants(self, stack: str) -> list[str]:
        """Return the variants of a stack that were compared, the baseline first."""
        return variants_of(self.run, stack)

    def vendors_build(self, stack: str) -> str | None:
        """Return the variant that is a vendor's build of this stack's release; None if there is none.

        A comparison must have planned it. The rungs of a ladder have names of their own. A run without this stack has
        none.
        """
        recorded = self.header.stacks.get(stack)
        if recorded is None:
            return None
        name = recorded.vendors_build
        return name if self.header.is_ladder or name in self.variants(stack) else None

    def role(self, stack: str, variant: str) -> Role:
        """Return the part that a variant has in its stack, by what the stack declares and not by its name."""
        recorded = self.header.stacks[stack]
        if variant == recorded.baseline:
            return Role.BASELINE
        if variant == recorded.vendors_build:
            return Role.VENDORS_BUILD
        if variant not in recorded.variants:
            return Role.OTHER
        if recorded.variants[variant].arithmetic != recorded.variants[recorded.baseline].arithmetic:
            return Role.OTHER_ARITHMETIC
        installation = recorded.variants[variant].installation
        if installation in recorded.additions:
            return Role.PLUG_IN
        is_baselines = installation == recorded.variants[recorded.baseline].installation
        return Role.SWITCHED_ON if is_baselines and self._switch(stack, variant) == "1" else Role.OTHER

    def candidate(self, stack: str, role: Role) -> str | None:
        """Return the variant of this role that the run compares with its baseline; None if there is none."""
        return next((name for name in self.variants(stack)[1:] if self.role(stack, name) == role), None)

    def _switch(self, stack: str, variant: str) -> str | None:
        """Return the value that a variant declares for oneDNN's switch; None if it declares none."""
        declared = self.header.stacks[stack].variants
        environment = declared[variant].environment if variant in declared else ()
        return next((each.value for each in environment if each.name == ONEDNN_SWITCH), None)

    def has_variant(self, stack: str, variant: str) -> bool:
        """Return whether this variant was planned on this stack."""
        return variant in self.variants(stack)

    @cached_property
    def usable(self) -> list[Record]:
        """The records that count and have samples: those without an error."""
        return [record for record in latest(list(self.records)).values() if record.error is None]

    def of_cell(self, cell: Cell) -> list[Record]:
        """Return the usable records of one cell, in the order of blocks."""
        return sorted((record for record in self.usable if record.cell == cell), key=lambda record: record.block)

    @cached_property
    def cells(self) -> Cells:
        """The evidence on every measured cell, from its probe and from its timed launches."""
        return cells_of(self.header, self.records, self.evidence)

    def failure_of(self, cell: Cell) -> str:
        """Return why the evidence on a cell failed; empty if it did not."""
        found = self.cells.get(cell)
        return found.reason.rstrip(".") if found is not None and found.status == "failed" else ""

    def probes_of(self, stack: str, variant: str) -> list[Evidence]:
        """Return the evidence on one variant of a stack, for every topology whose probe ended well."""
        return [
            found
            for subject, found in self.evidence.items()
            if (subject.stack, subject.variant) == (stack, variant) and not found.error
        ]

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every pair of every group, marked where the evidence on one of its cells failed or is missing."""
        return with_evidence(pairs_of(self.run, self.records), self.cells)

    @cached_property
    def speedups(self) -> Mapping[Comparison, Speedup]:
        """The speedup of every pair, in the order of the pairs."""
        return tables.speedups(self.pairs)

    @cached_property
    def throughputs(self) -> Mapping[Cell, Throughput]:
        """The speed of each cell with a usable launch, in the order of the records."""
        return tables.throughputs(self.records)

    @cached_property
    def summaries(self) -> Sequence[Summary]:
        """Geometric means and largest speedups over the topologies."""
        return tables.summaries(self.speedups.values())

    @cached_property
    def family(self) -> int:
        """How many comparisons of the run are judged at once."""
        return family_of(self.run)

    @cached_property
    def ladders(self) -> list[LadderResult]:
        """The ladder of each topology and batch size; empty for a comparison."""
        if not self.header.is_ladder:
            return []
        return ladders_of(self.run, self.records, _passed(self.evidence))

    @property
    def has_partial(self) -> bool:
        """Whether a pair, or a part of a ladder, is measured in some of the planned blocks but not in all."""
        statuses = [pair.status for pair in self.pairs]
        for result in self.ladders:
            statuses += [result.whole_status, *(step.status for step in (*result.steps, *result.branches))]
        return PARTIAL in statuses

    @cached_property
    def defaults(self) -> Mapping[str, Default]:
        """Whether a plain installation has oneDNN on here, by stack. A stack where this was not observed is absent."""
        return observed_defaults(self.evidence, self.usable)

    def plain_variant(self, stack: str) -> str | None:
        """Return the compared variant that has oneDNN on or off as a plain installation here; None if unknown."""
        seen = self.defaults.get(stack)
        for name in self.variants(stack):
            switch = self._switch(stack, name)
            is_stock = self.role(stack, name) in (Role.BASELINE, Role.SWITCHED_ON)
            if seen and is_stock and switch is not None and (switch == "1") == seen.is_on:
                return name
        return None

    @property
    def failed(self) -> int:
        """How many planned launches ended in an error, were not measured since, and still need to be."""
        errors = {key for key, record in latest(list(self.records)).items() if record.error is not None}
        return len(still_needed([launch for launch in self.run.launches if launch.launch_id in errors], self.ladders))

    @property
    def unfinished(self) -> int:
        """How many launches still need a record.

        These are the launches without a record, and those of blocks that no single session has completed. A launch with
        a record is not counted if a launch of its block failed: those blocks are counted by `failed`.
        """
        records = latest(list(self.records))
        needed = {launch.launch_id for launch in still_needed(self.run.launches, self.ladders)}
        errors = {(each.cell.group, each.block) for each in records.values() if each.error is not None}
        return sum(
            launch.launch_id not in records or (launch.cell.group, launch.block) not in errors
            for launch in blocks.remaining(self.run.launches, self.records, needed)
        )


def results_of(run: Run) -> Results:
    """Read the records, peaks and evidence in a run's folder.

    Raises:
        RunFormatError: the records, peaks or evidence are damaged, or of a newer schema.
    """
    return Results(run, tuple(run.read_records()), peak_records.read(run.peaks_file), store.read(run.folder))


def _passed(evidence: Mapping[Subject, Evidence]) -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the texts of the verdicts that passed, by id, for each stack, variant and topology."""
    return {
        (subject.stack, subject.variant, subject.topology): {
            verdict.id: verdict.text for verdict in found.verdicts if verdict.passed
        }
        for subject, found in evidence.items()
    }
