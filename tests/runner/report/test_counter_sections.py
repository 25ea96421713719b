"""A reader sees what a step costs the processor, or why this host does not tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from runner.cli import main
from runner.report.counter_sections import TITLE
from tests.runner.report.markdown import rows

COMPARE = ("compare", "--variants", "stock,intel", "--topologies", "resnet50", "--blocks", "2", "--no-peak",
           "--out", "run")  # fmt: skip
COUNTS = {"task-clock": 2000.0, "context-switches": 30.0, "page-faults": 5.0, "cycles": 6e9, "instructions": 9e9,
          "LLC-loads": 2e7, "LLC-load-misses": 4e6}  # fmt: skip


def with_counters(
    run: Path, counts: dict[str, float | None], error: str | None = None, *, user_only: bool = False
) -> str:
    """The report of a run whose probes were counted so."""
    lines = [json.loads(line) for line in (run / "evidence.jsonl").read_text().splitlines()]
    for line in lines:
        line["counters"] = {"tool": "perf version 6.1", "per_step": counts, "covered_seconds": 1.0,
                            "step_seconds": 1.0, "error": error, "user_only": user_only}  # fmt: skip
    (run / "evidence.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["report", str(run)]) == 0
    return (run / "report.md").read_text()


def test_the_counts_of_a_step_are_shown_in_units(in_folder: Path, finished_run: Callable[..., Path]) -> None:
    report = with_counters(finished_run(*COMPARE) / "run", dict(COUNTS))
    row = next(row for row in rows(report, "GHz") if row["variant"] == "intel")
    assert (row["CPU seconds"], row["GHz"], row["instructions per cycle"]) == ("2.00", "3.00", "1.50")
    assert (row["last-level load misses (10^6)"], row["context switches"]) == ("4.00", "30.0")


def test_a_host_that_hides_them_is_told(in_folder: Path, finished_run: Callable[..., Path]) -> None:
    hidden = {name: count if name == "task-clock" else None for name, count in COUNTS.items()}
    report = with_counters(finished_run(*COMPARE) / "run", hidden)
    row = next(row for row in rows(report, "GHz") if row["variant"] == "intel")
    assert (row["CPU seconds"], row["GHz"], row["cycles (10^9)"]) == ("2.00", "—", "—")
    assert "the kernel or the hypervisor of this host hides them" in report


def test_counts_of_user_space_alone_tell_no_frequency(in_folder: Path, finished_run: Callable[..., Path]) -> None:
    report = with_counters(finished_run(*COMPARE) / "run", dict(COUNTS), user_only=True)
    row = next(row for row in rows(report, "GHz") if row["variant"] == "intel")
    assert (row["GHz"], row["instructions per cycle"]) == ("—", "1.50")
    assert "this user may not count the kernel's" in report


def test_why_nothing_was_counted_is_told(in_folder: Path, finished_run: Callable[..., Path]) -> None:
    report = with_counters(finished_run(*COMPARE) / "run", {}, "perf is not installed on this host")
    section = report.split(f"## {TITLE}")[1].split("\n## ")[0]
    assert "perf is not installed on this host" in section
    assert "GHz" not in section
