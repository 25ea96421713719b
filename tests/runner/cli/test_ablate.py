"""`ablate` from end to end on a fake engine: exact factors, pins, resume, schema, redrawing, built-in ladders."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.catalogue.debian_libraries import DebianLibrary, find_library
from runner.machine import format_cpu_list, read_machine
from runner.planning.ladder_file import WHOLE, load_ladder
from runner.report.measured import measured
from runner.storage import records, runs
from runner.vocabulary import Launch
from tests.runner.cli.ladders import FIRST, HEAD, LADDER, SECONDS, factors, result_of, rung, with_openmp
from tests.runner.cli.test_compare import SCHEMA
from tests.runner.fake_engine import FakeEngine
from tests.runner.sysroots import TreeRoot, isolated, tree

Kit = Callable[..., int]


def test_factors_are_exact_and_their_product_is_the_whole(
    kit: Kit, ladder: list[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step doubles the speed, so the product is 8, and so is the whole in launches of its own."""
    assert kit(*ladder) == 0
    result = result_of()
    assert factors(result) == {"slow": None, "wheel": 2.0, "blocktime": 2.0, "top": 2.0, "side": 0.5}
    assert result.product is not None
    assert result.whole is not None
    assert (result.product.value, result.product.low, result.whole.value) == pytest.approx((8.0, 8.0, 8.0))
    assert result.agrees is True
    assert len(engine.ran) == 2 * (5 + 2)
    out = " ".join(capsys.readouterr().out.split())
    for words in ("the wheel", "2.00x", "faster", "product of the rungs", "they agree within the interval"):
        assert words in out


def preloads(launch: Launch, result: dict[str, Any]) -> None:
    """What a launch shows whose allocator was preloaded."""
    if launch.allocator is not None:
        result["observed"]["environment"]["LD_PRELOAD"] = f"/launch/job/{launch.allocator.file}"
        library = {"name": launch.allocator.file, "path": f"/launch/job/{launch.allocator.file}"}
        result["evidence"]["mapped_libraries"].append(library)


@pytest.fixture
def with_allocator(in_folder: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A ladder whose second rung preloads a library, which the cache has."""
    content = b"a library"
    made = DebianLibrary("tiny", "libtiny1", "1", "pool/tiny.deb", "0" * 64, "lib/libtiny.so.1",
                     hashlib.sha256(content).hexdigest(), "r", "s", is_allocator=True)  # fmt: skip
    known = {"tiny": made, **{name: find_library(name) for name in ("jemalloc", "tcmalloc")}}
    monkeypatch.setattr("runner.catalogue.debian_libraries._load", lambda: known)
    monkeypatch.setenv("KIT_CACHE", str(in_folder / "cache"))
    cached = in_folder / "cache" / "libraries" / made.library_sha256 / "libtiny.so.1"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    (in_folder / "mine.toml").write_text(HEAD + rung("slow", FIRST) + rung("top", 'allocator = "tiny"'))
    engine.seconds, engine.before_result = {**SECONDS, f"{WHOLE}slow": 1.0, f"{WHOLE}top": 0.125}, preloads
    return ["ablate", "--ladder", "./mine.toml", "--blocks", "2", "--out", "run"]


def test_a_rungs_allocator_is_in_each_launch_and_in_the_record(
    kit: Kit, with_allocator: list[str], in_folder: Path, engine: FakeEngine
) -> None:
    """A launch gets the run's own copy, also after --resume, when the cache is gone."""

    def interrupt(launch: Launch, result: dict[str, Any]) -> None:
        preloads(launch, result)
        if len(engine.ran) == 6:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*with_allocator) == 130
    shutil.rmtree(in_folder / "cache")
    engine.before_result = preloads
    assert kit("ablate", "--resume", "run") == 0
    assert factors(result_of())["top"] == pytest.approx(8.0)
    copies = {path.parent.parent.name for path in Path("run/launches").glob("*/job/libtiny.so.1")}
    assert {name.split("-")[3] for name in copies} == {"top", "whole"}
    header = json.loads(Path("run/run.json").read_text(encoding="utf-8"))
    jsonschema.validate(header, json.loads(SCHEMA.with_name("run.schema.json").read_text(encoding="utf-8")))
    assert header["ladder"]["stacks"]["tf-2.14"][1]["changes"] == [["allocator", "the C library's", "tiny"]]
    Path("run/allocators/libtiny.so.1").write_bytes(b"another")
    assert kit("ablate", "--resume", "run") == 2


@pytest.mark.parametrize("seen", ["not preloaded", "not mapped", "another"])
def test_an_allocator_that_was_not_loaded_spoils_the_launch(
    kit: Kit, with_allocator: list[str], engine: FakeEngine, seen: str
) -> None:
    """The loader only warns of a library that needs a newer C library, and goes on without it."""

    def spoilt(launch: Launch, result: dict[str, Any]) -> None:
        if launch.allocator is None:
            return
        if seen != "not preloaded":
            name = launch.allocator.file if seen == "not mapped" else "libother.so"
            result["observed"]["environment"]["LD_PRELOAD"] = f"/launch/job/{name}"

    engine.before_result = spoilt
    assert kit(*with_allocator) == 1
    errors = {record.error["message"] for record in runs.load(Path("run")).read_records() if record.error}
    assert len(errors) == 1
    assert "allocator mapped False instead of True" in next(iter(errors))


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a pin of its own takes a second CPU")
def test_a_rung_may_have_a_pin_of_its_own_and_its_record_says_so(
    kit: Kit, ladder: list[str], in_folder: Path, engine: FakeEngine
) -> None:
    """The engine is given the rung's pin, the record holds it, and the step is not refused for it."""
    (in_folder / "mine.toml").write_text(LADDER + rung("everywhere", 'pin = "all"', of="slow"))
    engine.seconds = {**engine.seconds, "everywhere": 0.5}
    cpu = min(os.sched_getaffinity(0))
    assert kit(*ladder, "--cpus", str(cpu)) == 0
    assert factors(result_of())["everywhere"] == 2.0
    pins = {record.cell.variant: record.conditions["pin"]["cpus"] for record in runs.load(Path("run")).read_records()}
    assert (pins["slow"], pins["everywhere"]) == (str(cpu), format_cpu_list(os.sched_getaffinity(0)))


def test_an_interrupted_ladder_goes_on_where_it_was(
    kit: Kit, ladder: list[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """After Ctrl-C the first block stays; --resume finds the ladder by itself and runs the broken one again whole."""
    ladder[-1] = "results/runs/ladder"

    def interrupt(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if len(engine.ran) == 11:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*ladder) == 130
    assert "ablate --resume results/runs/ladder" in capsys.readouterr().err
    assert len(records.read(Path("results/runs/ladder/records.jsonl"))) == 10
    engine.before_result, engine.ran = with_openmp, []
    assert kit("compare", "--resume", "results/runs/ladder") == 2
    assert "ablate --resume" in capsys.readouterr().err
    assert kit("compare", "--resume") == 2
    assert kit("ablate", "--resume") == 0
    assert engine.ran == [each.launch_id for each in runs.load(Path("results/runs/ladder")).launches if each.block == 2]
    assert len(engine.ran) == 7
    assert result_of("results/runs/ladder").agrees is True
    assert kit("ablate", "--resume") == 2
    assert "no unfinished run" in capsys.readouterr().err


def test_a_ladders_broken_block_is_run_again_with_its_inert_rung_and_the_next_without(
    kit: Kit, ladder: list[str], engine: FakeEngine
) -> None:
    """A block counts whole from one session: what an earlier one had in it, the later one has too, and no rung more."""
    inert = "blocktime"

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:  # without OpenMP nothing reads KMP_BLOCKTIME
        if len(engine.ran) == 7:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*ladder) == 130
    engine.before_result, engine.ran = (lambda launch, result: None), []
    assert kit("ablate", "--resume", "run") == 0
    first, second = (
        [launch.launch_id for launch in runs.load(Path("run")).launches if launch.block == block] for block in (1, 2)
    )
    assert engine.ran == [*first, *(name for name in second if f"-{inert}-" not in name)]
    step = next(step for step in result_of().steps if step.rung.id == inert)
    assert step.status == "inert"
    assert kit("ablate", "--resume", "run") == 0
    assert len(engine.ran) == 7 + 6


def test_a_comparison_is_not_resumed_as_a_ladder(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """The command that goes on with a run is the one that began it."""
    assert kit("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run") == 0
    assert kit("ablate", "--resume", "run") == 2
    assert "compare --resume run" in capsys.readouterr().err


def test_records_fit_the_schema_and_the_report_is_drawn_again_to_the_same_bytes(kit: Kit, ladder: list[str]) -> None:
    """A ladder's records are records like all others, and everything derived comes from them and run.json."""
    assert kit(*ladder) == 0
    schema = json.loads(SCHEMA.read_text())
    for line in Path("run/records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)
    derived = [Path("run") / name for name in ("ladder.svg", "ladder.png", "report.md", "report.html", "speedups.csv")]
    before = [hashlib.sha256(path.read_bytes()).hexdigest() for path in derived]
    for path in derived:
        path.unlink()
    assert kit("report", "run") == 0
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in derived] == before
    text = Path("run/report.md").read_text()
    for words in ("My causes", "a sentence of blocktime", "share of 7.4X", "What each rung is worth", "ladder.svg"):
        assert words in text
    assert "## Figure 1" not in text


def test_a_comparison_shows_nothing_of_a_ladder(kit: Kit) -> None:
    """A part for which a run has no data adds no section."""
    assert kit("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run") == 0
    assert not Path("run/ladder.svg").exists()
    text = Path("run/report.md").read_text()
    for words in ("What each rung is worth", "The product compared with the whole", "ladder.svg"):
        assert words not in text


def test_dry_run_notes_what_makes_the_host_uneven(
    kit: Kit, ladder: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ladder on isolated CPUs says what its product can be worth before anything runs."""
    machine = read_machine(TreeRoot(files=tree(isolated(None))))
    monkeypatch.setattr("runner.session.this_host.read_machine", lambda _sysroot: machine)
    assert kit(*ladder, "--dry-run", "--cpus", "4-7") == 0
    assert "note     The CPUs 4-7 of the pin are isolated" in capsys.readouterr().out


def test_dry_run_prints_the_rungs_and_makes_nothing(
    kit: Kit, ladder: list[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit(*ladder, "--dry-run") == 0
    assert "KMP_BLOCKTIME: not set -> 1" in capsys.readouterr().out
    assert not engine.ran
    assert not Path("run").exists()


@pytest.mark.parametrize("name", ["main", "isa", "blocktime"])
def test_the_built_in_ladders_run(kit: Kit, engine: FakeEngine, name: str) -> None:
    """Each built-in ladder goes from end to end; equal speeds make a whole of 1 that the product agrees with."""
    ladder = load_ladder(name)
    ids = [rung.id for rung in (*ladder.rungs, *ladder.branches)]
    engine.seconds = dict.fromkeys([*ids, *(WHOLE + each for each in ids)], 1.0)
    arguments = ("--topologies", "alexnet,resnet50", "--batch-sizes", "4", "--blocks", "2", "--out", "run")
    assert kit("ablate", "--ladder", name, *arguments) == 0
    assert [result.agrees for result in measured(runs.load(Path("run"))).ladders] == [True, True]


def test_odd_blocks_are_refused(kit: Kit, ladder: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The order of the rungs is mirrored from block to block."""
    ladder[4] = "3"
    assert kit(*ladder) == 2
    assert "odd" in capsys.readouterr().err
