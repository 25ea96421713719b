"""The whole command line over a fake engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from runner.catalogue.presets import Preset, find_preset
from runner.cli import main
from runner.planning.ladder_file import WHOLE
from tests.runner.cli.ladders import LADDER, SECONDS, with_openmp
from tests.runner.fake_engine import FakeEngine, only

Kit = Callable[..., int]
# Why a variant is left out, as a preset says it.
LEFT_OUT = "The preset quick leaves out stock-onednn."


@pytest.fixture
def engine() -> FakeEngine:
    """The engine that `kit` runs on; tests change its answers."""
    return FakeEngine()


@pytest.fixture
def kit(in_folder: Path, engine: FakeEngine) -> Kit:
    """Run a command line and return its exit code, also where argparse ends it."""

    def run(*arguments: str) -> int:
        try:
            return main(arguments, only(engine))
        except SystemExit as end:
            return int(end.code or 0)

    return run


@pytest.fixture
def small() -> Sequence[str]:
    """A comparison of two variants on two topologies in two blocks: eight launches."""
    return ("compare", "--topologies", "resnet50,vgg16", "--variants", "stock,intel", "--blocks", "2", "--out", "run")


@pytest.fixture
def ladder(in_folder: Path, engine: FakeEngine) -> list[str]:
    """The command line of a ladder of four rungs and a branch in two blocks, with speeds that multiply."""
    (in_folder / "mine.toml").write_text(LADDER)
    engine.seconds = {**SECONDS, f"{WHOLE}slow": 1.0, f"{WHOLE}top": 0.125}
    engine.before_result = with_openmp
    return ["ablate", "--ladder", "./mine.toml", "--blocks", "2", "--out", "run"]


@pytest.fixture
def quick_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preset quick with two variants alone, as a preset may be; no preset of the kit leaves one out."""

    def preset(name: str) -> Preset:
        found = find_preset(name)
        fewer = replace(found, variants=("stock", "intel"), left_out={"stock-onednn": LEFT_OUT})
        return fewer if name == "quick" else found

    monkeypatch.setattr("runner.session.planned.find_preset", preset)
