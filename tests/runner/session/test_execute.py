"""Which launches run together, and their files: a disk that cannot take them ends the run in one paragraph."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from runner.errors import DiskError
from runner.session.execute import launch_folders, living_together, make_folders, make_turns_folder
from runner.storage.runs import Run
from runner.vocabulary import TurnSize
from tests.runner.builders import plan

TURNS = TurnSize(bursts=2, burst_seconds=1.0)


@pytest.mark.parametrize("failing", ["pathlib.Path.mkdir", "runner.session.execute.write_whole"])
def test_a_full_disk_is_told_with_how_to_go_on(tmp_path: Path, failing: str) -> None:
    run = Run(tmp_path, {"run": "run"})
    full = mock.patch(failing, side_effect=OSError(28, "No space left on device"))
    with full, pytest.raises(DiskError, match=r"launches.*No space left on device.*--resume"):
        make_folders(run, plan().launches[0], session=1)


@pytest.mark.parametrize(
    ("turns", "members"), [(TURNS, 3), (TurnSize(2, 1.0, together=False), 1), (None, 1)], ids=["turns", "alone", "none"]
)
def test_the_launches_of_a_block_live_together_if_they_take_turns(turns: TurnSize | None, members: int) -> None:
    """All launches come, in their order; two blocks of two topologies never mix."""
    launches = plan(topologies=("resnet50", "vgg16"), variants=(), turns=turns).launches
    found = list(living_together(launches))
    assert [launch for block in found for launch in block] == list(launches)
    assert {len(block) for block in found} == {members}
    assert all(len({(launch.block, launch.cell.group) for launch in block}) == 1 for block in found)


def test_no_launch_is_asked_for_before_its_block_is_due() -> None:
    """What comes after a block may depend on it."""
    asked = iter(plan(turns=TURNS).launches)
    block = next(living_together(asked))
    assert next(asked).block == block[0].block + 1


def test_only_launches_that_live_together_share_a_folder_for_their_turns(tmp_path: Path) -> None:
    """One for each block of each group."""
    launches = plan(topologies=("resnet50", "vgg16"), turns=TURNS).launches
    folders = [launch_folders("run", tmp_path, launch).turns for launch in launches]
    assert len({folder for folder in folders if folder}) == 4
    assert folders[::2] == folders[1::2]
    alone = plan(turns=TurnSize(2, 1.0, together=False)).launches[0]
    assert launch_folders("run", tmp_path, alone).turns is None


def test_what_an_earlier_attempt_left_of_its_turns_is_removed(tmp_path: Path) -> None:
    """A token of a run that was killed would be taken for one of this."""
    folder = tmp_path / "turns" / "block1"
    make_turns_folder(folder)
    (folder / "member-0").write_text("5\n")
    make_turns_folder(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_for_turns_that_cannot_be_made_is_told_with_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "turns").write_text("a file")
    with pytest.raises(DiskError, match=r"take turns, cannot be made.*--resume"):
        make_turns_folder(tmp_path / "turns" / "block1")
