"""What the documents say must be so: every command in them parses, every path exists, every make target is there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from runner.cli.parser import build_parser

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "images/README.md", "results/README.md")]


def commands() -> list[str]:
    """Every `python -m runner ...` in the documents, without what explains it."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        found += re.findall(r"^    python -m runner (.+?)(?: {3,}.*)?$", text, re.MULTILINE)
        found += re.findall(r"`python -m runner ([^`]+)`", text)
    return sorted(set(found))


@pytest.mark.parametrize("command", commands())
def test_every_documented_command_parses(command: str) -> None:
    build_parser().parse_args(shlex.split(command))


def test_every_command_of_the_kit_is_documented() -> None:
    """A command that nobody can read about is not there."""
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    subcommands = re.findall(r"^    ([a-z]+)(?: |$)", build_parser().format_help(), re.MULTILINE)
    assert "compare" in subcommands
    assert [name for name in subcommands if f"runner {name}" not in text and f"make {name}" not in text] == []


def test_every_make_target_of_the_documents_exists() -> None:
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z]+)", text, re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readmes_network_is_the_one_that_the_tests_train() -> None:
    """The example that people copy is a file that has been trained."""
    example = (ROOT / "tests" / "data" / "my_net.py").read_text(encoding="utf-8")
    shown = "".join(f"    {line}" if line.strip() else line for line in example.splitlines(keepends=True))
    assert shown in (ROOT / "README.md").read_text(encoding="utf-8")


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("compare", "test", "lint", "bench", "locks", "clean"):
        assert f"make {target}" in listed
