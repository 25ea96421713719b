"""What a reader needs to doubt a bar: how large the run was, and what every single block measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.cli import main
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only

COMPARE = ["compare", "--topologies", "resnet50", "--batch-sizes", "32", "--blocks", "2", "--steps", "1"]


def report_of(engine: FakeEngine, *options: str) -> str:
    """The report of a small run."""
    main([*COMPARE, *options, "--out", "run"], only(engine))
    return Path("run/report.md").read_text()


def slow_second_block(launch: Launch, result: dict[str, Any]) -> None:
    """A neighbour wakes up: everything takes twice as long, Intel's build a little more."""
    if launch.block == 2:
        for step in result["steps"]:
            step["seconds"] *= 2.5 if launch.cell.variant == "intel" else 2


def test_every_block_has_its_speeds_and_its_ratio(in_folder: Path) -> None:
    """A slower host shows in the speeds of both launches, and in their ratio only as far as it hit one alone."""
    report = report_of(FakeEngine(before_result=slow_second_block), "--variants", "stock,intel")
    assert "| tf-2.14 | ResNet50 | 32 | intel / stock | 4.00x | 3.20x |" in report
    assert "| tf-2.14 | stock | ResNet50 | 32 | 32.0 | 16.0 |" in report
    assert "| tf-2.14 | intel | ResNet50 | 32 | 128 | 51.2 |" in report


def test_a_failed_launch_keeps_its_place_in_its_block(in_folder: Path) -> None:
    """The reason stands in the place of its speed, and its block has no ratio."""

    def refuse(launch: Launch, result: dict[str, Any]) -> None:
        if (launch.block, launch.cell.variant) == (1, "intel"):
            result["error"] = {"kind": "non_finite_loss", "message": "the loss is nan"}

    report = report_of(FakeEngine(before_result=refuse), "--variants", "stock,intel")
    assert "| tf-2.14 | ResNet50 | 32 | intel / stock | — | 4.00x |" in report
    assert "| tf-2.14 | intel | ResNet50 | 32 | failed | 128 |" in report


def test_the_size_of_the_run_stands_under_its_title(in_folder: Path) -> None:
    """One timed step in a launch has no median, and a reader must see that at once."""
    head = report_of(FakeEngine(), "--bursts", "4", "--burst-seconds", "1.5").split("##")[0]
    assert "; 2 blocks; 4 bursts of about 1.5 s in each launch, at least 1 step in a burst" in head


def test_only_a_stack_that_can_switch_onednn_off_explains_what_stays_on(in_folder: Path) -> None:
    """TensorFlow 1.12 has no oneDNN to switch."""
    words = "has oneDNN switched off"
    assert f"On tf-2.14, stock {words}" in report_of(FakeEngine())
    main([*COMPARE, "--stack", "tf-1.12", "--out", "other"], only(FakeEngine()))
    assert words not in Path("other/report.md").read_text()


def test_the_claimed_speedup_stands_beside_the_bars_that_are_held_against_it(in_folder: Path) -> None:
    """It is drawn on the stack that is nearest to the article's, and on no other."""
    main([*COMPARE, "--stack", "tf-1.12", "--out", "near"], only(FakeEngine()))
    assert 'the article: "up to 7.4X", on 36 cores' in Path("near/figure1.svg").read_text().replace("&quot;", '"')
    report_of(FakeEngine())
    assert "up to 7.4X" not in Path("run/figure1.svg").read_text()


def test_a_figure_that_another_machine_does_not_reach_is_not_refuted(in_folder: Path) -> None:
    """What falls short here may well be true there; the measured figure and what is missing stand beside that."""
    main([*COMPARE, "--stack", "tf-1.12", "--topologies", "inception3,resnet50,resnet152,vgg16", "--out", "near"],
         only(FakeEngine()))  # fmt: skip
    head = Path("near/report.md").read_text().split("##")[0]
    assert "not testable here. The largest of 4 bars is InceptionV3, 4.00x" in head
    assert "which does not refute the claim (missing here: the processor 8124M" in head
    assert "not reproduced" not in head
    assert "not testable here" in Path("near/figure1.svg").read_text()
