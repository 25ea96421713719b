"""Runs as frames: every row that a run has, every column with its type and its line in the documentation."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from runner.errors import RunFormatError
from runner.evidence.probed import Subject, no_evidence
from runner.frames import evidence, launches, speedups, steps
from runner.frames.tidy import EVIDENCE, LAUNCHES, NOT_OBTAINED, SPEEDUPS, STEPS
from runner.stats.results import Results, results_of
from runner.storage import runs
from tests.runner.claims.builders import EARLIER_RUN, SAMPLE, constant, ladder, rung

Frame = Callable[..., pd.DataFrame]
FRAMES: dict[Frame, Any] = {speedups: SPEEDUPS, launches: LAUNCHES, steps: STEPS, evidence: EVIDENCE}


@pytest.fixture(scope="module")
def sample() -> Results:
    """The committed sample, read once."""
    return results_of(runs.load(SAMPLE))


@pytest.mark.parametrize("frame", FRAMES, ids=lambda each: each.__name__)
def test_every_column_has_its_type_and_its_line_in_the_documentation(frame: Frame, sample: Results) -> None:
    """`help()` of the function names each column of its frame."""
    found, columns = frame(sample), {"run": "object", **FRAMES[frame]}
    assert {name: str(kind) for name, kind in found.dtypes.items()} == columns
    assert found["run"].unique().tolist() == [sample.run.name]
    documentation = str(frame.__doc__)
    assert not [name for name in columns if name not in documentation]


def test_speedups_are_those_of_speedups_csv(sample: Results) -> None:
    """The file is this frame without the run's name."""
    frame = speedups(sample)
    with (SAMPLE / "speedups.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert list(written[0]) == list(frame.columns[1:])
    for (_, row), line in zip(frame.iterrows(), written, strict=True):
        assert {name: str(row[name]) for name in ("stack", "candidate", "baseline", "topology", "verdict")} == {
            name: line[name] for name in ("stack", "candidate", "baseline", "topology", "verdict")
        }
        assert row["speedup"] == pytest.approx(float(line["speedup"]), rel=1e-5)


def test_launches_and_steps_hold_every_record(sample: Results) -> None:
    """The rows stand in the order of measurement."""
    lines = [json.loads(line) for line in (SAMPLE / "records.jsonl").read_text(encoding="utf-8").splitlines()]
    found = launches(sample)
    assert found["launch_id"].tolist() == [line["launch_id"] for line in lines]
    assert found["peak_memory_bytes"].tolist() == [line["result"]["peak_memory_bytes"] for line in lines]
    assert found["started"].iloc[0] == pd.Timestamp(lines[0]["facts"]["started"])
    assert steps(sample)["seconds"].tolist() == [step["seconds"] for line in lines for step in line["result"]["steps"]]


def test_of_a_launch_that_was_repeated_one_attempt_counts(sample: Results) -> None:
    """The failed attempt stays in the frame, without a speed and without steps."""
    first = sample.records[0]
    lost = replace(first, session=0, result=None, error={"kind": "timeout", "message": "killed at its deadline"})
    found = launches(replace(sample, records=(lost, *sample.records)))
    both = found[found["launch_id"] == first.launch_id]
    assert both["counts"].tolist() == [False, True]
    assert both["status"].tolist() == ["timeout", "ok"]
    assert both["reason"].tolist() == ["killed at its deadline", ""]
    assert both["images_per_second"].isna().tolist() == [True, False]
    assert len(steps(replace(sample, records=(lost,)))) == 0


def test_evidence_has_every_verdict_of_probes_and_of_timed_launches(sample: Results) -> None:
    """Settings without effect are among a probe's."""
    found = evidence(sample)
    assert (found["source"] == "probe").sum() == sum(len(each.verdicts) for each in sample.evidence.values())
    timed = [verdict for cell in sample.cells.values() for verdicts in cell.launches.values() for verdict in verdicts]
    assert (found["source"] != "probe").sum() == len(timed)
    assert found["text"].str.endswith(".").all()


def test_a_probe_that_failed_has_its_reason_and_is_neither_passed_nor_failed(sample: Results) -> None:
    """One row in the place of its verdicts."""
    subject = Subject("tf-2.14", "intel", "vgg16")
    failed = no_evidence(subject, 2, "key", "timeout", "killed at its deadline")
    (row,) = evidence(replace(sample, records=(), evidence={subject: failed})).to_dict("records")
    assert (row["verdict"], row["text"], row["batch_size"]) == (NOT_OBTAINED, "timeout: killed at its deadline", 2)
    assert pd.isna(row["passed"])


def test_what_was_not_measured_is_not_a_number(sample: Results) -> None:
    """Every planned pair has its row even so."""
    found = speedups(replace(sample, records=()))
    assert found["status"].unique().tolist() == ["missing"]
    assert found[["speedup", "ci_low", "family_ci_high", "baseline_images_per_second"]].isna().all(axis=None)


def test_a_ladder_has_launches_and_no_pairs() -> None:
    """Its steps are compared rung by rung, which is no pair of variants."""
    run = ladder(constant(2.0), rung("stock", ""), rung("intel", "stock", ("layout", "NHWC", "NCHW")))
    assert speedups(run).empty
    assert set(launches(run)["variant"]) == {"stock", "intel"}


def test_runs_are_told_apart_by_name_and_copies_by_their_folder(tmp_path: Path) -> None:
    """Runs keep the given order, whether they are named as paths or as text."""
    header = json.loads((EARLIER_RUN / "run.json").read_text(encoding="utf-8"))
    for folder, name in (("copy", header["run"]), ("other", "another run")):
        shutil.copytree(EARLIER_RUN, tmp_path / folder)
        (tmp_path / folder / "run.json").write_text(json.dumps({**header, "run": name}), encoding="utf-8")
    found = speedups(EARLIER_RUN, tmp_path / "copy", str(tmp_path / "other"))
    assert found["run"].unique().tolist() == [str(EARLIER_RUN), str(tmp_path / "copy"), "another run"]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFormatError, match="is not a run's folder"):
        launches(tmp_path)
