"""Keeps evidence: evidence.jsonl in a run's folder, appended and fsynced like records, and a cache between runs.

Knows where lines lie, not what they say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import DiskError, RunFormatError
from runner.evidence.probed import SCHEMA_VERSION, Evidence, Subject
from runner.support.atomic import append_line, whole_lines, write_whole

FILE_NAME = "evidence.jsonl"
_RULES = Path(__file__).resolve().parent


def append(folder: Path, evidence: Evidence) -> None:
    """Add one line and force it to disk; a torn last line that a crash left is cut off first.

    Raises:
        DiskError: the line could not be written.
    """
    path = folder / FILE_NAME
    try:
        append_line(path, json.dumps(evidence.to_json(), sort_keys=True, allow_nan=False) + "\n")
    except OSError as error:
        raise DiskError(f"The evidence could not be written to {path}: {error}. Make room, then try again.") from error


def read(folder: Path) -> dict[Subject, Evidence]:
    """Read a run's evidence: for each subject its latest line. Empty for a run that was never probed.

    Raises:
        RunFormatError: the file cannot be read, a line other than the last is damaged, or the schema is newer.
    """
    path = folder / FILE_NAME
    try:
        lines = whole_lines(path)
    except OSError as error:
        raise RunFormatError(f"Cannot read the evidence in {path}: {error}.") from error
    found = [_parse(line, f"{path}, line {number},") for number, line in enumerate(lines, start=1)]
    return {evidence.subject: evidence for evidence in found}


def key_of(**inputs: Any) -> str:
    """Identify a probe by everything that could change what it shows, and by the code that reads it."""
    content = json.dumps({**inputs, "rules": _rules_sha256()}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class EvidenceCache:
    """What was obtained on this host before, one file for each key."""

    root: Path

    def find(self, key: str) -> Evidence | None:
        """The evidence under a key; None if there is none, or it cannot be read."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return Evidence.from_json(json.loads((self.root / f"{key}.json").read_text(encoding="utf-8")))
        return None

    def keep(self, evidence: Evidence) -> None:
        """Keep evidence for later runs. It is in the run's folder already, so that a full disk here loses nothing."""
        with suppress(OSError):
            self.root.mkdir(parents=True, exist_ok=True)
            write_whole(self.root / f"{evidence.key}.json", json.dumps(evidence.to_json(), indent=1) + "\n")


def _parse(line: bytes, where: str) -> Evidence:
    try:
        data: Mapping[str, Any] = json.loads(line)
        version = data["schema_version"]
        if version > SCHEMA_VERSION:
            raise RunFormatError(f"{where} has schema_version {version}; this kit reads up to {SCHEMA_VERSION}. "
                                 "Update the kit, then try again.")  # fmt: skip
        return Evidence.from_json(data)
    except (ValueError, KeyError, TypeError) as error:
        raise RunFormatError(
            f"{where} is no evidence of this kit ({error!r}). Take that line out and obtain it again with: "
            "python -m runner probe RUN"
        ) from error


def _rules_sha256() -> str:
    digest = hashlib.sha256()
    for path in sorted([*_RULES.glob("*.py"), *_RULES.glob("*.toml")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
