"""Container over process: paired by launch, judged over all cells together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from workload.job import validate_job

from runner.cli import main
from runner.cli.engine_ratio import BLOCKS, by_turns, engine_ratios, verdict
from runner.cli.engines import Engines
from runner.errors import HostError
from runner.planning.job import training_job
from runner.planning.plan import Plan
from runner.session.opening import Ready
from runner.storage.records import Record
from runner.vocabulary import Launch, Steps, TurnSize
from tests.runner.builders import plan, record
from tests.runner.fake_engine import FakeEngine


@dataclass(frozen=True)
class PlannedOnly:
    """A planned comparison of which only the plan is looked at."""

    plan: Plan

    @property
    def launches(self) -> Sequence[Launch]:
        """The plan's launches."""
        return self.plan.launches


def runs(container: list[float], process: list[float], variants: Sequence[str] = ("intel",)) -> dict[str, list[Record]]:
    """The same launches of each variant on both engines, with these step seconds block by block."""
    return {
        name: [
            record(variant, block, [9.0, seconds, seconds])
            for variant in variants
            for block, seconds in enumerate(each, start=1)
        ]
        for name, each in (("docker", container), ("venv", process))
    }


def test_launches_are_paired_by_their_names() -> None:
    """A launch that only one engine ended well is left out."""
    records = runs([1.0, 2.0], [2.0, 2.0])
    records["venv"][1] = record("intel", 2, error={"kind": "failed", "message": "why"})
    assert list(engine_ratios(records).values()) == [{1: pytest.approx(2.0)}]


def test_noise_is_no_clear_difference() -> None:
    """Ratios on both sides of 1 are reported as no clear difference, with the ratio and its interval."""
    words = verdict(runs([1.0, 1.1, 0.9, 1.0], [1.1, 1.0, 1.0, 0.95]))
    assert words.startswith("container and process: no clear difference (1.01x [0.")
    assert words.endswith("], all cells together)")


def test_a_slow_container_is_caught_with_as_many_blocks_as_are_measured() -> None:
    """A container that takes 1.5 times as long, under noise of a tenth, is a difference with the kit's own sizes."""
    noise = [0.95, 1.05, 1.0, 0.98]
    assert len(noise) == BLOCKS
    words = verdict(runs([1.5 * each for each in noise], [1.0] * BLOCKS, ["stock", "stock-onednn", "intel"]))
    assert words.startswith("container and process differ: 0.670x [")


def test_a_cell_that_one_engine_could_not_run_is_named() -> None:
    """That the other cells agree tells nothing of this one."""
    records = runs([1.0] * BLOCKS, [1.0] * BLOCKS, ["stock", "intel"])
    failed = [record("intel", block, error={"kind": "failed", "message": "why"}) for block in range(1, BLOCKS + 1)]
    records["docker"] = [each for each in records["docker"] if each.cell.variant == "stock"] + failed
    assert verdict(records) == "container and process: nothing to compare: no block has both for ResNet50 intel"


def test_nothing_measured_is_said() -> None:
    """One block alone allows no comparison."""
    assert "nothing to compare" in verdict(runs([1.0], [1.0]))
    assert "nothing to compare" in verdict({"docker": [], "venv": []})


def both(container: FakeEngine, process: FakeEngine) -> Engines:
    """A host where both engines answer."""
    return {"docker": lambda _arguments: container, "venv": lambda _arguments: process}


def container_engine() -> FakeEngine:
    """A fake engine that says it is Docker."""
    return FakeEngine(name="docker", cannot_enforce=())


BENCH = ("bench", "--topologies", "alexnet")


def test_bench_runs_the_same_launches_on_both_engines(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four blocks of three variants on each, beside the bench's own two blocks in containers."""
    container, process = container_engine(), FakeEngine()
    assert main(BENCH, both(container, process)) == 0
    assert (len(container.ran), len(process.ran)) == (6 + 3 * BLOCKS, 3 * BLOCKS)
    assert [name.removesuffix("-docker") for name in container.ran[6:]] == [
        name.removesuffix("-venv") for name in process.ran
    ]
    out = capsys.readouterr().out
    assert "container and process: no clear difference (1.00x" in " ".join(out.split())
    # A block of the fake engine takes ten seconds, and has a launch of either engine.
    left = [line for line in out.splitlines() if line.startswith("~")]
    assert (len(left), left[0], left[-1]) == (11, "~1:50 left", "~0:10 left")


@pytest.mark.parametrize(("stacks", "variants"), [("tf-1.12", 2), ("tf-2.14", 3), ("tf-2.14,tf-1.12", 5)])
def test_either_engine_is_first_in_half_of_a_variants_blocks(
    in_folder: Path, capsys: pytest.CaptureFixture[str], stacks: str, variants: int
) -> None:
    """What a launch leaves to the next one (a warm file cache, a warm processor) is no engine's advantage."""
    assert main((*BENCH, "--stack", stacks), both(container_engine(), FakeEngine())) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if f"/{variants * BLOCKS}  block" in line]
    assert len(lines) == 2 * variants * BLOCKS
    first = Counter((words[0], *words[4:6]) for words in lines[::2])  # engine, stack, variant
    assert len(first) == 2 * variants
    assert set(first.values()) == {BLOCKS // 2}


def test_a_process_that_cannot_be_made_ready_is_told_before_anything_is_measured(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Minutes of measuring are not spent on a comparison that has no second half."""
    container, process = container_engine(), FakeEngine()

    def refuse(*_: object) -> None:
        raise HostError("There is no Python 3.11 here.")

    monkeypatch.setattr(process, "prerequisites", refuse)
    assert main(BENCH, both(container, process)) == 3
    assert container.ran == []
    assert "no Python 3.11" in capsys.readouterr().err


def test_a_memory_limit_leaves_the_comparison_out(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A process cannot be held to a memory limit. The bench itself goes on in containers."""
    container, process = container_engine(), FakeEngine()

    def limited(_launch: Launch, result: dict[str, Any]) -> None:
        result["observed"]["cgroup"]["memory_limit_bytes"] = 8 * 2**30

    container.before_result = limited
    assert main((*BENCH, "--memory", "8g"), both(container, process)) == 0
    assert (len(container.ran), process.ran) == (6, [])
    assert "--memory" in capsys.readouterr().out


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
def test_every_job_of_the_comparison_is_one_that_the_workload_takes(steps: int) -> None:
    """The workload refuses a job whose turns have another sum of steps than it says."""
    request = plan(blocks=2, steps=Steps(2, steps), turns=TurnSize(2, 1.0))
    ready = Ready(cast(Any, PlannedOnly(request)), cast(Any, None), {})
    for side in by_turns({"docker": ready, "venv": ready}).values():
        for launch in side.planned.launches:
            validate_job(training_job(launch))
