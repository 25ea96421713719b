"""A run with its records and tables, computed once for all parts of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from runner.evidence import store
from runner.evidence.asked import ONEDNN_SWITCH
from runner.evidence.cells import Cells, cells_of
from runner.evidence.default import Default, observed_defaults
from runner.evidence.probed import Evidence, Subject
from runner.planning.ladder_plan import is_ladder
from runner.report.corrections import corrected
from runner.report.wording import present
from runner.stats.evidence import with_evidence
from runner.stats.family import family_of
from runner.stats.ladder import LadderResult, ladders_of, still_needed
from runner.stats.pairs import PARTIAL, Pair, pairs_of, variants_of
from runner.stats.tables import speedups, summaries, throughputs
from runner.storage import blocks, peak_records
from runner.storage.peak_records import Peak
from runner.storage.records import Record, latest
from runner.storage.runs import Run
from runner.vocabulary import ENFORCEABLE


@dataclass(frozen=True)
class Measured:
    """Everything a report is made from. Tables are pandas frames in the columns that `stats.tables` documents."""

    run: Run
    records: tuple[Record, ...]
    peaks: tuple[Peak, ...] = ()
    evidence: Mapping[Subject, Evidence] = field(default_factory=dict)

    @property
    def header(self) -> Mapping[str, Any]:
        """run.json."""
        return self.run.header

    def condition(self, name: str, value: object) -> str:
        """A condition's value in words. A limit that is null was not asked for, or the engine has no means for it.

        Of the limits of the kit's own control group, null is none: one that cannot be seen holds nobody here.
        """
        if value is None and name in ("machine.cpu_quota_cpus", "machine.memory_high_bytes"):
            return "none"
        limit = ENFORCEABLE.get(name.removeprefix("enforced."))
        if value is not None or limit is None:
            return present(value)
        return "cannot be enforced" if limit in self.header["engine"]["cannot_enforce"] else "none"

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every pair of every group, marked where the evidence on one of its cells failed or is missing."""
        return with_evidence(pairs_of(self.run, self.records), self.cells)

    @property
    def completing(self) -> str:
        """What completes the run; RUN is its folder, which may be moved."""
        if self.run.is_of_compose:
            return "docker-compose up, then python -m runner report RUN"
        return f"python -m runner {'ablate' if is_ladder(self.header) else 'compare'} --resume RUN"

    @property
    def going_on(self) -> str:
        """The short name of what goes on with the run."""
        return "another docker-compose up" if self.run.is_of_compose else "--resume"

    @property
    def has_partial(self) -> bool:
        """Is there a pair, or a part of a ladder, that is measured in some of the planned blocks alone?"""
        statuses = [pair.status for pair in self.pairs]
        for result in self.ladders:
            statuses += [result.whole_status, *(step.status for step in (*result.steps, *result.branches))]
        return PARTIAL in statuses

    @cached_property
    def family(self) -> int:
        """How many comparisons of the run are judged at once."""
        return family_of(self.run)

    @cached_property
    def cells(self) -> Cells:
        """The evidence on every measured cell: of its probe, and of its timed launches."""
        return cells_of(self.header, self.records, self.evidence)

    @cached_property
    def speedups(self) -> pd.DataFrame:
        """The table of speedups.csv."""
        return speedups(self.pairs)

    @cached_property
    def throughputs(self) -> pd.DataFrame:
        """Images per second of each cell, in the report's order of topologies."""
        return throughputs(self.records)

    @cached_property
    def summaries(self) -> pd.DataFrame:
        """Geometric means and largest speedups."""
        return summaries(self.pairs)

    @cached_property
    def ladders(self) -> list[LadderResult]:
        """The ladder of each topology and batch size; empty for a comparison."""
        if not is_ladder(self.header):
            return []
        return ladders_of(self.run, self.records, _passed(self.evidence))

    @property
    def stacks(self) -> list[str]:
        """The stacks of the run."""
        return list(self.header["stacks"])

    def variants(self, stack: str) -> list[str]:
        """The variants of a stack that were compared, the baseline first."""
        return variants_of(self.run, stack)

    @cached_property
    def defaults(self) -> Mapping[str, Default]:
        """What a plain installation of each stack was seen to do with oneDNN here; not in it where nothing was seen."""
        return observed_defaults(self.evidence, self.usable)

    def label(self, stack: str, variant: str) -> str:
        """A variant's name for people, with a word if it is what a plain installation runs here."""
        label = str(self.header["stacks"][stack]["variants"][variant]["label"])
        return f"{label} (as a plain pip install has it here)" if variant == self.plain_variant(stack) else label

    def plain_variant(self, stack: str) -> str | None:
        """The compared variant that does with oneDNN what a plain installation was seen to do here; None if unknown."""
        seen, entry = self.defaults.get(stack), self.header["stacks"][stack]
        for name in self.variants(stack) if seen else []:
            values = [each["value"] for each in entry["variants"].get(name, {}).get("environment", [])
                      if each["name"] == ONEDNN_SWITCH]  # fmt: skip
            if seen and values and (values[0] == "1") == seen.is_on:
                return name
        return None

    @property
    def batch_sizes(self) -> list[int]:
        """The batch sizes of the run, ascending."""
        return sorted({launch.cell.batch_size for launch in self.run.launches})

    @property
    def usable(self) -> list[Record]:
        """The records that count and have samples."""
        return [record for record in latest(list(self.records)).values() if record.error is None]

    @property
    def failed(self) -> int:
        """How many planned launches ended in an error and were not measured since, and still need to be."""
        errors = {key for key, record in latest(list(self.records)).items() if record.error is not None}
        return len(still_needed([launch for launch in self.run.launches if launch.launch_id in errors], self.ladders))

    @property
    def unfinished(self) -> int:
        """How many launches still need a record: those without one, and of blocks that no one session has completed.

        A launch that has a record and whose block only failed is not among them: see `failed`.
        """
        records = latest(list(self.records))
        needed = {launch.launch_id for launch in still_needed(self.run.launches, self.ladders)}
        errors = {(each.cell.group, each.block) for each in records.values() if each.error is not None}
        return sum(
            launch.launch_id not in records or (launch.cell.group, launch.block) not in errors
            for launch in blocks.remaining(self.run.launches, self.records, needed)
        )


def measured(run: Run) -> Measured:
    """Read a run's records, and the matrix products' and the probes' if there are any."""
    peaks, evidence = peak_records.read(run.peaks_file), store.read(run.folder)
    worded = replace(run, header=corrected(run.header))
    return Measured(worded, tuple(run.read_records()), peaks, evidence)


def _passed(evidence: Mapping[Subject, Evidence]) -> dict[tuple[str, str, str], dict[str, str]]:
    """The texts of the verdicts that were passed, by id, for each stack, variant and topology."""
    return {
        (subject.stack, subject.variant, subject.topology): {
            verdict.id: verdict.text for verdict in found.verdicts if verdict.passed
        }
        for subject, found in evidence.items()
    }
