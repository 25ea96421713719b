"""What git writes into a clone: the same bytes on every machine, whatever its settings for line endings are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BINARY = (".gz", ".pdf", ".png", ".xz")


@pytest.fixture(scope="module")
def tracked() -> dict[str, tuple[str, str]]:
    """Each tracked file's line endings in the index, and its attributes for them, as git tells both."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git clone, so that no file is tracked")
    done = subprocess.run(
        ["git", "ls-files", "--eol", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    found = {}
    for line in done.rstrip("\0").split("\0"):
        told, _, name = line.partition("\t")
        endings, _, attributes = told.split(maxsplit=2)
        found[name] = (endings.removeprefix("i/"), attributes.removeprefix("attr/").strip())
    return found


def test_text_has_line_feeds_in_every_clone(tracked: dict[str, tuple[str, str]]) -> None:
    """Sources, locks, records, pages: everything that is not binary."""
    text = {name: told for name, told in tracked.items() if not name.endswith(BINARY)}
    assert {"Makefile", "compose/settings.sh", "images/workload/job.py", "runner/locks/compare.txt"} <= set(text)
    assert [
        name for name, told in text.items() if told not in {("lf", "text=auto eol=lf"), ("none", "text=auto eol=lf")}
    ] == []


def test_binary_files_are_left_as_they_are(tracked: dict[str, tuple[str, str]]) -> None:
    """Archives and pictures can hold carriage returns as data."""
    binary = {name: attributes for name, (_, attributes) in tracked.items() if name.endswith(BINARY)}
    assert "results/sample/figure1.png" in binary
    assert [name for name, attributes in binary.items() if not attributes.startswith("-text")] == []
