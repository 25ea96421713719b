"""A pair that lacks a launch, or has launches of two sessions: estimate and command are shown, and nothing is said."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.report.measured import measured
from runner.storage import runs
from tests.runner.fake_engine import FakeEngine, only

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "run_without_turns"
LOST = "block2-tf-1.12-intel-vgg16-b32"
COMMAND = "python -m runner compare --resume RUN"


def copy_of_the_sample(folder: Path, change: Callable[[dict[str, Any]], bool]) -> Path:
    """The sample's run.json and records, of which `change` may alter or refuse any."""
    folder.mkdir()
    shutil.copy(SAMPLE / "run.json", folder)
    shutil.copy(SAMPLE / "evidence.jsonl", folder)
    records = [json.loads(line) for line in (SAMPLE / "records.jsonl").read_text().splitlines()]
    kept = [json.dumps(record) + "\n" for record in records if change(record)]
    (folder / "records.jsonl").write_text("".join(kept))
    return folder


def row_of(folder: Path) -> dict[str, str]:
    """The row of speedups.csv of VGG16 on tf-1.12."""
    with (folder / "speedups.csv").open() as file:
        (row,) = [row for row in csv.DictReader(file) if (row["stack"], row["topology"]) == ("tf-1.12", "vgg16")]
    return row


@pytest.fixture
def lacking(tmp_path: Path) -> Path:
    """The sample without one launch."""
    return copy_of_the_sample(tmp_path / "lacking", lambda record: record["launch_id"] != LOST)


def test_a_pair_that_lacks_a_launch_gets_no_verdict_and_enters_no_mean(
    lacking: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its three other blocks all say faster; it is in neither "4 of 4" nor the mean, and the command stands beside."""
    assert main(["report", str(lacking)]) == 1
    row = row_of(lacking)
    assert (row["status"], row["verdict"], row["blocks"]) == ("partial", "not counted", "3")
    assert float(row["family_ci_low"]) > 1
    out = " ".join(capsys.readouterr().out.split())
    assert "faster on 3, not counted on 1 of 4 topologies" in out
    assert "geometric mean over 3 topologies 2.97x" in out
    assert f"to complete it: python -m runner compare --resume {lacking}" in out
    report = (lacking / "report.md").read_text()
    assert re.search(
        r"\| tf-1.12 \| 32 \| intel / stock \| 2.97x \[2.82, 3.13\] \| 3.57x \[3.\d+, 3.\d+\] \(\w+\) \| 3.36 to 3.79 "
        r"\| 3 of 4, 1 not counted \|",
        report,
    )
    assert f"1 of 4 blocks not measured yet. Complete it with: {COMMAND} |" in report


def test_it_is_drawn_hatched_with_its_estimate_and_the_command(lacking: Path, tmp_path: Path) -> None:
    """The hatching is a pattern of the drawing; the whole run has none. The key explains it and both lines."""
    whole = tmp_path / "whole"
    shutil.copytree(SAMPLE, whole)
    assert main(["report", str(whole)]) == 0
    assert main(["report", str(lacking)]) == 1
    svg = (lacking / "figure1.svg").read_text()
    assert "<pattern" in svg
    assert "<pattern" not in (whole / "figure1.svg").read_text()
    for words in ("2.06x", "partial", COMMAND, "Thick line", "Thin line", "all 16 pairs"):
        assert words in svg


def test_a_block_of_two_sessions_is_not_complete(tmp_path: Path) -> None:
    """The same launch as before, but of a later session, as an earlier --resume would have left it."""

    def later(record: dict[str, Any]) -> bool:
        record["session"] = 2 if record["launch_id"] == LOST else 1
        return True

    folder = copy_of_the_sample(tmp_path / "resumed", later)
    assert main(["report", str(folder)]) == 1
    row = row_of(folder)
    assert (row["status"], row["verdict"], row["blocks"]) == ("partial", "not counted", "3")
    assert row["reason"].startswith("block 2: its launches are of sessions 1 and 2")
    everything = measured(runs.load(folder))
    assert everything.unfinished == len(everything.run.remaining()) == 2


def test_runs_side_by_side_and_over_the_years_say_what_is_partial(
    in_folder: Path, finished_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither shows a bare number for such a pair."""
    options = ("compare", "--topologies", "alexnet", "--variants", "stock,intel", "--blocks", "2")
    finished_run(*options, "--stack", "tf-2.14,tf-1.12", "--out", "run")
    records = Path("run/records.jsonl")
    lines = records.read_text().splitlines(keepends=True)
    lost = "block1-tf-1.12-intel-alexnet-b4"
    records.write_text("".join(line for line in lines if json.loads(line)["launch_id"] != lost))
    assert main([*options, "--out", "other"], only(FakeEngine())) == 0
    capsys.readouterr()
    assert main(["report", "run", "other", "--out", "both"]) == 0
    assert "4.00x (partial)" in Path("both/side_by_side.csv").read_text()
    assert main(["report", "run"]) == 1
    assert "| AlexNet | 4 | 4.00x (partial) | 4.00x [4.00, 4.00] |" in Path("run/report.md").read_text()
