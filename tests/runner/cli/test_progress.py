"""What a run shows while it runs: on a terminal a table that is drawn in place, in a log a line for each launch."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from runner import runs
from runner.cli import main
from runner.cli.progress import Progress, clock
from runner.records import Record
from runner.runs import Run
from tests.runner.fake_engine import FakeEngine, only

COMPARE = ["compare", "--preset", "figure1", "--topologies", "resnet50", "--blocks", "2", "--out", "run"]


@pytest.fixture
def begun(in_folder: Path) -> tuple[Run, list[Record]]:
    """A run of two blocks of three variants without a record, and the records that it would get."""
    assert main(COMPARE, only(FakeEngine())) == 0
    run = runs.load(Path("run"))
    records = run.read_records()
    Path("run/records.jsonl").unlink()
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
    assert f"5/6  now: tf-2.14 {current.cell.variant} resnet50, batch 32, block 2 (0:00)" in screen
    assert "intel / stock" in screen
    assert "4.00x" in screen
    assert "about 0:10 left" in screen  # every launch of the fake engine takes ten seconds


def test_a_log_has_one_line_for_each_launch_with_its_speedup_and_the_time_left(
    begun: tuple[Run, list[Record]],
) -> None:
    """No control character, and all that a person who reads the log needs."""
    lines = shown(begun, 6, is_terminal=False).splitlines()
    assert len(lines) == 6
    assert [line[:3] for line in lines] == [f"{number}/6" for number in range(1, 7)]
    assert all("\x1b" not in line for line in lines)
    assert max(map(len, lines)) <= 120
    intel = next(line for line in lines if "block 2  tf-2.14 intel" in line)
    assert "128.00 images/s (launch 10 s)  4.00x stock" in intel
    assert "left" in lines[0]
    assert "left" not in lines[-1]


def test_the_first_launch_has_no_speedup_yet(begun: tuple[Run, list[Record]]) -> None:
    """There is nothing to divide by."""
    assert "x stock" not in shown(begun, 1, is_terminal=False)


@pytest.mark.parametrize(("seconds", "text"), [(42, "0:42"), (725, "12:05"), (3723, "1:02:03")])
def test_a_clock_is_read_at_a_glance(seconds: float, text: str) -> None:
    """Minutes and seconds, with hours where there are any."""
    assert clock(seconds) == text
