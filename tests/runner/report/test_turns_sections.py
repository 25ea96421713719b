"""A reader of a run by turns sees who trained when, and what living together cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.report.turns_sections import TITLE
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only
from tests.runner.report.markdown import rows

COMPARE = ("compare", "--variants", "stock,intel", "--topologies", "resnet50", "--blocks", "2", "--no-probe",
           "--no-peak", "--out", "run")  # fmt: skip


def report_of(engine: FakeEngine, *options: str) -> str:
    """The report of a small run."""
    main([*COMPARE, *options], only(engine))
    return Path("run/report.md").read_text()


def slow_first_steps(launch: Launch, result: dict[str, Any]) -> None:
    """Every first step of stock's timed bursts takes a quarter longer, a little more in the second block."""
    first: dict[int, dict[str, Any]] = {}
    for step in result["steps"]:
        if step["phase"] == "timed" and launch.cell.variant == "stock":
            first.setdefault(step["turn"], step)
    for step in first.values():
        step["seconds"] *= 1.25 + launch.block / 1000


def test_the_section_draws_the_turns_and_says_how_idle_the_waiting_launches_were(
    in_folder: Path, finished_run: Callable[..., Path]
) -> None:
    """The fake engine's launches use a millisecond of CPU in each wait."""
    run = finished_run(*COMPARE) / "run"
    report = (run / "report.md").read_text()
    assert "](turns.svg)" in report.split(f"## {TITLE}")[1].split("\n## ")[0]
    assert (run / "turns.svg").exists()
    found = rows(report, "variant", "own CPU meanwhile (s)", "limit")
    seen = [(row["variant"], row["launches"], row["limit"]) for row in found]
    assert seen == [("stock", "2", "2%"), ("intel", "2", "2%")]
    assert all(0 < float(row["own CPU meanwhile (s)"]) < 0.02 for row in found)


def test_a_slow_first_step_after_a_switch_is_called_slower(in_folder: Path) -> None:
    report = report_of(FakeEngine(before_result=slow_first_steps), "--steps", "18")
    found = {row["variant"]: row["the first step [95%]"] for row in rows(report, "bursts judged")}
    assert found["stock"].startswith("slower by 25.1% [")
    assert found["intel"] == "no clear difference: +0.0% [+0.0%, +0.0%]"
    assert "slower in 1, faster in 0, no clear difference in 1 of 2 cells" in report


def test_bursts_of_one_step_are_said_to_show_nothing(in_folder: Path, finished_run: Callable[..., Path]) -> None:
    report = (finished_run(*COMPARE, "--steps", "1") / "run/report.md").read_text()
    assert "cannot be judged here: bursts have one step." in report


def test_how_to_read_this_explains_turns_in_runs_that_have_them(
    in_folder: Path, finished_run: Callable[..., Path]
) -> None:
    turns = (finished_run(*COMPARE) / "run/report.md").read_text()
    assert "live together on the same CPUs and take turns" in turns
    assert "runs the launches in the reverse order" not in turns


def test_a_run_in_sequence_says_so_and_draws_no_turns(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run keeps the command that asked for it."""
    monkeypatch.setattr("sys.argv", ["runner", *COMPARE, "--in-sequence"])
    report = report_of(FakeEngine(), "--in-sequence")
    words = "In this run the launches of a block followed one another and took no turns, because --in-sequence asked"
    assert report.count(words) == 2
    assert "live together on the same CPUs" not in report
    assert not Path("run/turns.svg").exists()
