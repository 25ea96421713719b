"""What is known of a cell from probe and launches comes to one verdict, and no failure hides another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.evidence.cells import CellEvidence, cells_of
from runner.evidence.probed import Evidence, Subject, no_evidence
from runner.evidence.verdicts import BASELINE_FREE, RIGHT_WHEEL, THREADS_BOUND, Verdict
from runner.vocabulary import Cell
from tests.runner.builders import PIN, record
from tests.runner.evidence.captured import captured, evidence
from tests.runner.evidence.headers import header_of

CELL = Cell("tf-2.14", "stock", "resnet50", 4)
GOOD = (Verdict(RIGHT_WHEEL, True, "right"),)
HEADER = header_of(PIN, wheels={"stock": "tensorflow-cpu==2.14.0", "intel": "intel-tensorflow==2.14.0"})


def cell(probe: Evidence | None, *, wanted: bool = True, **launches: tuple[Verdict, ...]) -> CellEvidence:
    """The evidence on one cell."""
    return CellEvidence(CELL, wanted, probe, launches or {"block1": GOOD})


def test_a_cell_passes_with_a_probe_and_launches_that_passed() -> None:
    """Then its bar is drawn without a remark."""
    found = cell(evidence("tf-2.14-stock"))
    assert (found.status, found.remark, found.reason) == ("passed", "", "")


@pytest.mark.parametrize(
    ("wanted", "status", "remark"), [(True, "no evidence", "no evidence"), (False, "not probed", "")]
)
def test_a_cell_without_a_probe_is_marked_only_where_one_was_wanted(wanted: bool, status: str, remark: str) -> None:
    """A run without probes is not hatched all over."""
    found = cell(None, wanted=wanted)
    assert (found.status, found.remark) == (status, remark)


def test_probing_one_variant_later_marks_no_other_cell() -> None:
    """In a run that was begun without probes, evidence on one cell is not asked of every other."""
    records = [replace(record(name), result=captured(f"tf-2.14-{name}").result) for name in ("stock", "intel")]
    subject = Subject("tf-2.14", "stock", "resnet50")
    found = cells_of(HEADER, records, {subject: replace(evidence("tf-2.14-stock"), subject=subject)})
    assert [each.status for each in found.values()] == ["passed", "not probed"]


def test_a_failed_probe_is_no_evidence_with_its_reason() -> None:
    """The reason is in the words of the engine or the workload."""
    found = cell(no_evidence(Subject("tf-2.14", "stock", "resnet50"), 2, "key", "timeout", "killed at its deadline"))
    assert found.remark == "no evidence"
    assert found.reason == "The probe failed: timeout: killed at its deadline"


def test_a_probe_without_a_fingerprint_is_no_evidence() -> None:
    """Where its quiet launch failed, nobody compared what was computed; runs of before had none and keep theirs."""
    error = {"kind": "timeout", "message": "killed at its deadline"}
    failed = replace(evidence("tf-2.14-stock"), quiet=None, quiet_error=error, fingerprint=())
    found = cell(failed)
    assert (found.status, found.remark) == ("no evidence", "no evidence")
    assert found.reason == "The first step's fingerprint was not obtained: timeout: killed at its deadline"
    assert cell(replace(failed, quiet_error=None)).status == "passed"


def test_a_baseline_of_which_nothing_is_proved_has_no_evidence() -> None:
    """A verdict that could not be told is not a verdict that passed."""
    silent = replace(evidence("tf-2.14-stock"), verdicts=(Verdict(BASELINE_FREE, None, "nothing is proved."),))
    assert (cell(silent).status, cell(silent).reason) == ("no evidence", "nothing is proved.")


def test_a_failed_launch_counts_against_a_probe_that_passed() -> None:
    """The launch is named. What all launches say alike is told once."""
    bad = (Verdict(THREADS_BOUND, False, "thread 7 escapes."),)
    again = (Verdict(THREADS_BOUND, False, "thread 9 escapes."),)
    found = cell(evidence("tf-2.14-stock"), block1=GOOD, block2=bad, block3=again)
    assert (found.status, found.remark, found.reason) == ("failed", "threads not bound", "thread 7 escapes.")
    assert [where for where, _ in found.failures] == ["block2", "block3"]


def test_settings_without_effect_are_no_failure() -> None:
    """They are reported, and do not decide whether a cell passed."""
    assert not any(verdict.id.startswith("inert:") for _, verdict in cell(evidence("tf-2.14-stock")).verdicts)


def test_only_launches_that_count_are_judged() -> None:
    """A failed launch has no samples, so that there is nothing to judge; a real result's wheel is held to the plan."""
    sound = replace(record(), result=captured("tf-2.14-stock").result)
    swapped = replace(record("intel"), result=captured("tf-2.14-stock").result)
    failed = record("intel", 2, error={"kind": "failed", "message": "x"})
    found = cells_of(HEADER, [sound, swapped, failed], {})
    assert found[CELL].status == "not probed"
    intel = found[Cell("tf-2.14", "intel", "resnet50", 4)]
    assert list(intel.launches) == [swapped.launch_id]
    assert intel.status == "failed"
    assert "instead of intel-tensorflow==2.14.0" in intel.reason
