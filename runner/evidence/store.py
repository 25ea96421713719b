"""Stores evidence: evidence.jsonl in a run's folder, appended and fsynced like records, and a cache for later runs.

It knows where evidence is kept, and not what it means.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.evidence.probed import SCHEMA_VERSION, Evidence, Subject
from runner.storage import json_lines
from runner.storage.json_lines import LineSchema
from runner.support.atomic import write_whole

FILE_NAME = "evidence.jsonl"
SCHEMA = LineSchema("evidence", SCHEMA_VERSION, "obtain it again with: python -m runner probe RUN")
_RULES = Path(__file__).resolve().parent


def append(folder: Path, evidence: Evidence) -> None:
    """Append one line and force it to disk.

    Raises:
        DiskError: the line could not be written.
    """
    json_lines.append(folder / FILE_NAME, evidence.to_json(), "The evidence", "try again.")


def read(folder: Path) -> dict[Subject, Evidence]:
    """Read a run's evidence: the latest line of each subject. Empty for a run that was never probed.

    Raises:
        RunFormatError: the file cannot be read, a line other than the last is damaged, or the schema is newer.
    """
    found = json_lines.read(folder / FILE_NAME, SCHEMA, Evidence.from_json)
    return {evidence.subject: evidence for evidence in found}


def key_of(**inputs: Any) -> str:
    """The key of a probe: a hash of everything that could change its evidence, and of the code that reads it."""
    content = json.dumps({**inputs, "rules": _rules_sha256()}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class EvidenceCache:
    """The evidence that earlier runs obtained on this host, one file for each key."""

    root: Path

    def find(self, key: str) -> Evidence | None:
        """The evidence under a key; None if there is none or it cannot be read."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return Evidence.from_json(json.loads((self.root / f"{key}.json").read_text(encoding="utf-8")))
        return None

    def keep(self, evidence: Evidence) -> None:
        """Keep evidence for later runs. A failure to write is ignored, because the run's folder has the evidence."""
        with suppress(OSError):
            self.root.mkdir(parents=True, exist_ok=True)
            write_whole(self.root / f"{evidence.key}.json", json.dumps(evidence.to_json(), indent=1) + "\n")


def _rules_sha256() -> str:
    digest = hashlib.sha256()
    for path in sorted([*_RULES.glob("*.py"), *_RULES.glob("*.toml")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
