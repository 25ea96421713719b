"""Free disk is checked once, for everything that a command will write, before anything is made or fetched."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from runner.catalogue.stacks import every_installation, find_stack
from runner.cli import main
from runner.engines.docker import DockerEngine
from runner.engines.docker_images import ImageSource
from runner.engines.docker_sdk import Docker
from runner.engines.docker_sdk.engine_info import EngineInfo
from runner.session.prepared import RUN_BYTES
from tests.runner.cli.conftest import Kit
from tests.runner.fake_engine import FakeEngine, only

COMPARE = ("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run")
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "compare": COMPARE,
    "ablate": ("ablate", "--topologies", "alexnet", "--blocks", "2", "--out", "run"),
    "probe": ("probe", "--topologies", "alexnet", "--out", "run"),
    "bench": ("bench", "--topologies", "alexnet"),
    "build": ("build",),
    "images diff": ("images", "diff", "tf-2.14"),
}


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with room for an environment, or for a run, and not for both."""
    monkeypatch.setattr("runner.support.disk.free_bytes", lambda _path: RUN_BYTES + 1_000)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("command", list(COMMANDS))
def test_what_is_made_and_what_is_measured_must_fit_together(
    in_folder: Path, engine: FakeEngine, kit: Kit, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sum does not fit: nothing is prepared, run or left behind, and the message says what would be written."""
    engine.needs = {in_folder / "cache": RUN_BYTES + 1_001 if command in ("build", "images diff") else 1_001}
    assert kit(*COMMANDS[command]) == 3
    error = capsys.readouterr().err
    assert "Too little disk" in error
    assert str(in_folder / "cache") in error
    assert (engine.prepared, engine.ran) == (0, [])
    assert not Path("run").exists()


@pytest.mark.usefixtures("full")
def test_the_same_fits_one_byte_earlier(in_folder: Path, engine: FakeEngine, kit: Kit) -> None:
    """The check refuses what does not fit, and nothing else."""
    engine.needs = {in_folder / "cache": 1_000}
    assert kit(*COMPARE) == 0


def test_only_what_the_launches_need_must_fit(engine: FakeEngine, kit: Kit) -> None:
    """Two variants of one installation do not ask for the other one's room; `build` makes both."""
    assert kit(*COMPARE, "--variants", "stock,stock-onednn") == 0
    assert engine.wanted == [("tf-2.14", "stock")]
    assert kit("build") == 0
    assert engine.wanted == [("tf-2.14", "stock"), ("tf-2.14", "intel")]


def test_resuming_needs_room_too(engine: FakeEngine, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has filled up since is told before anything runs, and the run goes on with the broken block whole."""
    assert kit(*COMPARE) == 0
    records = Path("run/records.jsonl")
    records.write_text("".join(records.read_text().splitlines(keepends=True)[:-1]))
    ran = len(engine.ran)
    monkeypatch.setattr("runner.support.disk.free_bytes", lambda _path: RUN_BYTES - 1)
    assert kit("compare", "--resume", "run") == 3
    assert len(engine.ran) == ran
    monkeypatch.setattr("runner.support.disk.free_bytes", lambda _path: RUN_BYTES)
    assert kit("compare", "--resume", "run") == 0
    assert len(engine.ran) == ran + 3


def test_doctor_asks_for_what_the_chosen_engine_still_has_to_write(
    in_folder: Path, engine: FakeEngine, kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host where everything is ready needs room for a run only; one that must still build needs that too."""
    kit("doctor")
    assert "0.2 GB needed" in " ".join(capsys.readouterr().out.split())
    engine.needs = {in_folder / "cache": 10**15}
    assert kit("doctor") == 3
    assert "1000000.2 GB needed" in " ".join(capsys.readouterr().out.split())


def test_doctor_looks_at_the_stack_that_is_named(in_folder: Path) -> None:
    """The interpreter or the base of an older stack is another one."""
    asked: list[str] = []

    class Listening(FakeEngine):
        def prerequisites(self, stacks: tuple[Any, ...]) -> None:
            asked.extend(stack.name for stack in stacks)

    main(["doctor", "--stack", "tf-1.12,tf-1.15"], only(Listening()))
    assert asked == ["tf-1.12", "tf-1.15"]


class Images:
    """An image source that has some images."""

    def __init__(self, *here: str) -> None:
        self._here = here

    def find(self, stack: Any, installation: Any) -> object | None:
        """An image, or None."""
        return argparse.Namespace() if installation.name in self._here else None


class Connection:
    """Knows where the engine keeps its images."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def info(self) -> EngineInfo:
        """As the engine tells it."""
        return EngineInfo(root_folder=self._root)


@pytest.mark.parametrize(("here", "images"), [((), 2), (("stock",), 1), (("stock", "intel"), 0)])
def test_docker_needs_room_in_its_own_folder_for_each_image_that_it_lacks(
    tmp_path: Path, here: tuple[str, ...], images: int
) -> None:
    """An image under the same tag that is not the wanted one counts as missing: it is built anew."""
    stack = find_stack("tf-2.14")
    made = DockerEngine(cast(Docker, Connection(tmp_path)), cast(ImageSource, Images(*here)))
    assert made.room(every_installation((stack,))) == {tmp_path: images * stack.disk.image_bytes}


def test_a_docker_folder_that_is_not_ours_to_see_is_not_judged(tmp_path: Path) -> None:
    """An engine in a virtual machine has its disk there."""
    made = DockerEngine(cast(Docker, Connection(tmp_path / "elsewhere")), cast(ImageSource, Images()))
    assert made.room(every_installation((find_stack("tf-2.14"),))) == {}
