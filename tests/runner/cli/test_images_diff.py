"""`images diff`, and that `compare` refuses a pair that is not matched."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from runner.catalogue.stacks import find_stack
from runner.cli import main
from runner.engines.protocol import Artifact
from runner.matching.snapshot import Snapshot
from tests.runner.fake_engine import FakeEngine, only

COMPARE = ["compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run"]


class Unmatched(FakeEngine):
    """An engine on which the Intel side has a file more."""

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """The fake's own, with a further file on one side."""
        self.stray = {"/etc/extra": "file 644 cc"} if artifact.installation.name == "intel" else {}
        return super().snapshot(artifact)


def test_a_matched_pair_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "diff", "tf-1.12,tf-2.14", "--engine", "venv"], only(FakeEngine())) == 0
    out = capsys.readouterr().out
    assert out.count("matched: nothing else differs") == 2
    assert "what is compared" in out


def test_an_unmatched_pair_is_listed_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "diff", "tf-2.14", "--engine", "venv", "--json"], only(Unmatched())) == 1
    found = json.loads(capsys.readouterr().out)
    assert found[0]["strays"] == [{"path": "/etc/extra", "what": "only in intel"}]


class WrongWheel(FakeEngine):
    """An engine whose stock side has Intel's wheel."""

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Intel's, on both sides."""
        intel = find_stack(artifact.installation.stack).installations["intel"]
        return super().snapshot(dataclasses.replace(artifact, installation=intel))


def test_a_wrong_wheel_is_named_and_not_measured(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "diff", "tf-2.14", "--engine", "venv"], only(WrongWheel())) == 1
    assert "WRONG WHEEL: stock has intel-tensorflow==2.14.0" in capsys.readouterr().out
    engine = WrongWheel()
    assert main(COMPARE, only(engine)) == 3
    assert engine.ran == []
    assert "stock has intel-tensorflow==2.14.0 where tensorflow-cpu==2.14.0 should be" in capsys.readouterr().err


def test_compare_does_not_measure_an_unmatched_pair(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Unmatched()
    assert main(COMPARE, only(engine)) == 3
    assert engine.ran == []
    assert "images diff tf-2.14" in capsys.readouterr().err


def test_a_report_says_what_was_compared(in_folder: Path) -> None:
    assert main(COMPARE, only(FakeEngine())) == 0
    assert json.loads(Path("run/run.json").read_text())["matched"]["tf-2.14"]["matched"] is True
    assert "Matched, file by file" in Path("run/report.md").read_text()
