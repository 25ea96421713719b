"""A wheel whose files were tampered with is not measured, by no command that measures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runner.catalogue.stacks import Installation, Stack
from runner.engines.protocol import Artifact, Notify
from tests.runner.fake_engine import FakeEngine
from tests.runner.told import tells

Kit = Callable[..., int]
LIBRARY = "/lib/python3.11/site-packages/intel-tensorflow/library.so"


@pytest.fixture
def tampered(engine: FakeEngine) -> None:
    """Inside of Intel's package another file lies, where the comparison of the two sides lets any differ."""
    engine.stray = {LIBRARY: "file 644 00"}


@pytest.fixture
def finished(in_folder: Path, finished_run: Callable[..., Path], small: Sequence[str]) -> None:
    """The run that `small` leaves, before anything was tampered with."""
    finished_run(*small)


@pytest.mark.usefixtures("tampered")
def test_a_comparison_is_refused_and_the_file_is_named(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3 before the first launch; `images diff` ends with 1 and names it too."""
    assert kit(*small) == 3
    assert engine.ran == []
    assert tells(capsys.readouterr().err, "intel", LIBRARY)
    assert kit("images", "diff", "tf-2.14", "--engine", "venv") == 1
    out = capsys.readouterr().out
    assert tells(out, "NOT AS LOCKED", LIBRARY)


@pytest.mark.usefixtures("finished", "tampered")
def test_a_repetition_is_refused_as_a_comparison_is(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repetition runs only on an installation that is what the lock says."""
    assert kit("repeat", "run", "--out", "again") == 3
    assert engine.ran == []
    assert tells(capsys.readouterr().err, LIBRARY)


@pytest.mark.usefixtures("finished")
def test_a_repetition_keeps_what_was_compared(kit: Kit) -> None:
    assert kit("repeat", "run", "--out", "again") == 0
    matched = [json.loads(Path(folder, "run.json").read_text())["matched"] for folder in ("run", "again")]
    assert matched[0] == matched[1]
    assert [each["files"] for each in matched[1]["tf-2.14"]["contents"]] == [1, 1]
    assert "hash-locked" in Path("again/report.md").read_text()


@pytest.mark.usefixtures("finished", "tampered")
def test_a_resumed_run_is_refused(kit: Kit, engine: FakeEngine) -> None:
    """The launches of one run are of one installation."""
    lines = Path("run/records.jsonl").read_text().splitlines(keepends=True)
    Path("run/records.jsonl").write_text("".join(lines[:-1]))
    assert kit("compare", "--resume", "run") == 3
    assert engine.ran == []


def test_forged_byte_code_is_refused(
    kit: Kit, small: Sequence[str], engine: FakeEngine, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The engine's finding counts as a fault of the installation."""

    def one(_engine: FakeEngine, _artifact: Artifact) -> tuple[str, ...]:
        return ("/opt/environment/x.pyc",)

    monkeypatch.setattr(FakeEngine, "wrong_bytecode", one)
    assert kit(*small) == 3
    assert tells(capsys.readouterr().err, "/opt/environment/x.pyc")


def test_an_image_of_a_lock_that_this_kit_has_not_is_not_held_against_another(
    kit: Kit, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An earlier version's run is repeated in its own images. The output says that they were not checked."""
    make = FakeEngine.prepare

    def of_before(engine: FakeEngine, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        made = make(engine, stack, installation, notify)
        return Artifact(made.installation, made.location, {**made.provenance, "lock_sha256": "00" * 32})

    monkeypatch.setattr(FakeEngine, "prepare", of_before)
    assert kit("images", "diff", "tf-2.14", "--engine", "venv") == 0
    assert "not compared with its lock" in capsys.readouterr().out
