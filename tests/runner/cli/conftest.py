"""The whole command line over a fake engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runner.cli import main
from runner.planning.ladder_file import WHOLE
from tests.runner.cli.ladders import LADDER, SECONDS, with_openmp
from tests.runner.fake_engine import FakeEngine, only

Kit = Callable[..., int]
# Why a variant is left out, as a preset says it.


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
