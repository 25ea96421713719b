"""`repeat` from end to end on a fake engine: the same plan again, the comparison, and what differs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from runner.storage import runs
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, in_blocks
from tests.runner.report import markdown
from tests.runner.told import tells

Kit = Callable[..., int]
CPUS = sorted(os.sched_getaffinity(0))
DERIVED = ("repeat.md", "report.md", "report.html", "speedups.csv")


@pytest.fixture
def original(in_folder: Path, finished_run: Callable[..., Path], small: Sequence[str]) -> Path:
    """The run that `small` leaves."""
    return finished_run(*small) / "run"


def header(folder: str) -> dict[str, Any]:
    """A run's run.json."""
    found: dict[str, Any] = json.loads((Path(folder) / "run.json").read_text())
    return found


def speedups(folder: str) -> dict[str, tuple[str, str, str]]:
    """Of each topology in repeat.md: the speedup then and now, without intervals, and whether the two agree."""
    found = markdown.rows((Path(folder) / "repeat.md").read_text(), "original [95%]", "repetition [95%]", "agrees")
    return {
        each["topology"]: (each["original [95%]"].split()[0], each["repetition [95%]"].split()[0], each["agrees"])
        for each in found
    }


def conditions_that_differ(folder: str) -> dict[str, tuple[str, str]]:
    """The conditions that repeat.md lists, with both values."""
    text = (Path(folder) / "repeat.md").read_text()
    if "| condition | original | repetition |" not in text:
        return {}
    found = markdown.rows(text, "condition", "original", "repetition")
    return {each["condition"]: (each["original"], each["repetition"]) for each in found}


def test_repeating_a_run_says_agrees(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    kit(*small)
    first, engine.ran = engine.ran, []
    capsys.readouterr()
    assert kit("repeat", "run", "--out", "again") == 0
    assert in_blocks(engine.ran, 2) == in_blocks(first, 2)
    assert header("again")["plan"] == header("run")["plan"]
    out = capsys.readouterr().out
    assert tells(out, "It agrees: 2 speedups", "again/repeat.md")
    assert speedups("again") == {"ResNet50": ("4.00x", "4.00x", "agrees"), "VGG16": ("4.00x", "4.00x", "agrees")}
    assert not conditions_that_differ("again")
    assert header("again")["repeats"] == "run"


def test_seed_steps_bkms_and_variants_come_from_the_record(kit: Kit) -> None:
    """Nothing that was chosen for the original has to be said again."""
    kit("compare", "--preset", "figure1", "--topologies", "alexnet", "--blocks", "2", "--seed", "7", "--steps", "6",
        "--bursts", "2", "--burst-seconds", "1.5", "--bkms", "none", "--time-limit", "99", "--out", "run")  # fmt: skip
    assert kit("repeat", "run", "--out", "again") == 0
    assert header("again")["plan"] == header("run")["plan"]
    launch = runs.load(Path("again")).launches[0]
    assert (launch.seed, launch.steps.timed, launch.intra_op_threads, launch.time_limit_seconds) == (7, 6, 0, 99.0)
    assert launch.turns is not None
    assert (launch.turns.members, launch.turns.bursts, launch.turns.burst_seconds) == (3, 2, 1.5)


def test_by_default_a_repetition_is_a_new_run_under_results(kit: Kit, original: Path) -> None:
    """Its name says what it repeats."""
    assert kit("repeat", "run") == 0
    (found,) = Path("results/runs").iterdir()
    assert found.name.endswith("-repeat-run")


def test_speeds_that_changed_do_not_agree_and_say_where(
    kit: Kit, original: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    def slower(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel" and launch.cell.topology == "vgg16":
            for step in result["steps"]:
                step["seconds"] *= 2

    engine.before_result = slower
    assert kit("repeat", "run", "--out", "again") == 0
    (told,) = (line for line in capsys.readouterr().out.splitlines() if "not agree" in line)
    assert tells(told, "VGG16", "intel / stock", "tf-2.14", "4.00x", "2.00x", "1")
    assert speedups("again") == {
        "ResNet50": ("4.00x", "4.00x", "agrees"),
        "VGG16": ("4.00x", "2.00x", "does not agree"),
    }


@pytest.mark.skipif(len(CPUS) < 2, reason="another number of threads needs two CPUs")
def test_another_thread_count_says_what_differs(
    kit: Kit, small: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Pin, thread counts and the variables that follow are named with both values; the BKMs are worked out anew."""
    kit(*small, "--cores", "2")
    assert kit("repeat", "run", "--cores", "1", "--out", "again") == 0
    names = ("pin.cpus", "pin.threads", "intra_op_threads", "environment.OMP_NUM_THREADS")
    assert tells(capsys.readouterr().out, *names)
    differing = conditions_that_differ("again")
    assert set(names) <= set(differing)
    assert differing["environment.OMP_NUM_THREADS"] == ("2", "1")
    launch = runs.load(Path("again")).launches[0]
    assert (launch.environment["OMP_NUM_THREADS"], launch.intra_op_threads) == ("1", 1)


def test_a_pin_that_this_host_has_not_is_replaced_and_said(
    kit: Kit, original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody else's run may have had other CPUs: as many cores as there are stand in for them."""
    path = Path("run/run.json")
    data = header("run")
    data["plan"]["pin"] |= {"cpus": "9000-9035", "threads": 36, "cores": 36,
                            "cpus_by_core": [str(cpu) for cpu in range(9000, 9036)]}  # fmt: skip
    for launch in data["plan"]["launches"]:
        launch["intra_op_threads"] = 36
        launch["environment"]["OMP_NUM_THREADS"] = "36"
    data["plan"]["bkms"] |= {"intra_op_threads": 36}
    data["plan"]["bkms"]["environment"]["OMP_NUM_THREADS"] = "36"
    path.write_text(json.dumps(data))
    assert kit("repeat", "run", "--out", "again") == 0
    assert tells(capsys.readouterr().out, "CPUs 9000-9035")
    launch = runs.load(Path("again")).launches[0]
    assert int(launch.environment["OMP_NUM_THREADS"]) == launch.intra_op_threads <= len(CPUS)


def test_a_file_of_bkms_is_asked_for_only_where_its_values_must_change(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the same pin the recorded values stand; on another one the file is needed, and the right one."""
    text = (
        'schema_version = 1\nname = "mine"\ntitle = "t"\nsource = "s"\n[[settings]]\nname = "OMP_NUM_THREADS"\n'
        'target = "environment"\nvalue = "{threads}"\nread_by = ["openmp"]\nreason = "r"\nsource = "s"\n'
    )
    Path("mine.toml").write_text(text)
    Path("other.toml").write_text(text.replace('"{threads}"', '"77"'))
    kit("compare", "--topologies", "alexnet", "--blocks", "2", "--bkms", "./mine.toml", "--out", "run")
    assert kit("repeat", "run", "--out", "same") == 0
    data = header("run")
    data["plan"]["pin"] |= {"cpus": "9000", "threads": 1, "cores": 1, "siblings": True, "cpus_by_core": ["9000-9001"]}
    Path("run/run.json").write_text(json.dumps(data))
    capsys.readouterr()
    assert kit("repeat", "run", "--out", "moved") == 2
    assert tells(capsys.readouterr().err, "--bkms")
    assert kit("repeat", "run", "--bkms", "./other.toml", "--out", "moved") == 2
    assert tells(capsys.readouterr().err.replace("'", " "), "mine", "--bkms", "own pin")


def test_the_original_is_kept_so_that_redrawing_needs_nothing_else(kit: Kit, original: Path) -> None:
    """Without the original's folder, deleting everything derived and redrawing gives the same bytes."""
    kit("repeat", "run", "--out", "again")
    before = {name: hashlib.sha256(Path("again", name).read_bytes()).hexdigest() for name in DERIVED}
    shutil.rmtree("run")
    for name in DERIVED:
        Path("again", name).unlink()
    assert kit("report", "again") == 0
    assert before == {name: hashlib.sha256(Path("again", name).read_bytes()).hexdigest() for name in DERIVED}
    assert markdown.rows(Path("again/report.md").read_text(), "original [95%]", "repetition [95%]")


def test_a_run_that_repeats_nothing_has_no_section_on_it(kit: Kit, original: Path) -> None:
    assert "repetition" not in Path("run/report.md").read_text()
    assert not Path("run/repeat.md").exists()


def test_an_interrupted_repetition_is_completed_by_resume(kit: Kit, original: Path, engine: FakeEngine) -> None:
    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        if len(engine.ran) >= 3:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit("repeat", "run", "--out", "again") == 130
    engine.before_result = lambda launch, result: None
    assert kit("compare", "--resume", "again") == 0
    assert {agrees for _, _, agrees in speedups("again").values()} == {"agrees"}


def test_an_incomplete_original_tells_what_could_not_be_compared(
    kit: Kit, original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pair with too few blocks in either run is named, and agreement is claimed for the rest alone."""
    path = Path("run/records.jsonl")
    kept = [line for line in path.read_text().splitlines(keepends=True) if '"topology": "vgg16"' not in line]
    path.write_text("".join(kept))
    assert kit("repeat", "run", "--out", "again") == 0
    (told,) = (line for line in capsys.readouterr().out.splitlines() if "not compared" in line)
    assert tells(told, "It agrees: 1 speedup", "VGG16")
    assert {topology: agrees.partition(":")[0] for topology, (_, _, agrees) in speedups("again").items()} == {
        "ResNet50": "agrees",
        "VGG16": "not compared",
    }


def test_a_plan_alone_is_enough_to_repeat(kit: Kit, original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the original's records the launches are run all the same, and no agreement is claimed."""
    Path("run/records.jsonl").unlink()
    assert kit("repeat", "run", "--out", "again") == 0
    assert "cannot be decided" in capsys.readouterr().out
    assert {agrees.partition(":")[0] for _, _, agrees in speedups("again").values()} == {"not compared"}


def test_bad_input_is_a_usage_error(kit: Kit, original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["nowhere"], ("nowhere",)),
        (["run", "--out", "run"], ("run",)),
        (["run", "--engine", "other"], ("--engine", "other")),
        (["run", "--cpus", "9000"], ("9000",)),
    ):
        assert kit("repeat", *arguments) == 2
        assert tells(capsys.readouterr().err.replace("'", " "), *words)


def test_a_stack_that_this_kit_has_not_is_named(kit: Kit, original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run of another version of the kit may hold what this one cannot make."""
    text = Path("run/run.json").read_text().replace("tf-2.14", "tf-9.99")
    Path("run/run.json").write_text(text)
    assert kit("repeat", "run", "--out", "again") == 2
    assert "tf-9.99" in capsys.readouterr().err


def test_another_lock_is_among_what_differs(kit: Kit, original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wheel set that is not the original's is said, not passed over."""
    data = header("run")
    data["stacks"]["tf-2.14"]["installations"]["intel"]["lock_sha256"] = "00" * 32
    Path("run/run.json").write_text(json.dumps(data))
    assert kit("repeat", "run", "--out", "again") == 0
    assert tells(capsys.readouterr().out, "tf-2.14/intel: lock_sha256")
    assert list(conditions_that_differ("again")) == ["tf-2.14/intel: lock_sha256"]
