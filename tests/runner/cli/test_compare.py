"""`compare` from end to end on a fake engine: files, exact numbers, failures, resume."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.catalogue.stacks import Installation, Stack
from runner.engines.protocol import Artifact, Notify, Outcome
from runner.errors import HostError
from runner.session.options import EngineOptions
from runner.session.resuming import resumed_with
from runner.storage import records, runs
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine

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


def test_every_record_fits_the_schema(kit: Kit, small: Sequence[str]) -> None:
    """records.jsonl is valid by results/record.schema.json, errors among them."""
    kit(*small)
    schema = json.loads(SCHEMA.read_text())
    for line in (Path("run") / "records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)


def test_three_variants_give_every_pair(kit: Kit) -> None:
    """Beside each candidate over stock, Intel over stock with oneDNN on is told."""
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


def test_ctrl_c_leaves_a_run_that_resume_completes_with_the_broken_block_whole(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interrupted in the middle of a block: its launches are run again in their order, and no complete block is.

    What had ended before keeps its record.
    """
    planned: list[str] = []

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        planned[:] = [launch.launch_id for launch in runs.load(Path("run")).launches]
        if len(engine.ran) == 4:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*small) == 130
    assert "--resume run" in capsys.readouterr().err
    assert len(records.read(Path("run/records.jsonl"))) == 3
    assert engine.ran == planned[:4]
    engine.before_result, engine.ran = (lambda launch, result: None), []
    assert kit("compare", "--resume", "run") == 0
    assert engine.ran == planned[2:], "the block of the third and the fourth launch whole, and the blocks after it"
    out = capsys.readouterr().out
    assert "6 of 8 launches left, 1 of them again" in out
    assert [line[:3] for line in out.splitlines() if "images/s (" in line] == [f"{n}/8" for n in range(3, 9)]
    kept = [(record.launch_id, record.session) for record in records.read(Path("run/records.jsonl"))]
    assert kept == [(name, 1) for name in planned[:3]] + [(name, 2) for name in planned[2:]]
    assert engine.cleaned == ["run"], "after the interrupt"
    assert engine.swept == 2, "at each start"
    assert [row["status"] for row in rows()] == ["ok", "ok"]


def test_a_block_with_a_failed_launch_is_run_again_whole(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The launch that went well goes with the one that failed: they are measured one after the other, or not compared.

    A run without a broken block has nothing to be resumed for.
    """
    failing = "block2-tf-2.14-intel-vgg16-b4"
    engine.outcomes[failing] = Outcome(1, 1.0, stopped_by_deadline=False, out_of_memory=False)
    assert kit(*small) == 1
    assert "1 of 8 launches failed: --resume runs each of their blocks again whole, and no other." in " ".join(
        capsys.readouterr().out.split()
    )
    planned = [name for name in engine.ran if name.startswith("block2") and "vgg16" in name]
    assert sorted(planned) == [failing, "block2-tf-2.14-stock-vgg16-b4"]
    engine.outcomes, engine.ran = {}, []
    assert kit("compare", "--resume", "run") == 0
    assert engine.ran == planned
    engine.ran = []
    assert kit("compare", "--resume", "run") == 0
    assert engine.ran == []


@pytest.mark.parametrize(
    ("options", "variants"),
    [
        ((), {"stock", "intel"}),
        (("--topologies", "resnet50"), {"stock", "intel"}),
        (("--topologies", "resnet50", "--batch-sizes", "32"), {"stock", "stock-onednn", "intel"}),
        (("--topologies", "resnet50", "--batch-sizes", "32", "--variants", "stock,intel"), {"stock", "intel"}),
        (("--preset", "quick", "--topologies", "resnet50", "--batch-sizes", "32"), {"stock", "intel"}),
    ],
)
def test_a_run_of_ones_own_size_has_every_variant(
    kit: Kit, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], variants: set[str]
) -> None:
    """What the preset quick leaves out for its own size is left out of no other, unless it is asked for by name."""
    assert kit("plan", *options, "--json") == 0
    launches = json.loads(capsys.readouterr().out)["launches"]
    assert {launch["variant"] for launch in launches} == variants


def test_resume_without_a_name_takes_the_youngest_unfinished_run(kit: Kit, engine: FakeEngine) -> None:
    """Runs under results/runs are found by themselves, whole ones passed over."""
    kit("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "results/runs/whole")
    engine.outcomes["block1-tf-2.14-stock-alexnet-b8"] = Outcome(1, 1.0, stopped_by_deadline=False, out_of_memory=False)
    assert (
        kit("compare", "--topologies", "alexnet", "--batch-sizes", "8", "--blocks", "2", "--out", "results/runs/torn")
        == 1
    )
    engine.outcomes, engine.ran = {}, []
    assert kit("compare", "--resume") == 0
    assert set(engine.ran) == {f"block1-tf-2.14-{name}-alexnet-b8" for name in ("stock", "stock-onednn", "intel")}
    assert len(engine.ran) == 3
    assert kit("compare", "--resume") == 2


def test_a_killed_launch_is_an_error_with_its_signal(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """Kill -9 of a launch is neither out of memory nor a timeout."""
    engine.outcomes["block1-tf-2.14-stock-vgg16-b4"] = Outcome(-9, 1.0, stopped_by_deadline=False, out_of_memory=False)
    assert kit(*small) == 1
    failed = [each for each in records.read(Path("run/records.jsonl")) if each.error]
    assert [each.error for each in failed] == [
        {
            "kind": "failed",
            "message": "ended with signal 9 (SIGKILL, killed from outside) and no result",
        }
    ]


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
    assert "allowed CPUs (4095,) instead of" in rows()[0]["reason"]


def test_losses_that_differ_flag_the_cell(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """A pair that did not train the same thing keeps its number, marked, and the exit code is 1."""

    def other_training(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel" and launch.cell.topology == "vgg16":
            result["steps"][0]["loss"] += 1

    engine.before_result = other_training
    assert kit(*small) == 1
    assert [row["status"] for row in rows()] == ["ok", "losses_differ"]


def test_different_tensorflow_versions_within_a_pair_are_not_divided(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """The refusal names the field."""

    def older(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel":
            result["versions"]["tensorflow"] = "2.13.0"

    engine.before_result = older
    assert kit(*small) == 1
    assert rows()[0]["status"] == "not_comparable"
    assert "versions.tensorflow" in rows()[0]["reason"]
    assert rows()[0]["speedup"] == ""


def test_the_quick_preset_says_what_it_left_out_and_figure1_does_not(kit: Kit, small: Sequence[str]) -> None:
    """Leaving out stock with oneDNN on is said in one sentence."""
    kit(*small)
    sentence = "The preset quick leaves out stock with oneDNN switched on"
    assert sentence in (Path("run") / "report.md").read_text()
    kit("compare", "--preset", "figure1", "--topologies", "resnet50", "--blocks", "2", "--out", "other")
    assert sentence not in Path("other/report.md").read_text()


def test_a_folder_that_holds_a_run_is_not_overwritten(
    kit: Kit, small: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run into the same folder is a usage error."""
    kit(*small)
    assert kit(*small) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_resume_refuses_a_run_whose_conditions_have_changed(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """New launches that could not be divided by the old ones are not even begun; the field is named."""
    engine.before_result = _raise_interrupt
    kit(*small)
    header = json.loads(Path("run/run.json").read_text())
    header["machine_conditions"]["microcode"] = "0xother"
    Path("run/run.json").write_text(json.dumps(header))
    assert kit("compare", "--resume", "run") == 2
    assert "machine.microcode (was 0xother" in capsys.readouterr().err


def _raise_interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_dry_run_prints_the_plan_and_makes_nothing(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """--dry-run shows every launch's command and leaves no folder."""
    assert kit(*small, "--dry-run") == 0
    assert capsys.readouterr().out.count("run block") == 8
    assert not engine.ran
    assert not os.listdir()


def test_secrets_in_the_index_url_reach_no_file(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """User name and password of --pip-index are redacted wherever the run writes the command line."""
    secret = "https://someone:hunter2@index.example/simple"
    arguments = ("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run", "--pip-index", secret)
    monkeypatch.setattr("sys.argv", ["runner", *arguments])
    assert kit(*arguments) == 0
    texts = [path.read_text(errors="replace") for path in Path("run").rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in texts)
    assert any("https://***@index.example/simple" in text for text in texts)


def test_an_engine_that_fails_in_mid_run_keeps_what_is_done_and_says_how_to_go_on(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dead engine ends the run with its own error and exit code; --resume is named and completes it."""

    def dies(_launch: Launch, _result: dict[str, Any]) -> None:
        if len(engine.ran) == 3:
            raise HostError("the engine is gone")

    engine.before_result = dies
    assert kit(*small) == 3
    error = capsys.readouterr().err
    assert "the engine is gone" in error
    assert "--resume run" in error
    assert len(records.read(Path("run/records.jsonl"))) == 2
    engine.before_result = lambda launch, result: None
    assert kit("compare", "--resume", "run") == 0


def test_a_run_is_not_gone_on_with_on_another_base(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Same lock, same workload, another C library: such launches cannot be divided by each other."""
    plain = engine.prepare

    def on(base: str) -> None:
        def prepare(stack: Stack, installation: Installation, notify: Notify) -> Artifact:
            made = plain(stack, installation, notify)
            return replace(made, provenance={**made.provenance, "image_id": "an image", "base_image_id": base})

        engine.prepare = prepare  # type: ignore[method-assign]

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    on("one")
    engine.before_result = interrupt
    assert kit(*small) == 130
    engine.before_result = lambda launch, result: None
    on("another")
    assert kit("compare", "--resume", "run") == 2
    assert "tf-2.14.stock.base_image_id (was one, is another)" in capsys.readouterr().err
    on("one")
    assert kit("compare", "--resume", "run") == 0


def test_a_resumed_run_takes_the_images_that_it_began_with(kit: Kit, small: Sequence[str]) -> None:
    """Images are remembered by id, so that what was built since under the same tag has no effect."""
    assert kit(*small) == 0
    run = runs.load(Path("run"))
    made = run.header["stacks"]["tf-2.14"]["installations"]["stock"]
    made["image_id"] = "sha256:then"
    assert resumed_with(EngineOptions(), run).recorded_images["tf-2.14", "stock"]["image_id"] == "sha256:then"


def test_a_closed_terminal_ends_a_run_as_ctrl_c_does(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """SIGHUP is an interrupt, unless nohup has made it one to be ignored."""
    engine.before_result = lambda launch, result: os.kill(os.getpid(), signal.SIGHUP)
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        assert kit(*small) == 130
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        assert kit("compare", "--resume", "run") == 0
    finally:
        signal.signal(signal.SIGHUP, before)
