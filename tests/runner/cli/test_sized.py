"""`compare --precision`, `--budget` and `--more-blocks` on a fake engine: two stages, and what run.json keeps."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.cli.sized import overrun, while_there_is_time
from runner.stats.enough import Size
from runner.storage import runs
from runner.vocabulary import Launch, TurnSize
from tests.runner.builders import plan
from tests.runner.fake_engine import FakeEngine
from tests.runner.told import tells

Kit = Callable[..., int]
ROOT = Path(__file__).resolve().parents[3]
OPTIONS = ("compare", "--topologies", "resnet50,vgg16", "--variants", "stock,intel", "--no-probe", "--no-peak", "--out",
           "run")  # fmt: skip


def noisy(launch: Launch, result: dict[str, Any]) -> None:
    """ResNet50's ratio is apart by a fifth from block to block, that of VGG16 by a hundredth."""
    spread = 0.2 if launch.cell.topology == "resnet50" else 0.01
    if launch.cell.variant == "intel" and launch.block % 2:
        for step in result["steps"]:
            step["seconds"] *= 1 + spread


def planned() -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(Path("run/run.json").read_text())["plan"]
    return plan


def blocks(topology: str) -> int:
    return max(int(each["block"]) for each in planned()["launches"] if each["topology"] == topology)


def test_a_precision_adds_blocks_where_the_first_ones_are_apart(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.before_result = noisy
    assert kit(*OPTIONS, "--precision", "8%") == 0
    out = capsys.readouterr().out
    assert (planned()["first_blocks"], blocks("vgg16")) == (6, 6)
    assert blocks("resnet50") > 6
    assert tells(out, "first stage", "6 blocks", f"ResNet50 (batch size 4, tf-2.14) {blocks('resnet50')}")
    with Path("run/speedups.csv").open() as lines:
        found = {row["topology"]: int(row["blocks"]) for row in csv.DictReader(lines)}
    assert found == {"resnet50": blocks("resnet50"), "vgg16": 6}
    assert not runs.load(Path("run")).remaining()


def test_an_interrupted_second_stage_is_completed_by_resume(kit: Kit, engine: FakeEngine) -> None:
    def interrupt(launch: Launch, result: dict[str, Any]) -> None:
        noisy(launch, result)
        if launch.block == 7:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*OPTIONS, "--precision", "8%") == 130
    wanted = blocks("resnet50")
    assert wanted > 6, "the decision is on disk before the second stage begins"
    engine.before_result = noisy
    assert kit("compare", "--resume", "run") == 0
    assert blocks("resnet50") == wanted
    assert not runs.load(Path("run")).remaining()


@pytest.mark.parametrize(("budget", "blocks"), [(30.0, 2), (90.0, 4), (130.0, 6), (1000.0, 8)])
def test_the_first_stage_ends_before_the_pair_of_blocks_that_the_budget_does_not_allow(
    budget: float, blocks: int
) -> None:
    """Two topologies, and ten seconds for each block of either: a pair of blocks takes forty."""
    now = [0.0]
    launches = plan(topologies=("resnet50", "vgg16"), blocks=8, turns=TurnSize(2, 1.0)).launches
    run = []
    for launch in while_there_is_time(launches, Size(budget_seconds=budget), 0.0, lambda: now[0]):
        run.append(launch)
        now[0] += 10.0 / launch.members
    assert max(launch.block for launch in run) == blocks
    assert len(run) == 2 * 2 * blocks, "every block of both topologies is whole"


def test_a_budget_of_nothing_still_gives_two_blocks(kit: Kit, engine: FakeEngine, in_folder: Path) -> None:
    assert kit(*OPTIONS, "--budget", "1s", "--blocks", "2") == 0
    assert planned()["blocks"] == 2


def test_with_a_budget_alone_it_is_said_what_half_the_widest_interval_would_take(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.before_result = noisy
    assert kit(*OPTIONS, "--budget", "1m") == 0
    out = " ".join(capsys.readouterr().out.split())
    found = re.search(
        r"ResNet50 \(.*?\): the widest interval is ±([\d.]+)%; ±([\d.]+)% would take about (\d+) more", out
    )
    assert found is not None, out
    assert float(found[2]) == pytest.approx(float(found[1]) / 2, abs=0.1)
    assert int(found[3]) >= 2
    assert "--resume run --more-blocks" in out
    assert "VGG16 (batch size 4, tf-2.14): the widest" not in out


def test_a_run_that_exceeds_its_budget_says_what_it_was_used_for() -> None:
    (text,) = overrun(Size(budget_seconds=480.0), 670.0, 910.0)
    assert tells(text, "budget of 8:00 was exceeded", "15:10 were used", "11:10 of them before the first timed launch")
    assert overrun(Size(budget_seconds=480.0), 100.0, 485.0) == []
    assert overrun(Size(precision=0.05), 100.0, 5000.0) == []


def test_a_block_that_failed_in_the_first_stage_is_not_tried_again_in_the_same_session(
    kit: Kit, engine: FakeEngine
) -> None:
    def failing(launch: Launch, result: dict[str, Any]) -> None:
        noisy(launch, result)
        if launch.launch_id == "block2-tf-2.14-intel-vgg16-b4":
            result["error"] = {"kind": "out_of_memory", "message": "bad_alloc", "type": "MemoryError", "traceback": ""}

    engine.before_result = failing
    assert kit(*OPTIONS, "--precision", "8%") == 1
    assert engine.ran.count("block2-tf-2.14-intel-vgg16-b4") == 1


def test_the_line_that_resumes_an_interrupted_run_keeps_what_it_was_to_reach(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(launch: Launch, result: dict[str, Any]) -> None:
        if launch.block == 2:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*OPTIONS, "--precision", "8%", "--budget", "20m") == 130
    assert "compare --resume run --precision 8% --budget 1200s" in capsys.readouterr().err


def test_run_json_of_two_stages_fits_its_schema(kit: Kit, engine: FakeEngine) -> None:
    engine.before_result = noisy
    assert kit(*OPTIONS, "--precision", "8%") == 0
    schema = json.loads((ROOT / "results" / "run.schema.json").read_text())
    jsonschema.validate(json.loads(Path("run/run.json").read_text()), schema, cls=jsonschema.Draft202012Validator)


def test_more_blocks_make_a_run_longer(kit: Kit, engine: FakeEngine) -> None:
    assert kit(*OPTIONS, "--blocks", "2") == 0
    assert kit("compare", "--resume", "run", "--more-blocks", "2") == 0
    assert (planned()["first_blocks"], blocks("resnet50"), blocks("vgg16")) == (2, 4, 4)
    assert not runs.load(Path("run")).remaining()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--more-blocks", "2"), ("--resume",)),
        (("--precision", "0"), ("percentage",)),
        (("--budget", "soon"), ("20m",)),
        (("--budget", "0m"), ("20m",)),
    ],
)
def test_sizes_that_make_no_sense_are_refused(
    kit: Kit, options: tuple[str, ...], told: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit(*OPTIONS, *options) == 2
    assert tells(capsys.readouterr().err, *told)


def test_an_odd_number_of_more_blocks_is_refused(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit(*OPTIONS, "--blocks", "2") == 0
    assert kit("compare", "--resume", "run", "--more-blocks", "3") == 2
    assert tells(capsys.readouterr().err, "--more-blocks 3", "4")
