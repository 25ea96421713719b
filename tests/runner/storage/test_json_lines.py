"""A file of JSON lines: appended, torn, damaged, upgraded, refused. What its lines hold is of no matter here."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from runner.errors import DiskError, RunFormatError
from runner.storage import json_lines
from runner.storage.json_lines import LineSchema

SCHEMA = LineSchema("lines", 1, "count again.")


def append(path: Path, number: int) -> None:
    """Add a line."""
    json_lines.append(path, {"schema_version": 1, "number": number}, f"Number {number}", "count again.")


def numbers(path: Path, schema: LineSchema = SCHEMA) -> list[int]:
    """What the lines hold."""
    return json_lines.read(path, schema, lambda data: int(data["number"]))


def test_lines_come_back_in_order_and_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    """A run that measured nothing has no file."""
    path = tmp_path / "lines.jsonl"
    assert numbers(path) == []
    for number in (1, 2, 3):
        append(path, number)
    assert numbers(path) == [1, 2, 3]
    assert path.read_text().splitlines()[0] == '{"number": 1, "schema_version": 1}'


@pytest.mark.parametrize("cut", [1, 20])
def test_a_torn_last_line_is_passed_over_and_cut_off_by_the_next_append(tmp_path: Path, cut: int) -> None:
    """A crash in the middle of a write costs that line alone."""
    path = tmp_path / "lines.jsonl"
    append(path, 1)
    append(path, 2)
    os.truncate(path, path.stat().st_size - cut)
    assert numbers(path) == [1]
    append(path, 3)
    assert numbers(path) == [1, 3]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("not JSON", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"number": 1}', "has no schema_version"),
        ('{"schema_version": "1", "number": 1}', "has no schema_version"),
        ('{"schema_version": 2, "number": 1}', "has schema_version 2; this kit reads up to 1"),
        ('{"schema_version": 1}', "is not of schema_version 1"),
        ('{"schema_version": 1, "number": "many"}', "is not of schema_version 1"),
    ],
)
def test_a_damaged_line_is_an_error_that_names_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    """Only the last line can be torn by a crash; anything else is damage that must not be hidden."""
    path = tmp_path / "lines.jsonl"
    append(path, 1)
    path.write_text(f"{path.read_text()}{line}\n{path.read_text()}")
    with pytest.raises(RunFormatError, match=rf"lines\.jsonl, line 2, {told}"):
        numbers(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With what was to be read in it."""
    (tmp_path / "lines.jsonl").mkdir()
    with pytest.raises(RunFormatError, match="Cannot read the lines in"):
        numbers(tmp_path / "lines.jsonl")


def test_an_older_schema_is_upgraded_version_by_version(tmp_path: Path) -> None:
    """Each upgrade brings a line one version on, in order."""

    def double(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "number": data["number"] * 2}

    def add_one(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "number": data["number"] + 1}

    path = tmp_path / "lines.jsonl"
    append(path, 5)
    assert numbers(path, LineSchema("lines", 3, "count again.", {1: double, 2: add_one})) == [11]


def test_a_full_disk_keeps_earlier_lines_and_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When fsync fails, the file is put back to whole lines."""
    path = tmp_path / "lines.jsonl"
    append(path, 1)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match=r"^Number 2 could not be written.*No space left.*then count again\."):
        append(path, 2)
    assert numbers(path) == [1]
