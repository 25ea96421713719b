"""The goals of measuring by turns are held against what runs recorded, and what no run has is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from maintenance.goals import IN_SEQUENCE, QUICK, TIMED, Found, Goal, goals, preset_of, read
from runner.cli import main
from runner.stats.results import results_of
from runner.storage.runs import load
from tests.conftest import working_in
from tests.runner.fake_engine import FakeEngine, only

QUICK_RUN = ("compare", "--preset", "quick", "--no-probe", "--no-peak", "--out", "run")
SMALL = ("compare", "--topologies", "alexnet", "--blocks", "4", "--no-probe", "--no-peak", "--out")
FEWER = (*SMALL, "fewer", IN_SEQUENCE, "--variants", "stock,intel")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the preset quick, and one small comparison by turns and in sequence."""
    folder = tmp_path_factory.mktemp("runs")
    with working_in(folder):
        for command in (QUICK_RUN, (*SMALL, "turns"), (*SMALL, "sequence", IN_SEQUENCE), FEWER):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("sys.argv", ["runner", *command])  # run.json keeps the command line
                assert main(command, only(FakeEngine())) == 0
    return folder


def test_each_goal_has_the_number_of_the_run_that_it_is_about(everything: Path) -> None:
    found = {each.goal.what: each for each in goals(read([everything / name for name in ("run", "turns", "sequence")]))}
    assert len(found) == 21
    for goal in (TIMED, *QUICK):
        assert found[goal.what].value is not None
        assert found[goal.what].source.startswith("run,")
    apart = found["turns and separate launches: pooled difference of speedups"]
    assert apart.value is not None
    assert "turns" in apart.source
    assert "sequence" in apart.source
    for what in ("figure1 on tf-1.12 and tf-2.14: minutes", "container and process: how far the ratio is from 1"):
        assert found[what].value is None, "no run here has it"


def test_turns_and_sequence_are_compared_on_the_pairs_that_both_have(everything: Path) -> None:
    """Separate launches take long: a run of fewer variants is enough."""
    found = {each.goal.what: each for each in goals(read([everything / "turns", everything / "fewer"]))}
    apart = found["turns and separate launches: speedups whose difference excludes 0"]
    assert apart.source.startswith("0 of 1 speedups, pooled 1.00x")


def test_a_preset_with_another_size_is_not_the_preset(everything: Path) -> None:
    runs = [results_of(load(everything / name)) for name in ("run", "turns", "sequence")]
    assert [preset_of(each) for each in runs] == ["quick", "", ""]


@pytest.mark.parametrize("budget", ["--budget 35m", "--budget=35m", "--preset quick --budget 35m"])
def test_a_run_with_the_budget_fills_the_rows_of_the_budget(everything: Path, in_folder: Path, budget: str) -> None:
    found = with_command(everything / "run", f"python -m runner compare {budget}")
    assert found["quick --budget 35m: half width of a 95% interval, median"].value is not None
    assert found["quick: half width of a 95% interval, median"].value is None


@pytest.mark.parametrize("budget", ["--budget 8m", "--budget 35m --blocks 2", ""])
def test_a_run_with_another_budget_does_not(everything: Path, in_folder: Path, budget: str) -> None:
    found = with_command(everything / "run", f"python -m runner compare {budget}")
    assert found["quick --budget 35m: half width of a 95% interval, median"].value is None


def with_command(run: Path, command: str) -> dict[str, Found]:
    """The goals of a copy of a run that another command line made."""
    copy = Path(shutil.copytree(run, "copy"))
    header = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**header, "command": command}))
    return {each.goal.what: each for each in goals(read([copy]))}


def test_a_folder_that_is_no_run_is_passed_over(in_folder: Path) -> None:
    assert read([in_folder]) == []
    assert all(each.value is None for each in goals([]))


def test_a_goal_is_a_bound_on_one_side() -> None:
    assert [TIMED.holds(share) for share in (0.49, 0.5)] == [False, True]
    assert [Goal("widths", None, 0.09).holds(width) for width in (0.09, 0.091)] == [True, False]
