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
from rich.live import Live

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
from tests.runner.told import tells

# What moves a terminal's cursor, or colours.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
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
            progress.started([launch])
            progress.finished(record)
        if launches < len(run.launches):
            progress.started([run.launches[launches]])
    return screen.getvalue()


def test_a_terminal_shows_the_launch_under_way_the_speedups_so_far_and_the_time_left(
    begun: tuple[Run, list[Record]],
) -> None:
    """Five of six launches are done; Intel's speedup is known in as many blocks as it has been measured in."""
    screen = CONTROL.sub("", shown(begun, 5, is_terminal=True))
    current = begun[0].launches[5]
    *_, now = (line for line in screen.splitlines() if "5/6" in line)
    assert tells(now, "tf-2.14", current.cell.variant, "resnet50", "32", "block 2")
    # Every launch of the fake engine takes ten seconds, and this one has only begun.
    assert re.search(r"\b0:0\d\b.*\b0:(10|0\d)\b", now)
    *_, row = (line for line in screen.splitlines() if "intel / stock " in line)
    assert re.findall(r"(?<!\w)[0-9.]+", row) == ["32", "4.00", "4.00", "4.00", "2"]


def test_a_terminal_names_all_launches_that_take_turns_now(begun: tuple[Run, list[Record]]) -> None:
    run, records = begun
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, _environ={})
    with Progress(run, run.launches, console) as progress:
        progress.started(run.launches[:3])
        for record in records[:3]:
            progress.finished(record)
        progress.started(run.launches[3:])
    variants = " | ".join(launch.cell.variant for launch in run.launches[3:])
    *_, now = (line for line in CONTROL.sub("", screen.getvalue()).splitlines() if "3/6" in line)
    assert f"now: tf-2.14 {variants} resnet50, batch 32, block 2" in now


def test_a_log_has_one_line_for_each_launch_with_its_speedup_and_the_time_left(
    begun: tuple[Run, list[Record]],
) -> None:
    """No control character, and all that a person who reads the log needs."""
    lines = shown(begun, 6, is_terminal=False).splitlines()
    assert len(lines) == 6
    assert [line[:3] for line in lines] == [f"{number}/6" for number in range(1, 7)]
    assert all("\x1b" not in line for line in lines)
    assert tells(next(line for line in lines if tells(line, "block 2", "intel", "resnet50")), "128.00 images/s", "10 s")
    assert ["left" in line for line in lines] == [True] * 5 + [False]


def test_a_logs_line_tells_a_running_mean_where_its_launch_completes_a_pair_and_over_how_many_blocks(
    begun: tuple[Run, list[Record]],
) -> None:
    """Beside a block's first launch stands nothing: a figure there would be of earlier blocks."""
    lines = shown(begun, 6, is_terminal=False).splitlines()
    means = [MEAN.findall(line) for line in lines]
    assert [[blocks for _, _, blocks in each] for each in means] == [[], ["1"], ["1"], [], ["2"], ["2"]]
    completed = [
        (launch.cell.variant, *found[0][:2]) for launch, found in zip(begun[0].launches, means, strict=True) if found
    ]
    assert any(variant == "stock" for variant, _, _ in completed), "the baseline's launch completes a pair too"
    assert all(candidate == variant for variant, candidate, _ in completed if variant != "stock")
    assert {(candidate, speedup) for _, candidate, speedup in completed} <= {
        ("intel", "4.00"),
        ("stock-onednn", "2.00"),
    }


# The running mean in a line: candidate, speedup, blocks.
MEAN = re.compile(r"(\S+)/stock ([0-9.]+)x over (\d+)")


def test_a_logs_line_has_each_datum_of_its_launch(begun: tuple[Run, list[Record]]) -> None:
    """Which launch it was, how fast it trained, how long it took, and how long the rest will take.

    The three launches of a block share its 180 s, so the rest counts 60 s for each.
    """
    run, records = begun
    long = [dataclasses.replace(record, facts={**record.facts, "seconds": 180.0}) for record in records]
    lines = shown((run, long), 6, is_terminal=False).splitlines()
    for number, (line, launch, record) in enumerate(zip(lines, run.launches, records, strict=True), start=1):
        cell, speed = launch.cell, f"{images_per_second(record):.2f} images/s"
        assert tells(line, f"{number}/6", f"block {launch.block}", cell.stack, cell.variant, cell.topology,
                     f"b{cell.batch_size}", speed, "180 s")  # fmt: skip
    assert [re.findall(r"~([0-9:]+)", line) for line in lines] == [
        ["5:00"],
        ["4:00"],
        ["3:00"],
        ["2:00"],
        ["1:00"],
        [],
    ]


def test_a_launch_that_failed_has_no_speedup(begun: tuple[Run, list[Record]]) -> None:
    """It says why it failed, not what the blocks before it came to."""
    run, records = begun
    error = {"kind": "failed", "message": "it did not train"}
    last = dataclasses.replace(records[-1], error=error, result=None)
    line = shown((run, [*records[:-1], last]), 6, is_terminal=False).splitlines()[-1]
    assert tells(line, "it did not train")
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
def test_the_clock_ticks_without_a_look_at_the_records(
    begun: tuple[Run, list[Record]], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 400 records what there is to compute is computed when a launch ends: a redraw changes the clock alone."""
    screens: list[Live] = []

    class Kept(Live):
        """A live display that the test can tell to redraw."""

        def start(self, refresh: bool = False) -> None:
            screens.append(self)
            super().start(refresh)

    monkeypatch.setattr("runner.cli.progress.Live", Kept)
    made, records = four_hundred(*begun)
    header = {**made.header, **({"kind": "ladder"} if kind == "ladder" else {})}
    run = Held(made.folder, header, tuple(records[:400]))
    asked: list[int] = []

    def counted(run: Run, records: Sequence[Record], left: Sequence[Launch]) -> Standing:
        asked.append(len(records))
        return standing_of(run, records, left)

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, _environ={})
    with Progress(run, run.launches[400:], console, standing_of=counted) as progress:
        progress.started([run.launches[400]])
        progress.finished(records[400])
        progress.started([run.launches[401]])
        before = Watched.looks
        for _ in range(60):
            screens[0].refresh()
        assert Watched.looks == before
    assert asked == [400, 401], "once for the records that were there, and once when a launch had ended"
    assert before > 0
    drawn = CONTROL.sub("", screen.getvalue())
    assert tells(drawn, "401/402")
    if kind == "comparison":
        *_, row = (line for line in drawn.splitlines() if "intel / stock " in line)
        assert re.findall(r"(?<!\w)[0-9.]+", row) == ["32", "4.00", "4.00", "4.00", "133"]
