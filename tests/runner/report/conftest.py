"""Runs that several tests of the report draw."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

OLDER_RUN = Path(__file__).resolve().parents[2] / "data" / "run_without_turns"


@pytest.fixture
def older_run(tmp_path: Path) -> Path:
    """A run from before launches took turns: run.json and what it is drawn from; nothing that is drawn."""
    folder = tmp_path / "sample"
    folder.mkdir()
    for name in ("run.json", "records.jsonl", "evidence.jsonl", "peaks.jsonl"):
        shutil.copy(OLDER_RUN / name, folder)
    return folder
