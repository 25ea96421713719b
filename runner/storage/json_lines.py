"""Files of JSON lines: each line is one object with the version of its schema, appended and forced to disk.

A crash leaves at most the last line incomplete. Readers ignore such a line, and the next append cuts it off. Knows no
field except `schema_version`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from runner.errors import DiskError, RunFormatError
from runner.support.atomic import append_line, whole_lines

Item = TypeVar("Item")
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class LineSchema:
    """What is particular to one kind of file.

    `content` is what messages call the lines. `newest` is the schema version that is written, and the highest that is
    read. `upgrades` has for each older version N the function that turns an object of version N into one of N + 1.
    `again` completes the sentence "Take that line out, and ..." for a damaged line.
    """

    content: str
    newest: int
    again: str
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)


def append(path: Path, data: Mapping[str, Any], what: str, go_on: str) -> None:
    """Add one object as a line and force it to disk, so that nothing finished is lost when the power goes.

    `what` and `go_on` are for the message: what could not be written, and how to go on once there is room.

    Raises:
        DiskError: the line could not be written; earlier lines are complete.
    """
    try:
        append_line(path, json.dumps(data, sort_keys=True, allow_nan=False) + "\n")
    except OSError as error:
        raise DiskError(
            f"{what} could not be written to {path}: {error}. Earlier lines are complete. Make room on that "
            f"filesystem, then {go_on}"
        ) from error


def read(path: Path, schema: LineSchema, parse: Callable[[dict[str, Any]], Item]) -> list[Item]:
    """Read every complete line, upgraded to the newest schema and parsed; an empty list if there is no file.

    `parse` may raise KeyError, TypeError or ValueError for an object that is not of the schema.

    Raises:
        RunFormatError: the file cannot be read, a line other than the last is damaged, or its schema is newer. The
            message names the file and the line.
    """
    try:
        lines = whole_lines(path)
    except OSError as error:
        raise RunFormatError(f"Cannot read the {schema.content} in {path}: {error}.") from error
    return [_parsed(line, f"{path}, line {number},", schema, parse) for number, line in enumerate(lines, start=1)]


def upgraded(data: dict[str, Any], where: str, schema: LineSchema) -> dict[str, Any]:
    """Bring a line's object to the newest schema, version by version.

    Raises:
        RunFormatError: its schema is newer than this version of the kit reads, or it names none.
    """
    version = data.get("schema_version")
    if not isinstance(version, int) or version < 1:
        raise RunFormatError(f"{where} has no schema_version: this kit did not write it, or it is damaged.")
    if version > schema.newest:
        raise RunFormatError(
            f"{where} has schema_version {version}; this kit reads up to {schema.newest}. "
            "The run was made by a newer version of the kit: update the kit, then try again."
        )
    while version < schema.newest:
        data = schema.upgrades[version](data)
        version += 1
        data["schema_version"] = version
    return data


def _parsed(line: bytes, where: str, schema: LineSchema, parse: Callable[[dict[str, Any]], Item]) -> Item:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise RunFormatError(
            f"{where} is not JSON ({error}). Only the last line may be incomplete. Restore the file, or take "
            f"that line out, and {schema.again}"
        ) from error
    if not isinstance(data, dict):
        raise RunFormatError(f"{where} is not a JSON object. Restore the file, or take that line out, and "
                             f"{schema.again}")  # fmt: skip
    data = upgraded(data, where, schema)
    try:
        return parse(data)
    except (KeyError, TypeError, ValueError) as error:
        raise RunFormatError(
            f"{where} is not of schema_version {schema.newest} ({error!r}). Restore the file, or take that line out, "
            f"and {schema.again}"
        ) from error
