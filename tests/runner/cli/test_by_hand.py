"""`bench --by-hand` on a fake engine: half of each block's launches are started by their printed command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from runner.engines.protocol import Artifact, LaunchFolders
from runner.host.pin import Pin
from runner.vocabulary import Launch
from tests.runner.fake_engine import SECONDS, FakeEngine
from tests.runner.told import tells

Kit = Callable[..., int]
BENCH = ("bench", "--topologies", "alexnet", "--by-hand", "--blocks", "2")


@pytest.fixture(autouse=True)
def printed(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Command lines that work: each leaves the result of its launch. Those that were asked for, by launch."""
    engine.seconds = {**SECONDS, "stock-again": SECONDS["stock"]}
    asked: list[str] = []

    def command(launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        asked.append(launch.cell.variant)
        engine.run(launch, pin, cast(Artifact, None), folders, 1.0)
        return "exit 0"

    monkeypatch.setattr(engine, "command", command)
    return asked


def test_the_kit_is_divided_by_a_start_by_hand(
    kit: Kit, printed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit(*BENCH) == 0
    assert printed == ["stock-again"] * 4, "one launch of each block"
    assert tells(capsys.readouterr().out, "kit / by hand: AlexNet 1.00x [1.00, 1.00] over 4 blocks")
    (run,) = Path("results/runs").glob("*-bench-by-hand")
    assert len((run / "records.jsonl").read_text().splitlines()) == 8


def test_a_command_line_that_fails_leaves_nothing_to_compare(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> str:
        return "exit 7"

    monkeypatch.setattr(engine, "command", fails)
    kit(*BENCH)
    assert tells(capsys.readouterr().out, "kit / by hand: AlexNet has too few blocks that ended well")
