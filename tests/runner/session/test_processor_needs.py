"""Variants that need an instruction set: left out where the processor lacks it, and never called the same training."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main, repeat
from runner.machine import Machine
from runner.report.measured import measured
from runner.session import planned
from runner.session.this_host import machine_below
from runner.stats.results import Role
from runner.storage import runs
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only
from tests.runner.told import tells

COMPARE = ("compare", "--stack", "tf-2.21", "--topologies", "resnet50", "--blocks", "2", "--out", "run", "--no-peak")
OnHost = Callable[..., None]


@pytest.fixture
def on_host(monkeypatch: pytest.MonkeyPatch) -> OnHost:
    """Give this host's processor exactly these instruction sets."""

    def with_isa(*isa: str) -> None:
        def with_these(root: Path) -> Machine:
            machine = machine_below(root)
            return replace(machine, processor=replace(machine.processor, isa=isa))

        for module in (planned, repeat):
            monkeypatch.setattr(module, "machine_below", with_these)

    return with_isa


def rows() -> dict[str, dict[str, str]]:
    """The rows of speedups.csv by the pair."""
    with Path("run/speedups.csv").open(encoding="utf-8", newline="") as file:
        return {f"{row['candidate']} / {row['baseline']}": row for row in csv.DictReader(file)}


def test_a_variant_that_the_processor_cannot_run_is_left_out_with_the_reason(
    in_folder: Path, on_host: OnHost, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan, the run's notes and its report say so; nothing of it is launched."""
    on_host("avx", "avx2")
    assert main(["plan", *COMPARE[1:7]], only(FakeEngine())) == 0
    sentence = "arithmetic in bf16 (stock-bf16) is left out, because this processor has none of avx512_bf16, amx_bf16"
    assert tells(capsys.readouterr().out, sentence)
    assert main(COMPARE, only(FakeEngine())) == 0
    assert set(rows()) == {"stock-onednn / stock"}
    assert tells(Path("run/report.md").read_text(), sentence)
    assert "stock-bf16" not in runs.load(Path("run")).about.stacks["tf-2.21"].variants


def test_a_run_of_nothing_but_what_the_processor_lacks_is_refused(
    in_folder: Path, on_host: OnHost, capsys: pytest.CaptureFixture[str]
) -> None:
    on_host("avx", "avx2")
    assert main([*COMPARE, "--variants", "stock,stock-bf16"], only(FakeEngine())) == 2
    assert tells(capsys.readouterr().err, "this host cannot run stock-bf16: this processor has none of avx512_bf16")
    assert main([*COMPARE, "--variants", "stock,stock-onednn,stock-bf16"], only(FakeEngine())) == 0


def test_a_probe_of_what_the_processor_lacks_says_why(
    in_folder: Path, on_host: OnHost, capsys: pytest.CaptureFixture[str]
) -> None:
    on_host("avx", "avx2")
    assert main(["probe", "--stack", "tf-2.21", "--variants", "stock-bf16"], only(FakeEngine())) == 2
    assert tells(capsys.readouterr().err, "stock-bf16 of tf-2.21 cannot be probed on this host", "avx512_bf16")


def test_a_run_that_had_it_is_not_repeated_where_the_processor_lacks_it(
    in_folder: Path, on_host: OnHost, capsys: pytest.CaptureFixture[str]
) -> None:
    """The launches would compute in float32 and be called bf16."""
    on_host("avx", "avx2", "avx512_bf16")
    assert main(COMPARE, only(FakeEngine())) == 0
    on_host("avx", "avx2")
    assert main(["repeat", "run", "--out", "again"], only(FakeEngine())) == 2
    assert tells(capsys.readouterr().err, "stock-bf16 of tf-2.21 cannot be repeated on this host")


def _as_bf16_does(launch: Launch, result: dict[str, Any]) -> None:
    """Round as bf16 does, which has 8 bits."""
    if launch.cell.variant == "stock-bf16":
        for entry in result["fingerprint"]:
            entry[3] *= 1 + 2**-7


def test_a_pair_of_other_arithmetic_is_shown_and_enters_no_verdict(in_folder: Path, on_host: OnHost) -> None:
    """Its first step differs, which is no fault: the difference is told, and nothing is called the same training."""
    on_host("avx", "avx2", "amx_bf16")
    engine = FakeEngine()
    engine.before_probe = engine.before_trace = _as_bf16_does
    assert main(COMPARE, only(engine)) == 0
    found = rows()
    assert {pair: row["status"] for pair, row in found.items()} == {
        "stock-onednn / stock": "ok",
        "stock-bf16 / stock": "other_arithmetic",
        "stock-bf16 / stock-onednn": "other_arithmetic",
    }
    other = found["stock-bf16 / stock"]
    assert (other["speedup"], other["verdict"]) == ("8", "not counted")
    words = (
        "stock-bf16 is set to compute in bf16, and stock in float32",
        "differs by more than rounding in float32 in 1 of 3",
    )
    assert tells(other["reason"], *words)
    results = measured(runs.load(Path("run")))
    assert results.role("tf-2.21", "stock-bf16") == Role.OTHER_ARITHMETIC
    means = {summary.candidate: summary.mean for summary in results.summaries}
    assert means["stock-bf16"] is None
    assert means["stock-onednn"] is not None
    report = Path("run/report.md").read_text()
    assert "other arithmetic, not judged" in report
    assert "DIFFERENT" not in report
