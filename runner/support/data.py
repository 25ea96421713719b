"""Reads the kit's TOML data files into tables with errors that name file and key. Knows no file's meaning."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from runner.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path, schema_version: int) -> dict[str, Any]:
    """Read a TOML file whose `schema_version` this kit knows.

    Raises:
        UsageError: the file cannot be read, is not TOML, or is of another schema version.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Cannot read {path}: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    found = data.pop("schema_version", None)
    if found != schema_version:
        raise UsageError(f"{path} has schema_version {found!r}; this version of the kit reads {schema_version}.")
    return data


def check_keys(where: str, table: Mapping[str, Any], required: Collection[str], optional: Collection[str] = ()) -> None:
    """Check that a table has all required keys and none that nobody reads.

    Raises:
        UsageError: a key is missing or unknown; the message names the place and the key.
    """
    missing = [key for key in required if key not in table]
    if missing:
        raise UsageError(f"{where} lacks {', '.join(missing)}.")
    unknown = [key for key in table if key not in required and key not in optional]
    if unknown:
        known = ", ".join([*required, *optional])
        raise UsageError(f"{where} has the unknown key {', '.join(unknown)}. Known keys: {known}.")


def check_texts(where: str, table: Mapping[str, Any], keys: Collection[str]) -> None:
    """Check that the values of these keys, where they are given, are texts.

    Raises:
        UsageError: one is not; the message names the place, the key and the value.
    """
    for key in keys:
        if key in table and not isinstance(table[key], str):
            raise UsageError(f"{where}: {key} is {table[key]!r}; a text in quotation marks was expected.")


def check_list(where: str, table: Mapping[str, Any], key: str, kind: type, expected: str) -> None:
    """Check that a key holds a list of values of one kind, which `expected` describes.

    Raises:
        UsageError: it does not; the message names the place, the key and the value.
    """
    value = table[key]
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise UsageError(f"{where}: {key} is {value!r}; {expected} was expected.")
