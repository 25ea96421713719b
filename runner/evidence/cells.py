"""Combines the evidence on each timed cell: its variant's probe, and what its launches recorded about themselves.

Pure functions of run.json, records and evidence. For each cell they give one status and a remark of a few words.
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

# The remark beside a bar whose cell failed a verdict, by the verdict's id.
REMARKS: Mapping[str, str] = {
    BASELINE_FREE: "baseline ran oneDNN",
    KERNELS_RAN: "no Intel kernels",
    THREADS_BOUND: "threads not bound",
    RIGHT_WHEEL: "wrong wheel",
}
NO_EVIDENCE = "no evidence"
EvidenceStatus = Literal["passed", "failed", "no evidence", "not probed"]


@dataclass(frozen=True)
class CellEvidence:
    """All evidence on one cell. `wanted` is false if the run was begun without probes and the cell has none.

    `launches` has the verdicts of the cell's timed launches, by launch id.
    """

    cell: Cell
    wanted: bool
    probe: Evidence | None
    launches: Mapping[str, tuple[Verdict, ...]]

    @property
    def verdicts(self) -> list[tuple[str, Verdict]]:
        """Every verdict and its origin. Verdicts on inert settings are left out, because they decide nothing."""
        probe = [("probe", verdict) for verdict in self.probe.verdicts] if self.probe else []
        timed = [(launch, verdict) for launch, verdicts in self.launches.items() for verdict in verdicts]
        return [(where, verdict) for where, verdict in [*probe, *timed] if not verdict.id.startswith(INERT)]

    @property
    def failures(self) -> list[tuple[str, Verdict]]:
        """The verdicts that failed, each with its origin."""
        return [(where, verdict) for where, verdict in self.verdicts if verdict.passed is False]

    @property
    def status(self) -> EvidenceStatus:
        """Passed only if the probe passed and left a fingerprint. One failed verdict of any origin makes it failed."""
        if self.failures:
            return "failed"
        if self.probe is None or self.probe.error is not None or self.probe.quiet_error is not None:
            return "no evidence" if self.wanted else "not probed"
        undecided = any(verdict.passed is None for verdict in self.probe.verdicts if verdict.id == BASELINE_FREE)
        return "no evidence" if undecided else "passed"

    @property
    def remark(self) -> str:
        """A few words of caution to print beside a bar; empty if none are needed."""
        if self.status == "failed":
            return REMARKS.get(self.failures[0][1].id, "evidence failed")
        return NO_EVIDENCE if self.status == "no evidence" else ""

    @property
    def reason(self) -> str:
        """Sentences that say why the cell's bar is marked; empty if it is not marked."""
        if self.status == "failed":
            # One sentence from the probe and one from the launches for each verdict: sentences of launches differ only
            # in thread ids.
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
    """The evidence on every cell that has a usable launch, by cell."""
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
