"""What a run shows while it runs: on a terminal a table that is drawn in place, in a log a line for each launch."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.cli import main
from runner.cli.progress import Progress, clock
from runner.cli.standing import Standing, standing_of
from runner.stats.estimators import images_per_second
from runner.storage import runs
from runner.storage.records import Record
from runner.storage.runs import Run
from runner.vocabulary import Launch
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
    with Progress(
        run, run.launches, Console(file=screen, force_terminal=is_terminal, width=120, _environ={})
    ) as progress:
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
    assert "128.00 images/s (10 s)" in next(line for line in lines if "block 2  tf-2.14 intel" in line)
    assert "left" in lines[0]
    assert "left" not in lines[-1]


def test_a_logs_line_tells_a_running_mean_where_its_launch_completes_a_pair_and_over_how_many_blocks(
    begun: tuple[Run, list[Record]],
) -> None:
    """Beside a block's first launch stands nothing: a figure there would be of earlier blocks."""
    lines = shown(begun, 6, is_terminal=False).splitlines()
    found = [re.findall(r"  (\S+/\S+ [0-9.]+x)( over .*?blocks?)?(?:  |$)", line.split(" s)")[1]) for line in lines]
    assert [len(each) for each in found] == [0, 1, 1, 0, 1, 1]
    means = [each[0] for each in found if each]
    assert [blocks for _, blocks in means] == [" over 1 complete block"] * 2 + [" over 2 complete blocks"] * 2
    as_baseline = [line for line in lines if "  tf-2.14 stock  " in line and "complete" in line]
    assert as_baseline, "a launch of the baseline that completes a pair tells of it too"
    assert all(re.search(r"  (intel|stock-onednn)/stock [24]\.00x over", line) for line in as_baseline)


LINE = re.compile(
    r"(?P<number>\d+)/(?P<planned>\d+)  block (?P<block>\d+)  (?P<stack>\S+) (?P<variant>\S+) +(?P<topology>\S+) +"
    r"b(?P<batch_size>\d+) +(?P<images_per_second>[0-9.]+) images/s \((?P<seconds>\d+) s\)"
    r"(?:  \S+/\S+ [0-9.]+x over .*? blocks?)?(?:  ~(?P<left>[0-9:]+) left)?"
)


def test_a_logs_line_has_each_datum_once_and_nothing_else(begun: tuple[Run, list[Record]]) -> None:
    """Which launch it was, how fast it trained, how long it took, and how long the rest will take."""
    run, records = begun
    long = [dataclasses.replace(record, facts={**record.facts, "seconds": 180.0}) for record in records]
    found = [LINE.fullmatch(line) for line in shown((run, long), 6, is_terminal=False).splitlines()]
    told = [match.groupdict() for match in found if match]
    assert [(each["number"], each["planned"]) for each in told] == [(str(number), "6") for number in range(1, 7)]
    assert [[each[name] for name in ("stack", "variant", "topology", "batch_size")] for each in told] == [
        [launch.cell.stack, launch.cell.variant, launch.cell.topology, str(launch.cell.batch_size)]
        for launch in run.launches
    ]
    assert [int(each["block"]) for each in told] == [launch.block for launch in run.launches]
    assert [float(each["images_per_second"]) for each in told] == [images_per_second(record) for record in records]
    assert {each["seconds"] for each in told} == {"180"}
    assert [each["left"] for each in told] == ["15:00", "12:00", "9:00", "6:00", "3:00", None]


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
    """Pairs are of one topology: in each block one launch without a speedup for each."""
    begun = planned_and_recorded(tmp_path, "alexnet,resnet50")
    lines = shown(begun, 12, is_terminal=False).splitlines()
    without = [line.split()[5] for line in lines if "/stock" not in line]
    assert sorted(without) == ["alexnet", "alexnet", "resnet50", "resnet50"]


@pytest.mark.parametrize(("seconds", "text"), [(42, "0:42"), (725, "12:05"), (3723, "1:02:03")])
def test_a_clock_is_read_at_a_glance(seconds: float, text: str) -> None:
    """Minutes and seconds, with hours where there are any."""
    assert clock(seconds) == text


class Watched(dict[str, Any]):
    """A part of a record that counts how often it is looked into."""

    looks = 0

    def __getitem__(self, key: str) -> Any:
        Watched.looks += 1
        return super().__getitem__(key)


@dataclasses.dataclass(frozen=True)
class Held(Run):
    """A run whose records are held in memory."""

    held: tuple[Record, ...] = ()

    def read_records(self) -> list[Record]:
        """Every record so far."""
        return list(self.held)


def watched(record: Record) -> Record:
    """The same record, with every look at what it is and what it measured counted."""
    assert record.result is not None
    return dataclasses.replace(
        record, case=Watched(record.case), facts=Watched(record.facts), result=Watched(record.result)
    )


def four_hundred(run: Run, records: list[Record]) -> tuple[Run, list[Record]]:
    """The same plan and records over and over, in 134 blocks of three launches: 402 of them."""
    launches = [
        dataclasses.replace(launch, launch_id=f"{launch.launch_id}-{block}", block=block)
        for block in range(1, 135)
        for launch in run.launches[:3]
    ]
    by_cell = {record.cell: record for record in records}
    plan = {**run.header["plan"], "blocks": 134, "launches": [launch.to_json() for launch in launches]}
    made = [
        watched(
            dataclasses.replace(
                by_cell[launch.cell],
                launch_id=launch.launch_id,
                case={**by_cell[launch.cell].case, "block": launch.block},
            )
        )
        for launch in launches
    ]
    return Run(run.folder, {**run.header, "plan": plan}), made


@pytest.mark.parametrize("kind", ["comparison", "ladder"])
def test_the_clock_ticks_without_a_look_at_the_records(begun: tuple[Run, list[Record]], kind: str) -> None:
    """With 400 records what there is to compute is computed when a launch ends: a redraw changes the clock alone."""
    made, records = four_hundred(*begun)
    header = {**made.header, **({"kind": "ladder"} if kind == "ladder" else {})}
    run = Held(made.folder, header, tuple(records[:400]))
    asked: list[int] = []

    def counted(run: Run, records: Sequence[Record], left: Sequence[Launch], between: Sequence[Launch]) -> Standing:
        asked.append(len(records))
        return standing_of(run, records, left, between)

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, _environ={})
    with Progress(run, run.launches[400:], console, standing_of=counted) as progress:
        progress.started(run.launches[400])
        progress.finished(records[400])
        progress.started(run.launches[401])
        before = Watched.looks
        for _ in range(60):
            progress._live.refresh()
        assert Watched.looks == before
    assert asked == [400, 401], "once for the records that were there, and once when a launch had ended"
    assert before > 0
    assert "401/402  now: tf-2.14" in screen.getvalue()
    if kind == "comparison":
        assert re.search(r"intel / stock +4\.00x +4\.00 to 4\.00 +133", screen.getvalue())
