"""Every launch with its seconds, and a command that measures one network again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.cli import main
from runner.report.samples import TITLE, anchor, samples_sections
from runner.stats.results import Results, results_of
from runner.storage.runs import load
from runner.vocabulary import Group
from tests.runner.fake_engine import SECONDS, FakeEngine, only

COMPARE = ("compare", "--topologies", "resnet50,vgg16", "--variants", "stock,intel", "--blocks", "2", "--no-peak",
           "--no-probe", "--seed", "7", "--out", "run")  # fmt: skip


@pytest.fixture
def measured(in_folder: Path, finished_run: Callable[..., Path]) -> Results:
    """A finished run of two networks."""
    return results_of(load(finished_run(*COMPARE) / "run"))


def test_each_launch_has_a_row_with_its_steps_and_its_files(measured: Results) -> None:
    (section,) = samples_sections(measured)
    assert section.title == TITLE
    first, second = section.samples
    assert (first.title, len(first.table.rows)) == ("tf-2.14, ResNet50, batch size 4", 4)
    block, variant, speed, seconds, launch = first.table.rows[0]
    assert (block, variant, speed) == ("1", "stock", "4.00")
    assert all(float(each) == 1.0 for each in seconds.replace("|", " ").split())
    assert " | " in seconds, "two bursts"
    assert first.links[launch] == f"launches/{launch}/"
    assert second.anchor == anchor(Group("tf-2.14", "vgg16", 4))


def test_a_run_whose_files_are_packed_has_no_links_to_them(measured: Results) -> None:
    (measured.run.folder / "launches").rename(measured.run.folder / "elsewhere")
    (section,) = samples_sections(measured)
    assert all(not each.links for each in section.samples)


def test_the_command_measures_the_network_again(measured: Results) -> None:
    """It is run: the same plan, of one network, with the same sizes."""
    (section,) = samples_sections(measured)
    words = shlex.split(section.samples[0].command)
    assert words[:3] == ["python", "-m", "runner"]
    assert main([*words[3:], "--no-peak", "--no-probe", "--out", "again"], only(FakeEngine())) == 0
    again = load(Path("again"))
    assert {launch.cell.topology for launch in again.launches} == {"resnet50"}
    one = measured.run.launches[0]
    for launch in again.launches:
        assert (launch.steps, launch.seed) == (one.steps, one.seed)
        assert launch.turns is not None
        assert one.turns is not None
        assert (launch.turns.bursts, launch.turns.burst_seconds) == (one.turns.bursts, one.turns.burst_seconds)
    assert again.about.plan.blocks == measured.header.plan.blocks


@pytest.mark.parametrize("option", ["--aa", "--bkms=none", "--inter-op=3", "--time-limit=77"])
def test_what_else_was_asked_for_is_asked_for_again(in_folder: Path, option: str) -> None:
    """The command is made from the plan: the recorded command line may be of another command, such as `repeat`."""
    options = [word for word in COMPARE if word not in ("--variants", "stock,intel")] if option == "--aa" else COMPARE
    fake = FakeEngine(seconds={**SECONDS, "stock-again": 1.0})
    assert main([*options, option], only(fake)) == 0
    first = load(Path("run"))
    (section,) = samples_sections(results_of(first))
    words = shlex.split(section.samples[0].command)
    assert main([*words[3:], "--no-peak", "--no-probe", "--out", "again"], only(fake)) == 0
    one, other = (
        {each.cell.variant: (each.environment, each.inter_op_threads, each.time_limit_seconds) for each in run.launches}
        for run in (first, load(Path("again")))
    )
    assert one == other
    assert load(Path("again")).about.is_aa is (option == "--aa")


def test_a_run_of_before_turns_has_no_command(in_folder: Path) -> None:
    found = samples_sections(results_of(load(Path(__file__).resolve().parents[2] / "data" / "run_without_turns")))
    assert {each.command for section in found for each in section.samples} == {""}


def test_a_run_in_sequence_is_repeated_in_sequence(in_folder: Path) -> None:
    assert main([*COMPARE, "--in-sequence"], only(FakeEngine())) == 0
    (section,) = samples_sections(results_of(load(Path("run"))))
    assert "--in-sequence" in shlex.split(section.samples[0].command)
