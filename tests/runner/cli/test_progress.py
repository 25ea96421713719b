"""What a run shows while it runs: on a terminal a table that is drawn in place, in a log a line for each launch."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from runner import runs
from runner.cli import main
from runner.cli.progress import LOG_WIDTH, Progress, clock
from runner.records import Record
from runner.runs import Run
from tests.conftest import working_in
from tests.runner.fake_engine import FakeEngine, only

COMPARE = ["compare", "--preset", "figure1", "--blocks", "2"]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[Record]]:
    """A run of two blocks of three variants without a record, and the records that it would get."""
    return planned_and_recorded(tmp_path_factory.mktemp("begun"), "resnet50")


def planned_and_recorded(folder: Path, topologies: str) -> tuple[Run, list[Record]]:
    """Carry out a run, take its records away, and return both."""
    with working_in(folder):
        assert main([*COMPARE, "--topologies", topologies, "--out", "run"], only(FakeEngine())) == 0
    run = runs.load(folder / "run")
    records = run.read_records()
    (folder / "run" / "records.jsonl").unlink()
    return run, records


def shown(begun: tuple[Run, list[Record]], launches: int, *, is_terminal: bool) -> str:
    """What is on the screen after so many launches, the next one under way."""
    run, records = begun
    screen = io.StringIO()
    with Progress(run, Console(file=screen, force_terminal=is_terminal, width=120, _environ={})) as progress:
        for launch, record in list(zip(run.launches, records, strict=True))[:launches]:
            progress.started(launch)
            progress.finished(record)
        if launches < len(run.launches):
            progress.started(run.launches[launches])
        progress._live.refresh()
    return screen.getvalue()


def test_a_terminal_shows_the_launch_under_way_the_speedups_so_far_and_the_time_left(
    begun: tuple[Run, list[Record]],
) -> None:
    """Five of six launches are done; Intel's speedup is known in as many blocks as it has been measured in."""
    screen = shown(begun, 5, is_terminal=True)
    current = begun[0].launches[5]
    # Every launch of the fake engine takes ten seconds, and this one has only begun.
    now = rf"5/6  now: tf-2\.14 {current.cell.variant} resnet50, batch 32, block 2 \(0:0\d\)  ~0:(10|0\d) left"
    assert re.search(now, screen)
    assert re.search(r"resnet50 +32 +intel / stock +4\.00x +4\.00 to 4\.00 +2", screen)


def test_a_log_has_one_line_for_each_launch_with_its_speedup_and_the_time_left(
    begun: tuple[Run, list[Record]],
) -> None:
    """No control character, and all that a person who reads the log needs."""
    lines = shown(begun, 6, is_terminal=False).splitlines()
    assert len(lines) == 6
    assert [line[:3] for line in lines] == [f"{number}/6" for number in range(1, 7)]
    assert all("\x1b" not in line for line in lines)
    intel = next(line for line in lines if "block 2  tf-2.14 intel" in line)
    assert "128.00 images/s (10 s)  intel/stock 4.00x" in intel
    assert "left" in lines[0]
    assert "left" not in lines[-1]


def test_a_logs_line_has_the_pair_of_its_launch_whichever_side_ends_last(begun: tuple[Run, list[Record]]) -> None:
    """A baseline that ends a block tells of its pair too, and a launch in between of its own."""
    lines = {line[5:].split(" b32")[0].strip(): line for line in shown(begun, 6, is_terminal=False).splitlines()}
    assert "  intel/stock 4.00x" in lines["block 2  tf-2.14 stock        resnet50"]
    assert "  stock-onednn/stock 2.00x" in lines["block 2  tf-2.14 stock-onednn resnet50"]


def test_a_logs_line_is_short(begun: tuple[Run, list[Record]]) -> None:
    """The two variants of most runs fit into 110 characters, with minutes left; a longer name into the log's width."""
    run, records = begun
    long = [dataclasses.replace(record, facts={**record.facts, "seconds": 180.0}) for record in records]
    lines = shown((run, long), 5, is_terminal=False).splitlines()
    assert any("~9:00 left" in line for line in lines)
    assert max(len(line) for line in lines if "stock-onednn" not in line) <= 108  # two more where launches are dozens
    assert max(map(len, lines)) <= LOG_WIDTH


def test_a_launch_that_failed_has_no_speedup(begun: tuple[Run, list[Record]]) -> None:
    """It says why it failed, not what the blocks before it came to."""
    run, records = begun
    error = {"kind": "failed", "message": "it did not train"}
    last = dataclasses.replace(records[-1], error=error, result=None)
    line = shown((run, [*records[:-1], last]), 6, is_terminal=False).splitlines()[-1]
    assert "failed: it did not train" in line
    assert "/stock" not in line


def test_a_log_says_nothing_of_a_launch_that_begins(begun: tuple[Run, list[Record]]) -> None:
    """One line for each launch is enough."""
    assert shown(begun, 0, is_terminal=False) == ""


def test_the_first_launch_has_no_speedup_yet(begun: tuple[Run, list[Record]]) -> None:
    """There is nothing to divide by."""
    assert "/stock" not in shown(begun, 1, is_terminal=False)


def test_a_topologys_first_launch_has_no_speedup_of_another_topology(tmp_path: Path) -> None:
    """Pairs are of one topology: in the first block one more launch without a speedup for each."""
    begun = planned_and_recorded(tmp_path, "alexnet,resnet50")
    lines = shown(begun, 12, is_terminal=False).splitlines()
    without = [line.split()[5] for line in lines if "/stock" not in line]
    assert sorted(without) == ["alexnet", "resnet50"]


@pytest.mark.parametrize(("seconds", "text"), [(42, "0:42"), (725, "12:05"), (3723, "1:02:03")])
def test_a_clock_is_read_at_a_glance(seconds: float, text: str) -> None:
    """Minutes and seconds, with hours where there are any."""
    assert clock(seconds) == text
