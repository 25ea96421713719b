"""`reproduce` from end to end on a fake engine: parts, verdicts, resume, budget, and the reports of several runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.catalogue.presets import load_presets
from runner.catalogue.publications import load_publication
from runner.catalogue.reproductions import find_reproduction_preset, load_reproduction_presets
from runner.catalogue.stacks import find_stack
from runner.cli import reproduce
from runner.errors import HostError
from runner.planning.ladder_file import WHOLE, load_ladder
from runner.session.options import EngineOptions
from runner.stats.enough import Size
from runner.storage import reproductions, runs
from runner.storage.reproductions import PartOfIt, Reproduction
from runner.vocabulary import Launch
from tests.runner.fake_engine import SECONDS, FakeEngine
from tests.runner.told import tells

Kit = Callable[..., int]
SMALL = ("reproduce", "--preset", "coffee", "--topologies", "resnet50", "--blocks", "2", "--out", "rep")


def with_openmp(launch: Launch, result: dict[str, Any]) -> None:
    """Intel's wheel has an OpenMP runtime in it, which has as many threads as the launch asks for."""
    if launch.installation == "intel":
        result["observed"]["omp_max_threads"] = int(launch.environment.get("OMP_NUM_THREADS", "2"))


@pytest.fixture
def article(kit: Kit, engine: FakeEngine) -> Kit:
    """The command line, on an engine that knows the rungs of the main ladder."""
    ladder = load_ladder("main")
    ids = [rung.id for rung in (*ladder.rungs, *ladder.branches)]
    engine.seconds = {**SECONDS, **dict.fromkeys([*ids, *(WHOLE + each for each in ids)], 1.0)}
    engine.before_result = with_openmp
    return kit


def verdicts(kit: Kit, capsys: pytest.CaptureFixture[str], *folders: str) -> dict[str, dict[str, Any]]:
    """What `claims` says of these folders, by claim."""
    capsys.readouterr()
    assert kit("claims", *folders, "--json") == 0
    return {each["id"]: each for each in json.loads(capsys.readouterr().out)["claims"]}


def test_every_part_is_run_and_every_claim_is_in_one_report(article: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert article(*SMALL) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert tells(out, "claims on this host", "judged by", "report: rep/report.html")
    made = reproductions.load(Path("rep"))
    assert [each.name for each in made.runs] == ["rep-figure1", "rep-settings"]
    assert all((Path("rep") / part.name / "report.html").is_file() for part in made.parts)
    for name in ("report.md", "report.html"):
        text = (Path("rep") / name).read_text(encoding="utf-8")
        for claim in load_publication().claims:
            assert claim.says.split("=")[0].split("'")[0] in text
    found = verdicts(article, capsys, "rep")
    assert found["bkm-kmp-blocktime"]["run"] == "rep-settings"
    assert found["faster-on-all"]["run"] == "rep-figure1"
    assert found == verdicts(article, capsys, "rep/figure1", "rep/settings")


def test_no_claim_is_left_because_nobody_ran_the_command(article: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """The words with which a comparison alone sends its reader to another command."""
    assert article(*SMALL) == 0
    for each in verdicts(article, capsys, "rep").values():
        assert "python -m runner" not in each["why"], each["id"]


def test_ctrl_c_in_a_part_and_resume_goes_on_with_all_parts(
    article: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if launch.block == 2:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert article(*SMALL) == 130
    captured = capsys.readouterr()
    assert "python -m runner reproduce --resume rep" in captured.err
    assert tells(captured.out, "not decided yet")
    assert "reproduce --resume rep" in captured.out
    before = len(engine.ran)
    engine.before_result = with_openmp
    assert article("reproduce", "--resume", "rep") == 0
    whole = [len(each.launches) for each in reproductions.load(Path("rep")).runs]
    assert not any(each.remaining() for each in reproductions.load(Path("rep")).runs[:1])
    assert before < len(engine.ran) <= sum(whole) + whole[0]
    count = len(engine.ran)
    assert article("reproduce", "--resume", "rep") == 0
    assert len(engine.ran) == count, "nothing is left"


def test_resume_without_a_name_takes_the_newest(article: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert article("reproduce", "--resume") == 2
    assert "no reproduction under" in capsys.readouterr().err
    assert article(*SMALL[:-2]) == 0
    assert article("reproduce", "--resume") == 0


def test_without_time_two_blocks_are_run_and_the_rest_is_not_decided(
    article: Kit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ladder has six blocks; with no time left it ends after two, and the report says what goes on with it."""

    def at_once(made: Reproduction, sessions: list[Any], _until: float) -> list[tuple[Any, PartOfIt, Size]]:
        return [(*each, Size(budget_seconds=0.0)) for each in zip(sessions, made.parts, strict=True)]

    monkeypatch.setattr(reproduce, "_in_order", at_once)
    assert article(*SMALL[:-4], "--budget", "40m", "--out", "rep") == 0
    comparison, ladder = reproductions.load(Path("rep")).runs
    assert {record.block for record in comparison.read_records()} == {1, 2}
    assert {record.block for record in ladder.read_records()} == {1, 2}
    assert "to decide more: python -m runner reproduce --resume rep" in " ".join(capsys.readouterr().out.split())
    text = Path("rep/report.md").read_text(encoding="utf-8")
    assert tells(text, "What is not decided yet", "python -m runner reproduce --resume RUN")
    assert "--resume RUN/settings" not in text


def test_the_time_that_is_left_is_shared_by_the_parts_that_are_left() -> None:
    """Shares of 1 and 3: a part that took longer than its share leaves less to the next one."""
    parts = (PartOfIt("a", "", 1), PartOfIt("b", "", 3), PartOfIt("c", "", 1))
    made = Reproduction(Path("rep"), "coffee", "", parts)
    sessions: Any = ["one", None, "three"]
    now = iter([0.0, 70.0])
    found: list[Any] = list(reproduce._in_order(made, sessions, 100.0, lambda: next(now)))
    assert [(session, part.name, size.budget_seconds) for session, part, size in found] == [
        ("one", "a", 50.0), ("three", "c", 30.0)
    ]  # fmt: skip


def test_a_part_that_cannot_begin_leaves_nothing_that_bars_the_way(
    article: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was measured, and the same command can be given again."""

    def fail(*_arguments: Any) -> None:
        raise HostError("There is no room.")

    with monkeypatch.context() as patch:
        patch.setattr(reproduce, "begin_ladder", fail)
        assert article(*SMALL) == 3
    assert not Path("rep/figure1").exists()
    assert article(*SMALL) == 0


def test_a_night_has_both_stacks_and_resumes_each_with_its_own_images(article: Kit) -> None:
    """Of which today's stack has no Intel wheel: its part judges no claim, and is on the first screen."""
    night = ("reproduce", "--topologies", "resnet50", "--blocks", "2", "--out", "rep")
    assert article(*night) == 0
    begun = reproductions.load(Path("rep")).runs
    assert [each.name for each in begun] == ["rep-figure1", "rep-today", "rep-settings"]
    assert "TensorFlow 2.21" in Path("rep/report.md").read_text(encoding="utf-8").split("##")[0]
    for each in begun:
        header = json.loads(json.dumps(each.header))
        for stack, entry in header["stacks"].items():
            for made in entry["installations"].values():
                made["base_image"] = f"base-of-{stack}"
        (each.folder / "run.json").write_text(json.dumps(header))
    found = reproduce._begun_with(EngineOptions(), reproductions.load(Path("rep")).runs)
    assert found.base_image == {"tf-1.12": "base-of-tf-1.12", "tf-2.21": "base-of-tf-2.21"}


def test_the_folder_of_a_part_stands_for_its_reproduction(article: Kit) -> None:
    """The part's own report names the command that completes it, with its own folder."""
    assert article(*SMALL) == 0
    assert article("reproduce", "--resume", "rep/settings") == 0


def test_a_dead_engine_leaves_a_report_and_the_way_on(
    article: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    def die(launch: Launch, _result: dict[str, Any]) -> None:
        if launch.block == 2:
            raise HostError("The engine does not answer.")

    engine.before_result = die
    assert article(*SMALL) == 3
    assert "reproduce --resume rep" in capsys.readouterr().err
    assert Path("rep/report.html").is_file()


def test_a_failed_cell_is_told_in_the_exit_code_and_the_other_part_is_run(article: Kit, engine: FakeEngine) -> None:
    def fail(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if launch.cell.variant == "intel":
            result["status"], result["error"] = "error", {"kind": "failed", "message": "no step", "traceback": ""}

    engine.before_result = fail
    assert article(*SMALL) == 1
    assert reproductions.load(Path("rep")).runs[1].read_records()


def test_the_report_of_a_reproduction_is_drawn_again_with_its_parts(article: Kit) -> None:
    assert article(*SMALL) == 0
    paths = [Path("rep") / name for name in ("report.md", "figure1/report.md", "settings/report.md")]
    before = [path.read_text(encoding="utf-8") for path in paths]
    for path in paths:
        path.unlink()
    assert article("report", "rep") == 0
    assert [path.read_text(encoding="utf-8") for path in paths] == before


def test_a_dry_run_prints_the_plan_of_each_part(article: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert article(*SMALL, "--dry-run") == 0
    assert tells(capsys.readouterr().out, "part figure1", "part settings", "kmp-settings")
    assert not Path("rep").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "cofee"], "Did you mean coffee"),
        (["--blocks", "3"], "odd"),
        (["--resume", "nowhere"], "nowhere is not a reproduction's folder"),
    ],
)
def test_bad_input_is_a_usage_error(
    article: Kit, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert article("reproduce", *arguments) in (2, 3)
    assert words in capsys.readouterr().err


def test_a_folder_that_holds_one_is_not_used_again(article: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert article(*SMALL) == 0
    assert article(*SMALL) == 2
    assert "already holds a reproduction" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 9}', '{"schema_version": 1, "parts": [1]}'])
def test_a_damaged_reproduction_is_told(article: Kit, capsys: pytest.CaptureFixture[str], content: str) -> None:
    Path("rep").mkdir()
    (Path("rep") / reproductions.FILE).write_text(content)
    assert article("reproduce", "--resume", "rep") in (2, 3)
    assert "reproduction.json" in capsys.readouterr().err


@pytest.mark.parametrize("name", load_reproduction_presets())
def test_each_preset_begins_with_the_nearest_stack_and_has_one_ladder(name: str) -> None:
    """The report has one Figure 1, that of the first part, and one picture of a ladder."""
    parts = find_reproduction_preset(name).parts
    assert all((part.preset is None) != (part.ladder is None) for part in parts)
    assert [part.ladder for part in parts if part.ladder is not None] == ["main"]
    assert {part.preset for part in parts if part.preset is not None} <= set(load_presets())
    assert all(find_stack(stack) for part in parts for stack in part.stacks)
    assert parts[0].preset is not None
    assert parts[0].stacks == (load_publication().nearest_stack,)
    assert len({part.name for part in parts}) == len(parts)


def test_runs_of_two_hosts_are_refused(article: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert article(*SMALL) == 0
    run = runs.load(Path("rep/settings"))
    other = {**run.header, "machine_conditions": {**run.header["machine_conditions"], "kernel_release": "another"}}
    (run.folder / "run.json").write_text(json.dumps(other))
    assert article("claims", "rep/figure1", "rep/settings") == 2
    assert tells(capsys.readouterr().err, "not measured on one host in one state", "kernel_release")
