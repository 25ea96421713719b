"""What the kit itself took of the CPUs while it measured: recorded for each launch, told in the report."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.report.measured import measured
from runner.report.method_sections import conditions_section
from runner.report.observer import observer_sentences
from runner.storage import runs
from runner.storage.records import Record
from runner.vocabulary import Launch
from tests.runner.builders import record
from tests.runner.fake_engine import FakeEngine, only

COMPARE = ["compare", "--topologies", "alexnet", "--variants", "stock,intel", "--blocks", "2", "--out", "run"]


def with_own(block: int, seconds: float | None) -> Record:
    """A launch of ten seconds, in which the runner took so many of CPU."""
    made = record(block=block)
    return dataclasses.replace(made, facts={**made.facts, "runner_cpu_seconds": seconds})


def test_median_and_largest_share_are_told_with_the_launch() -> None:
    """Of one core, over the launch's own seconds."""
    (told,) = observer_sentences([with_own(1, 0.002), with_own(2, 0.004), with_own(3, 0.03)])
    assert "0.04% of one core in the median launch and 0.30% at most (block3-tf-2.14-stock-resnet50-b4)" in told
    assert "over 3 launches" in told
    assert "MORE THAN" not in told


def test_more_than_a_hundredth_of_a_core_is_said_to_be_too_much() -> None:
    """An observer that disturbs is not passed over in silence."""
    (told,) = observer_sentences([with_own(1, 0.11), with_own(2, 0.09)])
    assert "In 1 of them this is MORE THAN 1%" in told


@pytest.mark.parametrize("made", [record(), with_own(1, None)], ids=["older", "compose"])
def test_records_that_do_not_tell_are_not_spoken_for(made: Record) -> None:
    """Older records, and runs without the kit on their host."""
    assert observer_sentences([made]) == ()


def busy(seconds: float) -> Callable[[Launch, dict[str, Any]], None]:
    """A hook that lets this very process work for some of its CPU seconds, in the second block alone."""

    def work(launch: Launch, _result: dict[str, Any]) -> None:
        end = time.process_time() + (seconds if launch.block == 2 else 0.0)
        while time.process_time() < end:
            pass

    return work


@pytest.mark.parametrize("options", [["--in-sequence"], []], ids=["sequence", "together"])
def test_each_record_holds_the_runners_own_cpu_seconds_of_its_launch(in_folder: Path, options: list[str]) -> None:
    """The runner worked through the second block: it shows there, and in the report's conditions.

    Launches that live together all have what it took in their block.
    """
    assert main([*COMPARE, *options], only(FakeEngine(before_result=busy(0.5)))) == 0
    found = runs.load(Path("run")).read_records()
    assert [each.facts["runner_cpu_seconds"] >= 0.5 for each in found] == [each.block == 2 for each in found]
    section = conditions_section(measured(runs.load(Path("run"))))
    assert any("of one core in the median launch" in text for text in section.paragraphs)
    assert "In 2 of them this is MORE THAN 1%" in Path("run/report.md").read_text()
