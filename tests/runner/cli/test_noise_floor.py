"""`compare --aa` on a fake engine: the baseline against itself, and what later runs on this host say of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.vocabulary import Launch
from tests.runner.fake_engine import SECONDS, FakeEngine
from tests.runner.told import tells

Kit = Callable[..., int]
ROOT = Path(__file__).resolve().parents[3]
OPTIONS = ("--topologies", "resnet50", "--blocks", "2", "--no-probe", "--no-peak")


@pytest.fixture(autouse=True)
def again(engine: FakeEngine) -> None:
    """The second name is as fast as the first, but for a tenth in one block."""
    engine.seconds = {**SECONDS, "stock-again": 1.0}

    def apart(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "stock-again" and launch.block == 1:
            for step in result["steps"]:
                step["seconds"] *= 0.999

    engine.before_result = apart


def header(run: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(run) / "run.json").read_text())
    return content


def test_a_variant_is_compared_with_itself_and_named_apart(kit: Kit, engine: FakeEngine) -> None:
    assert kit("compare", "--aa", *OPTIONS, "--out", "results/runs/floor") == 0
    variants = header("results/runs/floor")["stacks"]["tf-2.14"]["variants"]
    assert list(variants) == ["stock", "stock-again"]
    one, other = ({**each, "name": "", "label": ""} for each in variants.values())
    assert one == other
    assert len(engine.ran) == 4


def test_a_later_run_keeps_the_floor_and_says_what_is_below_it(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit("compare", "--aa", *OPTIONS, "--out", "results/runs/floor") == 0
    engine.seconds = {**SECONDS, "stock-onednn": 1.0001}
    capsys.readouterr()
    assert kit("compare", *OPTIONS, "--out", "results/runs/later") == 0
    floor = header("results/runs/later")["noise_floor"]
    assert (floor["run"], floor["bars"], floor["blocks"]) == ("floor", 1, 2)
    assert floor["factor"] > 1.0001
    schema = json.loads((ROOT / "results" / "run.schema.json").read_text())
    jsonschema.validate(header("results/runs/later"), schema, cls=jsonschema.Draft202012Validator)
    out = " ".join(capsys.readouterr().out.split())
    assert tells(out, "noise floor", "ResNet50 stock-onednn / stock")
    assert not tells(out.split("Below this noise floor")[1].split(".")[0], "ResNet50 intel / stock")


def test_an_interrupted_aa_run_gives_no_floor(kit: Kit) -> None:
    assert kit("compare", "--aa", *OPTIONS, "--out", "results/runs/floor") == 0
    records = Path("results/runs/floor/records.jsonl")
    records.write_text("".join(records.read_text().splitlines(keepends=True)[:-1]))
    assert kit("compare", *OPTIONS, "--out", "results/runs/later") == 0
    assert "noise_floor" not in header("results/runs/later")


def test_an_aa_run_can_be_repeated(kit: Kit) -> None:
    assert kit("compare", "--aa", *OPTIONS, "--out", "results/runs/floor") == 0
    assert kit("repeat", "results/runs/floor", "--out", "again") == 0


def test_a_run_on_another_pin_does_not_show_it(kit: Kit) -> None:
    assert kit("compare", "--aa", *OPTIONS, "--out", "results/runs/floor") == 0
    assert kit("compare", *OPTIONS, "--cores", "1", "--out", "results/runs/later") == 0
    assert "noise_floor" not in header("results/runs/later")


def test_without_an_aa_run_nothing_is_said(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("compare", *OPTIONS, "--out", "results/runs/later") == 0
    assert "noise floor" not in capsys.readouterr().out
