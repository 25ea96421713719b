"""A run that finds less memory free than its plan was made for is refused before anything is measured."""

from __future__ import annotations

import pytest

from runner.errors import HostError
from runner.planning.memory import GB, free_bytes_needed
from runner.session.room_together import peaks_of, require_room_for, require_room_together
from runner.vocabulary import TurnSize
from tests.runner.builders import plan, record

LAUNCHES = plan(topologies=("resnet50", "vgg16"), turns=TurnSize(2, 1.0)).launches
NEEDED = free_bytes_needed("vgg16", 4, 2)


def free(monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    monkeypatch.setattr("runner.session.room_together.memory_of", lambda _machine: size)


def test_the_largest_block_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, NEEDED)
    require_room_together(LAUNCHES)
    free(monkeypatch, NEEDED - GB)
    with pytest.raises(HostError, match=r"vgg16 at batch size 4 .* need 11 GB .*--in-sequence"):
        require_room_together(LAUNCHES)


def test_launches_that_follow_one_another_and_unknown_memory_are_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 1)
    require_room_together(plan(turns=TurnSize(2, 1.0, together=False)).launches)
    free(monkeypatch, None)
    require_room_together(LAUNCHES)


def test_what_a_block_needed_before_must_be_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of cells that have not run yet nothing is known, and a launch alone is never refused."""
    block = [launch for launch in LAUNCHES if launch.block == 2 and launch.cell.topology == "resnet50"]
    peaks = peaks_of(record(launch.cell.variant) for launch in block)
    assert list(peaks.values()) == [GB, GB]
    free(monkeypatch, 2 * GB)
    require_room_for(block, peaks)
    free(monkeypatch, 2 * GB - 1)
    with pytest.raises(HostError, match=r"needed 2\.0 GB together .* go on with --resume"):
        require_room_for(block, peaks)
    require_room_for(block, {block[0].cell: GB})
    require_room_for(block[:1], peaks)
