"""`compare --resume` on a fake engine: which launches it runs again, and which runs it refuses to go on with."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.catalogue.stacks import Installation, Stack
from runner.engines.protocol import Artifact, Notify, Outcome
from runner.errors import HostError
from runner.session.options import EngineOptions
from runner.session.resuming import resumed_with
from runner.storage import records, runs
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, in_blocks
from tests.runner.told import tells

Kit = Callable[..., int]


def rows(folder: str = "run") -> list[dict[str, str]]:
    """The lines of speedups.csv."""
    with (Path(folder) / "speedups.csv").open() as file:
        return list(csv.DictReader(file))


def test_ctrl_c_leaves_a_run_that_resume_completes_with_the_broken_block_whole(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interrupted in the middle of a block: its launches are run again in their order, and no complete block is.

    What had ended before keeps its record. In sequence, so that one launch of the block has.
    """
    planned: list[str] = []

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        planned[:] = [launch.launch_id for launch in runs.load(Path("run")).launches]
        if len(engine.ran) == 4:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*small, "--in-sequence") == 130
    assert "--resume run" in capsys.readouterr().err
    assert len(records.read(Path("run/records.jsonl"))) == 3
    assert engine.ran == planned[:4]
    engine.before_result, engine.ran = (lambda launch, result: None), []
    assert kit("compare", "--resume", "run") == 0
    assert engine.ran == planned[2:], "the block of the third and the fourth launch whole, and the blocks after it"
    out = capsys.readouterr().out
    assert tells(out, "6 of 8 launches", "1 of them again")
    assert [line[:3] for line in out.splitlines() if "images/s (" in line] == [f"{n}/8" for n in range(3, 9)]
    kept = [(record.launch_id, record.session) for record in records.read(Path("run/records.jsonl"))]
    assert kept == [(name, 1) for name in planned[:3]] + [(name, 2) for name in planned[2:]]
    assert engine.cleaned == ["run"], "after the interrupt"
    assert engine.swept == 2, "at each start"
    assert [row["status"] for row in rows()] == ["ok", "ok"]


def test_ctrl_c_in_a_block_that_lives_together_leaves_none_of_it_and_resume_runs_it_whole(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its launches end together, so that all have a record or none has; nothing of their FIFOs is left."""

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        if len(engine.ran) >= 4:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*small) == 130
    planned = [launch.launch_id for launch in runs.load(Path("run")).launches]
    assert [record.launch_id for record in records.read(Path("run/records.jsonl"))] == planned[:2]
    assert in_blocks(engine.ran, 2) == in_blocks(planned[:4], 2)
    assert not Path("run/turns").exists()
    engine.before_result, engine.ran = (lambda launch, result: None), []
    capsys.readouterr()
    assert kit("compare", "--resume", "run") == 0
    assert in_blocks(engine.ran, 2) == in_blocks(planned[2:], 2)
    out = capsys.readouterr().out
    assert tells(out, "6 of 8 launches")
    assert "again" not in out.split("images/s (")[0]
    assert [row["status"] for row in rows()] == ["ok", "ok"]


def test_a_launch_that_dies_ends_those_that_take_turns_with_it_and_resume_runs_all(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block is one failed block: each record has an error, and that of the one that was stopped names the other."""
    dead, stopped = "block2-tf-2.14-intel-vgg16-b4", "block2-tf-2.14-stock-vgg16-b4"
    engine.outcomes = {dead: Outcome(-9, 1.0, stopped_by_deadline=False, out_of_memory=False)}
    engine.waits_to_be_stopped = {stopped}
    assert kit(*small) == 1
    failures = {record.launch_id: record.failure for record in records.read(Path("run/records.jsonl"))}
    assert {name for name, failure in failures.items() if failure} == {dead, stopped}
    assert tells(str(failures[dead]), "failed", "signal 9")
    assert tells(str(failures[stopped]), "failed", "stopped", dead)
    assert rows()[1]["status"] == "partial"
    engine.outcomes, engine.ran, engine.waits_to_be_stopped = {}, [], set()
    capsys.readouterr()
    assert kit("compare", "--resume", "run") == 0
    assert sorted(engine.ran) == [dead, stopped]
    assert [row["status"] for row in rows()] == ["ok", "ok"]


def test_a_block_with_a_failed_launch_is_run_again_whole(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The launch that went well goes with the one that failed: they are measured beside one another, or not compared.

    A run without a broken block has nothing to be resumed for.
    """
    failing = "block2-tf-2.14-intel-vgg16-b4"
    engine.outcomes[failing] = Outcome(1, 1.0, stopped_by_deadline=False, out_of_memory=False)
    assert kit(*small) == 1
    assert tells(" ".join(capsys.readouterr().out.split()), "1 of 8 launches failed", "--resume")
    planned = [name for name in engine.ran if name.startswith("block2") and "vgg16" in name]
    assert sorted(planned) == [failing, "block2-tf-2.14-stock-vgg16-b4"]
    engine.outcomes, engine.ran = {}, []
    assert kit("compare", "--resume", "run") == 0
    assert sorted(engine.ran) == sorted(planned)
    engine.ran = []
    assert kit("compare", "--resume", "run") == 0
    assert engine.ran == []


def test_resume_without_a_name_takes_the_youngest_unfinished_run(kit: Kit, engine: FakeEngine) -> None:
    """Runs under results/runs are found by themselves, whole ones passed over."""
    kit("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "results/runs/whole")
    engine.outcomes["block1-tf-2.14-stock-alexnet-b8"] = Outcome(1, 1.0, stopped_by_deadline=False, out_of_memory=False)
    assert (
        kit("compare", "--topologies", "alexnet", "--batch-sizes", "8", "--blocks", "2", "--out", "results/runs/torn")
        == 1
    )
    engine.outcomes, engine.ran = {}, []
    assert kit("compare", "--resume") == 0
    assert set(engine.ran) == {f"block1-tf-2.14-{name}-alexnet-b8" for name in ("stock", "stock-onednn", "intel")}
    assert len(engine.ran) == 3
    assert kit("compare", "--resume") == 2


def test_resume_refuses_a_run_whose_conditions_have_changed(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """New launches that could not be divided by the old ones are not even begun; the field is named."""
    engine.before_result = _raise_interrupt
    kit(*small)
    header = json.loads(Path("run/run.json").read_text())
    header["machine_conditions"]["microcode"] = "0xother"
    Path("run/run.json").write_text(json.dumps(header))
    assert kit("compare", "--resume", "run") == 2
    assert tells(capsys.readouterr().err, "machine.microcode", "0xother")


def _raise_interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_an_engine_that_fails_in_mid_run_keeps_what_is_done_and_says_how_to_go_on(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dead engine ends the run with its own error and exit code; --resume is named and completes it."""

    def dies(_launch: Launch, _result: dict[str, Any]) -> None:
        if len(engine.ran) >= 3:
            raise HostError("the engine is gone")

    engine.before_result = dies
    assert kit(*small) == 3
    error = capsys.readouterr().err
    assert "the engine is gone" in error
    assert "--resume run" in error
    assert len(records.read(Path("run/records.jsonl"))) == 2
    engine.before_result = lambda launch, result: None
    assert kit("compare", "--resume", "run") == 0


@pytest.mark.parametrize("key", ["base_image_id", "python"])
def test_a_run_is_not_gone_on_with_on_another_base(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    """Same lock, same workload, another C library or interpreter: such launches cannot be divided by each other."""
    plain = engine.prepare
    before = {"image_id": "an image", "base_image_id": "a base", "python": "3.11.7"}

    def on(base: str) -> None:
        def prepare(stack: Stack, installation: Installation, notify: Notify) -> Artifact:
            made = plain(stack, installation, notify)
            return replace(made, provenance={**made.provenance, **before, key: base})

        engine.prepare = prepare  # type: ignore[method-assign]

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    on("one")
    engine.before_result = interrupt
    assert kit(*small) == 130
    engine.before_result = lambda launch, result: None
    on("another")
    assert kit("compare", "--resume", "run") == 2
    assert tells(capsys.readouterr().err, f"tf-2.14.stock.{key}", "one", "another")
    on("one")
    assert kit("compare", "--resume", "run") == 0


def test_a_run_is_gone_on_with_in_the_python_that_it_used(kit: Kit, engine: FakeEngine) -> None:
    """Although another Python, which the stack prefers, has come to the host since."""
    plain, prepared = engine.prepare, []

    def without_the_preferred(stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        return plain(stack, stack.for_python("3.12").installations[installation.name], notify)

    def with_any(stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        prepared.append((stack.pythons, installation.lock.parent.name))
        return plain(stack, installation, notify)

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    engine.prepare, engine.before_result = without_the_preferred, interrupt  # type: ignore[method-assign]
    command = ["compare", "--stack", "tf-2.21", "--topologies", "alexnet", "--variants", "stock,stock-onednn"]
    assert kit(*command, "--blocks", "2", "--no-probe", "--no-peak", "--out", "run") == 130
    assert runs.load(Path("run")).about.stacks["tf-2.21"].python == "3.12"
    engine.prepare, engine.before_result = with_any, lambda launch, result: None  # type: ignore[method-assign]
    assert kit("compare", "--resume", "run") == 0
    assert prepared == [(("3.12",), "python3.12")]


def test_a_resumed_run_takes_the_images_that_it_began_with(kit: Kit, small: Sequence[str]) -> None:
    """Images are remembered by id, so that what was built since under the same tag has no effect."""
    assert kit(*small) == 0
    run = runs.load(Path("run"))
    made = run.header["stacks"]["tf-2.14"]["installations"]["stock"]
    made["image_id"] = "sha256:then"
    assert resumed_with(EngineOptions(), run).recorded_images["tf-2.14", "stock"]["image_id"] == "sha256:then"


def test_a_closed_terminal_ends_a_run_as_ctrl_c_does(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """SIGHUP is an interrupt, unless nohup has made it one to be ignored."""
    engine.before_result = lambda launch, result: os.kill(os.getpid(), signal.SIGHUP)
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        assert kit(*small) == 130
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        assert kit("compare", "--resume", "run") == 0
    finally:
        signal.signal(signal.SIGHUP, before)
