"""Brings together what is known of each timed cell: its variant's probe, and what its launches recorded of themselves.

Pure functions of run.json, records and evidence. What they make of a cell is one verdict and a remark of a few words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from runner.evidence.cell_plan import cell_plan_of
from runner.evidence.probed import Evidence, Subject
from runner.evidence.timed import judge_launch
from runner.evidence.verdicts import BASELINE_FREE, INERT, KERNELS_RAN, RIGHT_WHEEL, THREADS_BOUND, Verdict
from runner.storage.header import Header
from runner.storage.records import Record, latest
from runner.vocabulary import Cell

# What stands beside a bar whose cell failed a verdict.
REMARKS: Mapping[str, str] = {
    BASELINE_FREE: "baseline ran oneDNN",
    KERNELS_RAN: "no Intel kernels",
    THREADS_BOUND: "threads not bound",
    RIGHT_WHEEL: "wrong wheel",
}
NO_EVIDENCE = "no evidence"
Status = Literal["passed", "failed", "no evidence", "not probed"]


@dataclass(frozen=True)
class CellEvidence:
    """All evidence on one cell. `wanted` is false for a cell without a probe in a run begun without.

    `launches` holds the verdicts of its timed launches by launch id.
    """

    cell: Cell
    wanted: bool
    probe: Evidence | None
    launches: Mapping[str, tuple[Verdict, ...]]

    @property
    def verdicts(self) -> list[tuple[str, Verdict]]:
        """Every verdict with where it is from, inert settings left out: they are told, not judged."""
        probe = [("probe", verdict) for verdict in self.probe.verdicts] if self.probe else []
        timed = [(launch, verdict) for launch, verdicts in self.launches.items() for verdict in verdicts]
        return [(where, verdict) for where, verdict in [*probe, *timed] if not verdict.id.startswith(INERT)]

    @property
    def failures(self) -> list[tuple[str, Verdict]]:
        """The verdicts that failed, with where."""
        return [(where, verdict) for where, verdict in self.verdicts if verdict.passed is False]

    @property
    def status(self) -> Status:
        """Passed only with a probe that passed and left a fingerprint; a failed verdict counts from wherever it is."""
        if self.failures:
            return "failed"
        if self.probe is None or self.probe.error is not None or self.probe.quiet_error is not None:
            return "no evidence" if self.wanted else "not probed"
        undecided = any(verdict.passed is None for verdict in self.probe.verdicts if verdict.id == BASELINE_FREE)
        return "no evidence" if undecided else "passed"

    @property
    def remark(self) -> str:
        """A few words to stand beside a bar; empty where there is nothing to be careful with."""
        if self.status == "failed":
            return REMARKS.get(self.failures[0][1].id, "evidence failed")
        return NO_EVIDENCE if self.status == "no evidence" else ""

    @property
    def reason(self) -> str:
        """Why the cell is marked, in sentences; empty where it is not."""
        if self.status == "failed":
            # Of each verdict one sentence from the probe and one from the launches: those differ in thread ids only.
            texts: dict[tuple[str, bool], str] = {}
            for where, verdict in self.failures:
                texts.setdefault((verdict.id, where == "probe"), verdict.text)
            return " ".join(dict.fromkeys(texts.values()))
        if self.status != "no evidence":
            return ""
        if self.probe is not None and self.probe.error is not None:
            return f"The probe failed: {self.probe.error['kind']}: {self.probe.error['message']}"
        if self.probe is not None and self.probe.quiet_error is not None:
            error = self.probe.quiet_error
            return f"The first step's fingerprint was not obtained: {error['kind']}: {error['message']}"
        undecided = [verdict.text for verdict in self.probe.verdicts if verdict.passed is None] if self.probe else []
        return " ".join(undecided) or "This cell was not probed."


Cells = Mapping[Cell, CellEvidence]


def cells_of(
    header: Header, records: Iterable[Record], evidence: Mapping[Subject, Evidence]
) -> dict[Cell, CellEvidence]:
    """The evidence on every cell that has a usable launch."""
    begun_with_probes = bool(header.probes)
    launches: dict[Cell, dict[str, tuple[Verdict, ...]]] = {}
    for launch_id, record in latest(list(records)).items():
        if record.error is None:
            found = launches.setdefault(record.cell, {})
            found[launch_id] = tuple(_judged(header, record))
    probes = {cell: evidence.get(Subject(cell.stack, cell.variant, cell.topology)) for cell in launches}
    return {
        cell: CellEvidence(cell, begun_with_probes or probes[cell] is not None, probes[cell], verdicts)
        for cell, verdicts in launches.items()
    }


def _judged(header: Header, record: Record) -> list[Verdict]:
    cell = record.cell
    cell_plan = cell_plan_of(header, cell.stack, cell.variant, record.settings["environment"])
    return judge_launch(cell_plan, record.result)
