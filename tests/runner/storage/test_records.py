"""Records: appended, fsynced, torn, upgraded, refused."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from runner.errors import DiskError, RunFormatError
from runner.storage import records
from runner.storage.launch_result import launch_result
from tests.runner.builders import record


def test_what_is_appended_is_read_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    written = [record("stock", 1), record("intel", 1), record("stock", 2, error={"kind": "failed", "message": "why"})]
    for each in written:
        records.append(path, each)
    assert records.read(path) == written


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_torn_last_line_is_passed_over_and_cut_off_by_the_next_append(tmp_path: Path, cut: int) -> None:
    """A crash in the middle of a write costs that record alone."""
    path = tmp_path / "records.jsonl"
    first, second, third = record("stock", 1), record("intel", 1), record("stock", 2)
    records.append(path, first)
    records.append(path, second)
    os.truncate(path, path.stat().st_size - cut)
    assert records.read(path) == [first]
    records.append(path, third)
    assert records.read(path) == [first, third]


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Only the last line can be torn by a crash; anything else is damage that must not be hidden."""
    path = tmp_path / "records.jsonl"
    for block in (1, 2, 3):
        records.append(path, record("stock", block))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1][:50] + "\n" + lines[2])
    with pytest.raises(RunFormatError, match="line 2"):
        records.read(path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    data = record().to_json() | {"schema_version": records.SCHEMA_VERSION + 1}
    path.write_text(json.dumps(data) + "\n")
    with pytest.raises(RunFormatError, match="newer version of the kit"):
        records.read(path)


def test_every_older_version_has_its_upgrade() -> None:
    assert sorted(records.UPGRADES) == list(range(1, records.SCHEMA_VERSION))


def test_a_full_disk_keeps_earlier_records_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When fsync fails, the file is put back to whole records and the message names --resume."""
    path = tmp_path / "records.jsonl"
    records.append(path, record("stock", 1))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match="--resume"):
        records.append(path, record("intel", 1))
    assert records.read(path) == [record("stock", 1)]


def test_a_success_counts_over_a_failure_and_the_first_success_over_later_ones() -> None:
    """A repeated launch replaces its failure, and nothing replaces a success."""
    failed, good, late = record(error={"kind": "failed", "message": ""}), record(), record(session=2)
    assert records.latest([failed, good, late]) == {good.launch_id: good}


def test_a_block_counts_from_the_session_that_has_the_most_of_it() -> None:
    """Of three variants the first session has two, which are never mixed with the third's; its later whole is taken."""
    first = [record("stock"), record("stock-onednn"), record("intel", error={"kind": "failed", "message": ""})]
    half = [record("intel", session=2)]
    assert {each.session for each in records.latest([*first, *half]).values()} == {1, 2}
    whole = [record(variant, session=3) for variant in ("stock", "stock-onednn", "intel")]
    assert list(records.latest([*first, *half, *whole]).values()) == whole
    interrupted = [record("stock", session=4)]
    assert list(records.latest([*first, *half, *whole, *interrupted]).values()) == whole


def test_other_blocks_and_groups_keep_their_session() -> None:
    """The choice is made for each block of each group."""
    kept = [record("stock", 1), record("intel", 1), record("stock", 2, topology="vgg16")]
    again = [record("stock", 2, session=2), record("intel", 2, session=2)]
    assert list(records.latest([*kept, *again]).values()) == [*kept, *again]


def test_a_rung_that_is_not_run_again_does_not_keep_an_older_half() -> None:
    """The first session has a rung that proved inert; the second need not have it to be the more complete."""
    old = [record("stock"), record("inert-rung")]
    new = [record("stock", session=2), record("top", session=2)]
    assert records.latest([*old, *new])["block1-tf-2.14-stock-resnet50-b4"].session == 1
    inert = {record("inert-rung").cell}
    assert records.latest([*old, *new], inert)["block1-tf-2.14-stock-resnet50-b4"].session == 2


def test_a_record_of_version_1_is_one_of_a_launch_without_turns(tmp_path: Path) -> None:
    """Its steps have no time at which they began, and nothing else of it changes."""
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(record().to_json() | {"schema_version": 1}) + "\n")
    (found,) = records.read(path)
    assert found == record()
    assert found.to_json()["schema_version"] == 2
    assert "turns" not in found.conditions
    result = launch_result(found.result or {}, found.launch_id)
    assert result.bursts == ()
    assert [(step.seconds, step.began, step.turn) for step in result.steps] == [
        (seconds, None, None) for seconds in (9.0, 1.0, 1.0)
    ]
