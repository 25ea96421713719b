"""The matrix product's peak: measured once in each installation, kept as lines, held against every cell."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.engines.protocol import Outcome
from runner.errors import RunFormatError
from runner.report.measured import measured
from runner.report.peak_sections import achieved, host_peak, why_not_beside_launches
from runner.session.peak import REPEATS, SIZES, peak_products, sizes_for
from runner.storage import peak_records, runs
from runner.storage.peak_records import Peak
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only

Kit = Callable[..., int]
# One thread, so that the sizes are those of a small pin on any host.
COMPARE = (
    "compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run", "--cpus", str(min(os.sched_getaffinity(0)))
)  # fmt: skip
PEAKS = Path("run/peaks.jsonl")
TITLE = "How close to the limit"


@pytest.fixture
def engine() -> FakeEngine:
    """An engine whose largest product has 409.6 GFLOP/s and whose stock trains at 100 GFLOP/s."""
    return FakeEngine()


@pytest.fixture
def kit(in_folder: Path, engine: FakeEngine) -> Kit:
    """Run a command line on the engine."""
    return lambda *arguments: main(arguments, only(engine))


def lines() -> list[dict[str, Any]]:
    """The lines of peaks.jsonl."""
    return [json.loads(line) for line in PEAKS.read_text().splitlines()]


def test_every_installation_is_measured_once_before_the_first_launch(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three variants share two installations; all raw samples of all sizes are kept, with the conditions."""
    engine.before_result = lambda launch, result: _require_peaks()
    assert kit(*COMPARE, "--preset", "figure1") == 0
    assert engine.multiplied == ["gemm-tf-2.14-intel", "gemm-tf-2.14-stock"]
    assert [(line["installation"], line["variant"]) for line in lines()] == [("intel", "intel"), ("stock", "stock")]
    assert {product.launch.turns for product in peak_products(runs.load(Path("run")))} == {None}
    for line in lines():
        assert "turns" not in line["conditions"]
        assert [(size["size"], len(size["seconds"])) for size in line["result"]["gemm"]] == [
            (size, REPEATS) for size in SIZES
        ]
        assert line["conditions"]["pin"]["threads"] >= 1
        assert "timed_steps" not in line["conditions"]
    assert "measuring the matrix product's peak, 1 of 2: tf-2.14/intel" in capsys.readouterr().out


def _require_peaks() -> None:
    assert len(lines()) == 2


def test_many_threads_get_a_larger_product() -> None:
    """A size that keeps two cores busy has too little work for the 36 of the article."""
    assert max(sizes_for(36)) > max(sizes_for(2))
    assert set(sizes_for(2)) < set(sizes_for(36))


def test_the_report_has_the_exact_share_of_every_cell(kit: Kit, engine: FakeEngine) -> None:
    """Stock does 100 GFLOP a step in 1 s, Intel in a quarter of it; the largest product anywhere is the limit."""
    kit(*COMPARE, "--variants", "stock,intel")
    run = measured(runs.load(Path("run")))
    assert host_peak(run) == 409.6
    assert [(row.cell.variant, round(row.gflops, 6), round(row.share, 4)) for row in achieved(run)] == [
        ("stock", 100.0, 0.2441),
        ("intel", 400.0, 0.9766),
    ]
    report = Path("run/report.md").read_text()
    assert TITLE in report
    assert "| 24% |" in report
    assert "98% (400 GFLOP/s)" in Path("run/peak.svg").read_text()
    assert "](peak.svg)" in report


def test_a_library_that_serves_the_processor_badly_is_named(kit: Kit) -> None:
    """Half of what the baseline's own product reaches is no noise, and changes what a speedup means."""
    kit(*COMPARE)
    assert "serves this processor badly" not in Path("run/report.md").read_text()
    slow = [{**line, "result": _at_half_speed(line["result"])} if line["installation"] == "intel" else line
            for line in lines()]  # fmt: skip
    PEAKS.write_text("".join(json.dumps(line) + "\n" for line in slow))
    kit("report", "run")
    words = "On tf-2.14 the matrix product of intel reaches 205 GFLOP/s, 50% of what stock reaches (410)"
    assert words in Path("run/report.md").read_text()


def _at_half_speed(result: dict[str, Any]) -> dict[str, Any]:
    products = [{**size, "gflops_per_second": size["gflops_per_second"] / 2} for size in result["gemm"]]
    return {**result, "gemm": products}


def on_amd() -> None:
    """Rewrite run.json as if the host were AMD's, whose processors the MKL of tf-1.12 holds back."""
    header = json.loads(Path("run/run.json").read_text())
    header["machine"]["processor"]["vendor"] = "AuthenticAMD"
    Path("run/run.json").write_text(json.dumps(header))


def test_a_library_that_holds_this_vendor_back_is_measured_without_its_check_too(kit: Kit) -> None:
    assert kit(*COMPARE, "--stack", "tf-1.12", "--no-peak") == 0
    on_amd()
    found = [(product.launch.launch_id, product.besides, product.launch.environment.get("MKL_DEBUG_CPU_TYPE"))
             for product in peak_products(runs.load(Path("run")))]  # fmt: skip
    assert found == [
        ("gemm-tf-1.12-intel", {}, None),
        ("gemm-tf-1.12-intel-vendor-check-lifted", {"MKL_DEBUG_CPU_TYPE": "5"}, "5"),
        ("gemm-tf-1.12-stock", {}, None),
    ]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (3.0, "With MKL_DEBUG_CPU_TYPE=5 it reaches 614, 3.00 times as much and 150% of the baseline's: the MKL in the "
              "wheel chooses its code by the processor's vendor"),
        (1.5, "With MKL_DEBUG_CPU_TYPE=5 it reaches 307, 1.50 times as much and 75% of the baseline's, so that this is "
              "a part of the cause: the MKL"),
        (1.1, "With MKL_DEBUG_CPU_TYPE=5 it reaches 225, 1.10 times as much and 55% of the baseline's, so that the "
              "library's check of the processor's vendor is not the cause."),
    ],
)  # fmt: skip
def test_the_report_names_the_check_of_the_vendor_where_lifting_it_helps(kit: Kit, times: float, words: str) -> None:
    kit(*COMPARE, "--stack", "tf-1.12")
    slow = [{**line, "result": _at_half_speed(line["result"])} if line["installation"] == "intel" else line
            for line in lines() if not line["besides"]]  # fmt: skip
    lifted = next(line for line in slow if line["installation"] == "intel")
    products = [{**size, "gflops_per_second": size["gflops_per_second"] * times} for size in lifted["result"]["gemm"]]
    slow.append({**lifted, "besides": {"MKL_DEBUG_CPU_TYPE": "5"}, "result": {**lifted["result"], "gemm": products}})
    PEAKS.write_text("".join(json.dumps(line) + "\n" for line in slow))
    kit("report", "run")
    report = Path("run/report.md").read_text()
    assert words in report
    assert "| intel, MKL_DEBUG_CPU_TYPE=5 |" in report
    assert "The cause was not examined" not in report


def test_redrawing_gives_the_same_bytes_and_another_peak_another_report(kit: Kit) -> None:
    """The section comes from peaks.jsonl and the records alone."""
    kit(*COMPARE)
    names = ("report.md", "report.html", "peak.svg", "peak.png")
    before = {name: (Path("run") / name).read_bytes() for name in names}
    for name in names:
        (Path("run") / name).unlink()
    kit("report", "run")
    assert {name: (Path("run") / name).read_bytes() for name in names} == before
    PEAKS.write_text(PEAKS.read_text().replace('"gflops_per_second": 409.6', '"gflops_per_second": 500.0'))
    kit("report", "run")
    assert all((Path("run") / name).read_bytes() != before[name] for name in names)


def test_without_peaks_there_is_no_section(kit: Kit, engine: FakeEngine) -> None:
    """--no-peak leaves the products out, and a run of an older kit redraws as it was."""
    assert kit(*COMPARE, "--no-peak") == 0
    assert engine.multiplied == []
    assert not PEAKS.exists()
    assert TITLE not in Path("run/report.md").read_text()
    assert not Path("run/peak.svg").exists()


def test_a_product_that_failed_is_told_and_resume_measures_what_is_missing(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on without it; --resume measures that installation and no other."""
    died = Outcome(-11, 1.0, stopped_by_deadline=False, out_of_memory=False)
    engine.outcomes = {"gemm-tf-2.14-intel": died, "block2-tf-2.14-intel-resnet50-b4": died}
    assert kit(*COMPARE) == 1
    assert "not measured: failed: ended with signal 11 (SIGSEGV) and no result" in capsys.readouterr().out
    assert "failed: ended with signal 11" in Path("run/report.md").read_text()
    engine.outcomes, engine.multiplied = {}, []
    assert kit("compare", "--resume", "run") == 0
    assert engine.multiplied == ["gemm-tf-2.14-intel"]
    assert [(peak.installation, peak.error) for peak in peak_records.read(PEAKS)] == [("intel", None), ("stock", None)]


def test_a_run_begun_without_peaks_is_resumed_without(kit: Kit, engine: FakeEngine) -> None:
    engine.before_result = _interrupt
    assert kit(*COMPARE, "--no-peak") == 130
    engine.before_result = lambda launch, result: None
    assert kit("compare", "--resume", "run") == 0
    assert engine.multiplied == []


def _interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_a_peak_of_another_machine_is_not_held_against_a_cell(kit: Kit) -> None:
    """The refusal names the field, and no share is printed."""
    kit(*COMPARE)
    PEAKS.write_text(PEAKS.read_text().replace('"microcode": ', '"microcode": "other", "was": '))
    kit("report", "run")
    assert (
        why_not_beside_launches(measured(runs.load(Path("run")))) == "conditions differ: machine.microcode, machine.was"
    )
    report = Path("run/report.md").read_text()
    assert "conditions differ: machine.microcode" in report
    assert "| — |" in report


def peak(installation: str = "stock", error: dict[str, str] | None = None) -> Peak:
    """A line with one size."""
    result = {"gemm": [{"size": 64, "seconds": [0.5], "gflops_per_second": 2.0}]}
    return Peak("tf-2.14", installation, "stock", 1, {}, {}, {}, None if error else result, error)


def test_lines_are_read_back_a_torn_one_passed_over_and_a_success_counts_over_a_failure(tmp_path: Path) -> None:
    """As with records: a crash costs the last line alone, and a repeated measurement replaces its failure."""
    path = tmp_path / "peaks.jsonl"
    peak_records.append(path, peak(error={"kind": "failed", "message": "why"}))
    peak_records.append(path, peak())
    peak_records.append(path, peak("intel"))
    path.write_text(path.read_text()[:-20])
    assert peak_records.read(path) == (peak(),)
    peak_records.append(path, peak("intel"))
    assert peak_records.read(path) == (peak(), peak("intel"))
    assert peak_records.read(tmp_path / "absent.jsonl") == ()


@pytest.mark.parametrize(("line", "words"), [("{", "line 1"), ('{"schema_version": 9}', "newer version of the kit"),
                                             ('{"schema_version": 1}', "not of schema_version")])  # fmt: skip
def test_a_damaged_or_newer_line_is_refused(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "peaks.jsonl").write_text(line + "\n")
    with pytest.raises(RunFormatError, match=words):
        peak_records.read(tmp_path / "peaks.jsonl")
