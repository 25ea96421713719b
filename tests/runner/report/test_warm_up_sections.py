"""A reader sees whether launches were warm when timing began, and what to do where they were not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.report.step_factors import factor_told
from runner.report.warm_up_sections import TITLE, warm_up_sections
from runner.stats.intervals import Estimate
from runner.stats.results import results_of
from runner.storage import runs
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only
from tests.runner.report.markdown import rows

ONE_STEP_RUN = Path(__file__).resolve().parents[2] / "data" / "run_without_turns"
COMPARE = ("compare", "--variants", "stock,intel", "--topologies", "resnet50", "--no-probe", "--no-peak",
           "--out", "run")  # fmt: skip


def cold_stock(launch: Launch, result: dict[str, Any]) -> None:
    """Stock's first timed burst takes a quarter longer, a little more in the second block."""
    timed = [step for step in result["steps"] if step["phase"] == "timed"]
    if launch.cell.variant == "stock":
        for step in timed[: len(timed) // 2]:
            step["seconds"] *= 1.25 + launch.block / 1000


def test_a_launch_that_still_warms_up_is_told_with_the_option_that_helps(in_folder: Path) -> None:
    main([*COMPARE, "--blocks", "2", "--steps", "4"], only(FakeEngine(before_result=cold_stock)))
    report = Path("run/report.md").read_text()
    found = {row["variant"]: row["the first half [95%]"] for row in rows(report, "untimed steps first")}
    assert found["stock"].startswith("slower by 25.1% [")
    assert found["intel"] == "no clear difference: +0.0% [+0.0%, +0.0%]"
    section = report.split(f"## {TITLE}")[1].split("\n## ")[0]
    assert "slower in 1, faster in 0, no clear difference in 1 of 2 cells" in section
    assert "--warmup" in section


def test_launches_of_one_timed_step_show_nothing() -> None:
    """The run is one of an earlier version, whose launches had one timed step."""
    (section,) = warm_up_sections(results_of(runs.load(ONE_STEP_RUN)))
    assert section.paragraphs == (
        "Whether warm-up was long enough cannot be judged here: launches have one timed step.",
    )
    assert not section.tables


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (Estimate(1.031, 1.012, 1.05, 4), "slower by 3.1% [+1.2%, +5.0%]"),
        (Estimate(0.97, 0.95, 0.99, 4), "faster by 3.0% [-5.0%, -1.0%]"),
        (Estimate(1.01, 0.99, 1.03, 4), "no clear difference: +1.0% [-1.0%, +3.0%]"),
        (Estimate(1.01, float("nan"), float("nan"), 1), "+1.0%; one block: no interval"),
        (None, "cannot be judged"),
    ],
)
def test_how_much_longer_in_words(factor: Estimate | None, words: str) -> None:
    assert factor_told(factor, "cannot be judged") == words
