"""`compare` from end to end on a fake engine: files, exact numbers, failures, refusals."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.engines.protocol import Outcome
from runner.storage import records
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine
from tests.runner.told import tells

Kit = Callable[..., int]


SCHEMA = Path(__file__).resolve().parents[3] / "results" / "record.schema.json"


def rows(folder: str = "run") -> list[dict[str, str]]:
    """The lines of speedups.csv."""
    with (Path(folder) / "speedups.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_whole_run_leaves_every_file_and_the_exact_speedup(kit: Kit, small: Sequence[str]) -> None:
    """Stock takes 1 s a step and Intel 0.25 s, so each bar is 4x with an interval of no width."""
    assert kit(*small) == 0
    for name in ("run.json", "records.jsonl", "speedups.csv", "report.md", "report.html", "figure1.svg", "figure1.png"):
        assert (Path("run") / name).stat().st_size > 0
    assert [(row["topology"], row["speedup"], row["ci_low"], row["verdict"], row["status"]) for row in rows()] == [
        ("resnet50", "4", "4", "faster", "ok"),
        ("vgg16", "4", "4", "faster", "ok"),
    ]
    assert rows()[0]["baseline_images_per_second"] == "4"


def test_the_csv_has_the_documented_columns_in_order(kit: Kit, small: Sequence[str]) -> None:
    """Other tools read this file by its header."""
    kit(*small)
    header = (Path("run") / "speedups.csv").read_text().splitlines()[0]
    assert header == (
        "stack,topology,batch_size,baseline,candidate,baseline_images_per_second,candidate_images_per_second,"
        "speedup,ci_low,ci_high,blocks,verdict,status,reason,family_ci_low,family_ci_high,family_size"
    )


@pytest.mark.parametrize("options", [(), ("--in-sequence",)], ids=["turns", "sequence"])
def test_every_record_fits_the_schema(kit: Kit, small: Sequence[str], options: tuple[str, ...]) -> None:
    """And says how many launches lived together."""
    kit(*small, *options)
    schema = json.loads(SCHEMA.read_text())
    for line in (Path("run") / "records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)
        members = json.loads(line)["conditions"]["turns"]["members"]
        assert members == (1 if options else 2)


def test_three_variants_give_every_pair(kit: Kit) -> None:
    kit("compare", "--topologies", "resnet50", "--preset", "figure1", "--out", "run")
    assert [(row["candidate"], row["baseline"], float(row["speedup"])) for row in rows()] == [
        ("stock-onednn", "stock", 2.0),
        ("intel", "stock", 4.0),
        ("intel", "stock-onednn", 2.0),
    ]


def test_a_failed_cell_is_shown_and_the_exit_code_is_1(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A launch that the kernel killed for memory is a result with a reason, and the rest of the run goes on."""
    killed = Outcome(-9, 5.0, stopped_by_deadline=False, out_of_memory=True)
    for block in (1, 2):
        engine.outcomes[f"block{block}-tf-2.14-intel-vgg16-b4"] = killed
    assert kit(*small) == 1
    assert len(engine.ran) == 8
    by_topology = {row["topology"]: row for row in rows()}
    assert by_topology["vgg16"]["status"] == "out_of_memory"
    assert "smaller --batch-sizes" in by_topology["vgg16"]["reason"]
    assert by_topology["vgg16"]["speedup"] == ""
    assert by_topology["resnet50"]["status"] == "ok"
    assert "out of memory" in (Path("run") / "figure1.svg").read_text()
    assert "out_of_memory" in capsys.readouterr().out


def test_a_cell_with_one_block_left_is_partial_and_claims_no_interval(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """One complete block gives a ratio, but too few blocks for an interval."""
    late = Outcome(-9, 5.0, stopped_by_deadline=True, out_of_memory=False)
    engine.outcomes["block2-tf-2.14-intel-vgg16-b4"] = late
    assert kit(*small) == 1
    row = rows()[1]
    assert (row["status"], row["verdict"], row["ci_low"]) == ("partial", "not counted", "")
    assert "deadline" in row["reason"]


def test_a_killed_launch_is_an_error_with_its_signal(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """Kill -9 of a launch is neither out of memory nor a timeout."""
    engine.outcomes["block1-tf-2.14-stock-vgg16-b4"] = Outcome(-9, 1.0, stopped_by_deadline=False, out_of_memory=False)
    assert kit(*small) == 1
    failed = [each for each in records.read(Path("run/records.jsonl")) if each.error]
    (error,) = (each.error for each in failed)
    assert error is not None
    assert error["kind"] == "failed"
    assert tells(error["message"], "signal 9", "SIGKILL")


def test_a_launch_on_other_cpus_than_planned_is_an_error_not_a_number(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """What was observed inside must equal the plan."""

    def elsewhere(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel":
            result["observed"]["allowed_cpus"] = "4095"

    engine.before_result = elsewhere
    assert kit(*small) == 1
    assert {row["status"] for row in rows()} == {"not_as_planned"}
    assert "4095" in rows()[0]["reason"]


def test_launches_that_trained_at_the_same_time_are_errors_not_numbers(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """Both of them: each slowed the other down."""

    def too_early(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel" and launch.cell.topology == "vgg16":
            for burst in result["bursts"]:
                burst.update(began=burst["began"] - 1000.0, ended=burst["ended"] + 1000.0)

    engine.before_result = too_early
    assert kit(*small) == 1
    assert [row["status"] for row in rows()] == ["ok", "not_as_planned"]
    assert tells(rows()[1]["reason"], "in the turns", "at the same time")
    failed = {each.cell.variant for each in records.read(Path("run/records.jsonl")) if each.error}
    assert failed == {"stock", "intel"}


def test_a_launch_that_uses_the_cpus_while_another_trains_is_an_error(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    def spins(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel" and launch.cell.topology == "vgg16":
            result["bursts"][2]["idle_cpu_seconds"] = 900.0

    engine.before_result = spins
    assert kit(*small) == 1
    assert tells(rows()[1]["reason"], "900.00 s of CPU")
    failed = {each.cell.variant for each in records.read(Path("run/records.jsonl")) if each.error}
    assert failed == {"intel"}


def test_losses_that_differ_flag_the_cell(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    def other_training(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel" and launch.cell.topology == "vgg16":
            result["steps"][0]["loss"] += 1

    engine.before_result = other_training
    assert kit(*small) == 1
    assert [row["status"] for row in rows()] == ["ok", "losses_differ"]


def test_different_tensorflow_versions_within_a_pair_are_not_divided(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    def older(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel":
            result["versions"]["tensorflow"] = "2.13.0"

    engine.before_result = older
    assert kit(*small) == 1
    assert rows()[0]["status"] == "not_comparable"
    assert "versions.tensorflow" in rows()[0]["reason"]
    assert rows()[0]["speedup"] == ""


@pytest.mark.parametrize("preset", ["quick", "figure1", "full"])
def test_every_preset_of_the_kit_runs_all_variants(kit: Kit, capsys: pytest.CaptureFixture[str], preset: str) -> None:
    assert kit("plan", "--preset", preset, "--json") == 0
    launches = json.loads(capsys.readouterr().out)["launches"]
    assert {launch["variant"] for launch in launches} == {"stock", "stock-onednn", "intel"}


def test_a_folder_that_holds_a_run_is_not_overwritten(
    kit: Kit, small: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    kit(*small)
    assert kit(*small) == 2
    assert tells(capsys.readouterr().err, "--resume run")


def test_dry_run_prints_the_plan_and_makes_nothing(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit(*small, "--dry-run") == 0
    assert capsys.readouterr().out.count("run block") == 8
    assert not engine.ran
    assert not os.listdir()


def test_secrets_in_the_index_url_reach_no_file(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "https://someone:hunter2@index.example/simple"
    arguments = ("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run", "--pip-index", secret)
    monkeypatch.setattr("sys.argv", ["runner", *arguments])
    assert kit(*arguments) == 0
    texts = [path.read_text(errors="replace") for path in Path("run").rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in texts)
    assert any("https://***@index.example/simple" in text for text in texts)
