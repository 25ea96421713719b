"""The command `probe` on a fake engine: by itself, and on a run that lacks evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runner.evidence import store
from runner.evidence.probed import Subject
from runner.evidence.verdicts import INERT
from runner.host.pin import Pin
from tests.runner.fake_engine import FakeEngine
from tests.runner.fake_results import make_log

Kit = Callable[..., int]
SUBJECTS = {
    Subject("tf-2.14", variant, topology) for variant in ("stock", "intel") for topology in ("resnet50", "vgg16")
}
PLAIN = Subject("tf-2.14", "plain-install", "resnet50")
TWO_CORES = Pin(cores=((0,), (1,)), mems=(0,), nodes=1, sockets=1)


def test_probe_by_itself_leaves_evidence_and_no_run(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every variant of the stack on the named topology, printed with verdicts and primitives."""
    assert kit("probe", "--topologies", "alexnet", "--out", "evidence") == 0
    found = store.read(Path("evidence"))
    assert {subject.variant for subject in found} == {"stock", "stock-onednn", "intel", "plain-install"}
    assert engine.ran == []
    assert not Path("evidence/run.json").exists()
    out = capsys.readouterr().out
    assert "jit:avx512_core" in out
    assert all(verdict.text in out for evidence in found.values() for verdict in evidence.verdicts)
    assert any(verdict.id.startswith(INERT) for verdict in found[Subject("tf-2.14", "stock", "alexnet")].verdicts)


def test_probe_of_chosen_variants_and_batch_size(kit: Kit, engine: FakeEngine) -> None:
    """One variant alone can be probed, at any batch size; an unknown one is refused."""
    assert kit("probe", "--variants", "intel", "--topologies", "alexnet", "--batch-size", "8", "--out", "one") == 0
    assert engine.probed == ["probe-tf-2.14-intel-alexnet-b8"]
    assert kit("probe", "--variants", "intle", "--topologies", "alexnet", "--out", "two") == 2


def test_probe_of_a_run_completes_it_and_redraws_its_report(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """A run that was begun without probes gets its evidence afterwards; a second time there is nothing to do."""
    kit(*small, "--no-probe")
    assert kit("probe", "run") == 0
    assert set(store.read(Path("run"))) == {*SUBJECTS, PLAIN}
    text = Path("run/report.md").read_text()
    assert "passed" in text
    assert "not probed" not in text
    engine.probed = []
    assert kit("probe", "run") == 0
    assert engine.probed == []


def test_probe_exits_with_1_where_a_verdict_fails(kit: Kit, engine: FakeEngine) -> None:
    engine.logs["stock"] = make_log("stock-onednn", TWO_CORES)
    assert kit("probe", "--topologies", "alexnet", "--out", "evidence") == 1


def test_probe_does_not_write_into_a_run_by_itself(kit: Kit, small: Sequence[str]) -> None:
    kit(*small)
    assert kit("probe", "--topologies", "alexnet", "--out", "run") == 2
