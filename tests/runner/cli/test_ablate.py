"""`ablate` from end to end on a fake engine: exact factors, product and whole, inert rungs, failures, resume."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner import records, runs
from runner.engines.protocol import Outcome
from runner.evidence import store
from runner.evidence.probed import Evidence, Subject
from runner.evidence.verdicts import Verdict
from runner.ladder import WHOLE, load_ladder
from runner.machine import format_cpu_list
from runner.report.measured import measured
from runner.stats.ladder import LadderResult
from runner.vocabulary import Launch
from tests.runner.cli.test_compare import SCHEMA
from tests.runner.fake_engine import FakeEngine

Kit = Callable[..., int]

HEAD = 'schema_version = 1\nname = "mine"\ntitle = "My causes"\nsource = "s"\nbkms = "article"\n'
FIRST = 'variant = "stock"\nlayout = "NHWC"\npin = "pinned"'
# Step seconds; exact binary fractions keep ratios exact.
SECONDS = {"slow": 1.0, "wheel": 0.5, "blocktime": 0.25, "top": 0.125, "side": 2.0}


def rung(name: str, change: str, *, of: str = "") -> str:
    """One rung of a ladder file, or a branch."""
    texts = f'id = "{name}"\ntitle = "the {name}"\nsentence = "a sentence of {name}"\nsource = "s"\n{change}\n'
    return f'[[branches]]\nof = "{of}"\n{texts}' if of else f"[[rungs]]\n{texts}"


LADDER = (
    HEAD
    + rung("slow", FIRST)
    + rung("wheel", 'variant = "intel"')
    + rung("blocktime", 'bkms = ["KMP_BLOCKTIME"]\nacts_through = ["openmp"]')
    + rung("top", "inter_op_threads = 1")
    + rung("side", "intra_op_threads = 1\ncould_be_baseline = true", of="slow")
)


@pytest.fixture
def ladder(in_folder: Path, engine: FakeEngine) -> list[str]:
    """The command line of a ladder of four rungs and a branch in two blocks, with speeds that multiply."""
    (in_folder / "mine.toml").write_text(LADDER)
    engine.seconds = {**SECONDS, f"{WHOLE}slow": 1.0, f"{WHOLE}top": 0.125}
    engine.before_result = with_openmp
    return ["ablate", "--ladder", "./mine.toml", "--blocks", "2", "--out", "run"]


def with_openmp(launch: Launch, result: dict[str, Any]) -> None:
    """Intel's wheel has an OpenMP runtime in it."""
    if launch.installation == "intel":
        result["observed"]["omp_max_threads"] = 2


def result_of(folder: str = "run") -> LadderResult:
    """The only ladder of a run."""
    (only,) = measured(runs.load(Path(folder))).ladders
    return only


def factors(result: LadderResult) -> dict[str, float | None]:
    """Each step's factor."""
    return {step.rung.id: step.ratio.value if step.ratio else None for step in (*result.steps, *result.branches)}


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
    assert "Clear steps (95%, simultaneous over 3 steps), the largest first: the top " in text
    assert "the wheel" not in text.split("Clear steps")[1].split("inert here")[0]


def test_the_report_says_what_the_product_can_tell(kit: Kit, ladder: list[str]) -> None:
    """It is the last launch over the first in each block, so it confirms no single step."""
    assert kit(*ladder) == 0
    text = Path("run/report.md").read_text()
    assert "It does not confirm single steps" in text
    assert "their product is the whole" not in text


def test_a_product_that_is_not_the_whole_is_said_so(kit: Kit, ladder: list[str], engine: FakeEngine) -> None:
    """If the direct measurement gives another figure than the steps multiply to, the report says that they disagree."""
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
        ("omp_max_threads", "the OpenMP runtime answers 2 threads with and without it"),
        ("thread_count", "the process has 1 threads with and without it"),
        ("thread_cpus", "its threads are bound alike with and without it (1 on CPUs "),
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
    """One thread more in the process, and the rung has a factor."""

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
    """The failed rung keeps its reason, the next is compared with the one before, and the exit code is 1."""
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
    """The first two losses of neighbouring rungs must agree."""

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
    """Neither hides the other: the failure stands at the first rung, the losses at the next one."""

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
    """After Ctrl-C the finished launches stay; --resume finds the ladder by itself and runs exactly the others."""
    ladder[-1] = "results/runs/ladder"

    def interrupt(launch: Launch, result: dict[str, Any]) -> None:
        with_openmp(launch, result)
        if len(engine.ran) == 6:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*ladder) == 130
    assert "ablate --resume results/runs/ladder" in capsys.readouterr().err
    assert len(records.read(Path("results/runs/ladder/records.jsonl"))) == 5
    finished = set(engine.ran[:5])
    engine.before_result, engine.ran = with_openmp, []
    assert kit("compare", "--resume", "results/runs/ladder") == 2
    assert "ablate --resume" in capsys.readouterr().err
    assert kit("compare", "--resume") == 2
    assert kit("ablate", "--resume") == 0
    assert len(engine.ran) == 9
    assert not finished & set(engine.ran)
    assert result_of("results/runs/ladder").agrees is True
    assert kit("ablate", "--resume") == 2
    assert "no unfinished run" in capsys.readouterr().err


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


def test_the_share_of_the_articles_figure_is_a_ratio_of_logarithms(kit: Kit, ladder: list[str]) -> None:
    """A baseline half as fast explains log 2 / log 7.4 = 35% of 7.4X all alone."""
    assert kit(*ladder) == 0
    text = Path("run/report.md").read_text()
    assert "against a baseline with the side, slow alone is 2.00x [2.00, 2.00], both with tensorflow-cpu" in text
    assert "35% [35%, 35%] of the article's 7.4X" in text


def test_a_comparison_shows_nothing_of_a_ladder(kit: Kit) -> None:
    """A part for which a run has no data adds no section."""
    assert kit("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run") == 0
    assert not Path("run/ladder.svg").exists()
    assert "rung" not in Path("run/report.md").read_text()


def test_dry_run_prints_the_rungs_and_makes_nothing(
    kit: Kit, ladder: list[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """--dry-run shows what each rung changes."""
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
