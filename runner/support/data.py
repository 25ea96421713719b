"""Reads the kit's TOML data files into tables with errors that name file and key. Knows no file's meaning."""

from __future__ import annotations

import sys
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
