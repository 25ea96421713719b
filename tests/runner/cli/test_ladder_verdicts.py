"""What a ladder says of its steps: clear, inert, failed, not comparable; and of its product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.engines.protocol import Outcome
from runner.evidence import store
from runner.evidence.probed import Evidence, Subject
from runner.evidence.verdicts import Verdict
from runner.planning.ladder_file import WHOLE
from runner.report.measured import measured
from runner.storage import runs
from runner.vocabulary import Launch
from tests.runner.cli.ladders import FIRST, HEAD, LADDER, factors, result_of, rung, with_openmp
from tests.runner.fake_engine import FakeEngine

Kit = Callable[..., int]


def test_steps_are_called_clear_with_an_interval_that_holds_for_all_of_them(
    kit: Kit, ladder: list[str], engine: FakeEngine
) -> None:
    """Among three steps one is clear by itself and not with the interval that allows for having picked it."""
    ladder[4] = "4"
    noisy = {"block1": 0.4616, "block2": 0.4094, "block3": 0.4094, "block4": 0.3631}

    def noise(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if launch.cell.variant in ("wheel", "blocktime", "top"):
            for step in result["steps"]:
                step["seconds"] = noisy[launch.launch_id.split("-")[0]] if launch.cell.variant != "top" else 0.1

    engine.seconds = {**engine.seconds, "slow": 0.5}
    engine.before_result = noise
    kit(*ladder)
    wheel = result_of().steps[1].ratio
    assert wheel is not None
    assert wheel.low > 1
    text = Path("run/report.md").read_text()
    assert "Clear steps (95% for all 7 comparisons of the run at once), the largest first: the top " in text
    assert "the wheel" not in text.split("Clear steps")[1].split("inert here")[0]


def test_the_report_says_what_the_product_can_tell(kit: Kit, ladder: list[str]) -> None:
    """It is the last launch over the first in each block, so it confirms no single step."""
    assert kit(*ladder) == 0
    text = Path("run/report.md").read_text()
    assert "does not confirm single steps" in text
    assert "their product is the whole" not in text


def test_a_product_that_is_not_the_whole_is_said_so(kit: Kit, ladder: list[str], engine: FakeEngine) -> None:
    engine.seconds = {**engine.seconds, f"{WHOLE}top": 0.25}
    assert kit(*ladder) == 0
    assert result_of().agrees is False
    text = Path("run/report.md").read_text()
    assert "DO NOT AGREE" in text
    assert "they do NOT agree" in text


def test_a_rung_that_the_build_ignores_is_inert_by_evidence_and_not_run_again(
    kit: Kit, ladder: list[str], engine: FakeEngine
) -> None:
    """Without OpenMP nothing reads KMP_BLOCKTIME: no factor, though its launches were faster, and the chain goes on."""
    engine.before_result = lambda launch, result: None
    assert kit(*ladder) == 0
    result = result_of()
    step = result.steps[2]
    assert (step.status, step.ratio) == ("inert", None)
    assert step.reason == "no OpenMP runtime is mapped in the process, so nothing reads it"
    assert (result.steps[3].reference, factors(result)["top"]) == ("wheel", 4.0)
    assert result.agrees is True
    assert [name for name in engine.ran if "-blocktime-" in name] == ["block1-tf-2.14-blocktime-resnet50-b4"]
    everything = measured(runs.load(Path("run")))
    assert everything.unfinished == 0
    assert "inert" in Path("run/ladder.svg").read_text()


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        ("omp_max_threads", "the OpenMP runtime reports 2 threads with and without"),
        ("onednn", "TensorFlow says that oneDNN is on with and without"),
        ("thread_count", "the process has 1 threads with and without"),
        ("thread_cpus", "its threads are bound alike with and without"),
    ],
)
def test_a_rung_whose_sign_does_not_show_is_inert(
    kit: Kit, ladder: list[str], in_folder: Path, sign: str, reason: str
) -> None:
    """What a change acts through is the same in the launches before and after it."""
    text = LADDER.replace("inter_op_threads = 1", f'inter_op_threads = 1\nacts_through = ["{sign}"]')
    (in_folder / "mine.toml").write_text(text)
    assert kit(*ladder) == 0
    step = result_of().steps[3]
    assert step.status == "inert"
    assert step.reason.startswith(reason)


def test_a_rung_whose_sign_shows_is_measured(kit: Kit, ladder: list[str], in_folder: Path, engine: FakeEngine) -> None:
    """The process has one thread more, so the rung gets a factor."""

    def one_more(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if launch.cell.variant.endswith("top"):
            result["evidence"]["threads"] *= 2

    (in_folder / "mine.toml").write_text(
        LADDER.replace("inter_op_threads = 1", 'inter_op_threads = 1\nacts_through = ["thread_count"]')
    )
    engine.before_result = one_more
    assert kit(*ladder) == 0
    assert factors(result_of())["top"] == 2.0


def test_a_switch_that_tensorflow_did_not_need_is_inert_and_the_default_is_told(
    kit: Kit, ladder: list[str], in_folder: Path, engine: FakeEngine
) -> None:
    """The main ladder's first two rungs, on a host whose TensorFlow leaves oneDNN off by itself, and on the others."""
    shipped = FIRST.replace('layout = "NHWC"', 'declared = false\nlayout = "NHWC"')
    off = 'declared = true\nacts_through = ["onednn"]'
    (in_folder / "mine.toml").write_text(
        HEAD + rung("slow", shipped) + rung("wheel", off) + rung("top", "inter_op_threads = 1")
    )
    for by_itself, status in ((False, "inert"), (True, "ok")):

        def says(launch: Launch, result: dict[str, Any], on: bool = by_itself) -> None:
            result["mkl_enabled"] = on and "TF_ENABLE_ONEDNN_OPTS" not in launch.environment

        engine.before_result = says
        folder = f"run-{status}"
        assert kit(*ladder[:-1], folder) == 0
        assert result_of(folder).steps[1].status == status
        word = "on" if by_itself else "off"
        assert f"has oneDNN {word} (observed by 4 launches" in Path(folder, "report.md").read_text()


def test_a_launch_that_says_nothing_of_onednn_makes_no_rung_inert(
    kit: Kit, ladder: list[str], in_folder: Path, engine: FakeEngine
) -> None:
    """Two launches that both say nothing have not shown the same state."""

    def silent(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        result["mkl_enabled"] = None

    text = LADDER.replace("inter_op_threads = 1", 'inter_op_threads = 1\nacts_through = ["onednn"]')
    (in_folder / "mine.toml").write_text(text)
    engine.before_result = silent
    assert kit(*ladder) == 0
    assert result_of().steps[3].status == "ok"


def test_a_probes_verdict_makes_a_rung_inert(kit: Kit, ladder: list[str]) -> None:
    """evidence.jsonl in the run's folder counts as evidence, if it was passed; redrawing is enough."""
    assert kit(*ladder) == 0
    subject = Subject("tf-2.14", "intel", "resnet50")
    verdict = Verdict("inert:KMP_BLOCKTIME", passed=True, text="The setting was inert because of this.")
    store.append(Path("run"), Evidence(subject, 2, "key", verdicts=(verdict,)))
    assert kit("report", "run") == 0
    assert (result_of().steps[2].status, result_of().steps[2].reason) == ("inert", verdict.text)
    store.append(Path("run"), Evidence(subject, 2, "key", verdicts=(replace(verdict, passed=None),)))
    assert result_of().steps[2].status == "ok"


def test_a_rung_that_fails_is_stepped_over_and_the_next_one_says_so(
    kit: Kit, ladder: list[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in (1, 2):
        engine.outcomes[f"block{block}-tf-2.14-blocktime-resnet50-b4"] = Outcome(
            -9, 5.0, stopped_by_deadline=False, out_of_memory=True
        )
    assert kit(*ladder) == 1
    result = result_of()
    assert (result.steps[2].status, result.steps[2].ratio) == ("out_of_memory", None)
    assert factors(result)["top"] == 4.0
    assert result.steps[3].reason == "compared with wheel, because blocktime could not be measured"
    assert result.agrees is True
    assert "killed by the kernel" in capsys.readouterr().out


def test_a_ladder_whose_last_rung_fails_has_no_product(kit: Kit, ladder: list[str], engine: FakeEngine) -> None:
    """A product that does not reach the last rung is not held against the whole."""
    for block in (1, 2):
        engine.outcomes[f"block{block}-tf-2.14-top-resnet50-b4"] = Outcome(
            1, 5.0, stopped_by_deadline=False, out_of_memory=False
        )
    assert kit(*ladder) == 1
    result = result_of()
    assert result.product is None
    assert result.agrees is None
    assert "not every rung has a complete block" in Path("run/report.md").read_text()


def test_what_is_not_declared_may_not_differ_between_rungs(kit: Kit, ladder: list[str], engine: FakeEngine) -> None:
    """Threads may differ where a rung sets them; the version of TensorFlow may not, and is named."""

    def another_version(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if launch.cell.variant == "top":
            result["versions"]["tensorflow"] = "2.13.0"

    engine.before_result = another_version
    assert kit(*ladder) == 1
    step = result_of().steps[3]
    assert (step.status, step.ratio) == ("not_comparable", None)
    assert step.reason == "conditions differ: versions.tensorflow (2.14.0 / 2.13.0)"
    assert result_of().product is None


def test_rungs_that_train_something_else_are_flagged(kit: Kit, ladder: list[str], engine: FakeEngine) -> None:
    def other_training(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if launch.cell.variant == "top":
            result["steps"][0]["loss"] += 1

    engine.before_result = other_training
    assert kit(*ladder) == 1
    assert (result_of().steps[3].status, factors(result_of())["top"]) == ("losses_differ", 2.0)


def test_a_first_rung_that_failed_says_so_though_its_losses_differ_too(
    kit: Kit, ladder: list[str], engine: FakeEngine
) -> None:
    """The failure is told at the first rung, the differing losses at the next one."""

    def other_training(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if launch.cell.variant == "slow" and launch.block == 1:
            result["steps"][0]["loss"] += 1

    ladder[4] = "4"
    engine.before_result = other_training
    name = "block2-tf-2.14-slow-resnet50-b4"
    engine.outcomes[name] = Outcome(1, 5.0, stopped_by_deadline=False, out_of_memory=False)
    assert kit(*ladder) == 1
    first, second = result_of().steps[:2]
    assert (first.status, second.status) == ("partial", "losses_differ")


def test_the_share_of_the_articles_figure_is_a_ratio_of_logarithms(kit: Kit, ladder: list[str]) -> None:
    """A baseline half as fast explains log 2 / log 7.4 = 35% of 7.4X all alone."""
    assert kit(*ladder) == 0
    text = Path("run/report.md").read_text()
    assert "with the side, the rung slow is already 2.00x [2.00, 2.00], both with tensorflow-cpu" in text
    assert "35% [35%, 35%] of the article's 7.4X" in text
