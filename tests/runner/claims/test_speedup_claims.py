"""The 7.4X and other speedups of single bars: what confirms them on any host, and what it takes to refute them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.catalogue.publications import load_publication
from runner.catalogue.stacks import load_stacks
from runner.claims.case import RunPart
from runner.claims.condition import OUT_OF_REACH
from runner.claims.conditions import conditions
from runner.claims.judge import JUDGES
from runner.claims.speedups import TOO_WIDE
from runner.claims.verdict import MORE_BLOCKS
from runner.host.pin import Pin
from runner.planning.bkm import load_bkms, resolve
from runner.stats.intervals import geometric_estimate
from runner.storage.records import Record
from tests.runner.claims.builders import (
    article_claim,
    articles_host,
    articles_platform,
    case,
    constant,
    judged,
    probe,
    results,
)
from tests.runner.told import tells


@pytest.mark.parametrize(
    ("speedup", "spread", "verdict", "where"),
    [
        (8.0, 0.01, "reproduced", "above"),
        (7.4, 0.01, "reproduced", "contains"),
        (4.0, 0.01, "not testable here", "below"),
        (1.0, 0.01, "not testable here", "below"),
        (7.4, 0.05, "not testable here", TOO_WIDE),
        (6.0, 0.3, "not testable here", TOO_WIDE),
        (6.6, 0.02, "not testable here", "below"),
        (11.0, 0.3, "not testable here", TOO_WIDE),
    ],
    ids=lambda value: "too wide" if value is TOO_WIDE else str(value),
)
def test_the_largest_speedup_on_the_nearest_stack_can_be_confirmed_and_not_refuted_by_two_cores(
    speedup: float, spread: float, verdict: str, where: str
) -> None:
    """The simultaneous interval of the largest bar is held against 7.4, with both hosts' cores beside it."""
    found = judged("largest-speedup", results(constant(speedup, spread)))
    assert found.verdict == verdict
    assert tells(found.why, where, "7.40", "2 cores", "36")
    assert bool(found.missing) == (verdict == "not testable here")
    assert (MORE_BLOCKS in found.missing) == (where is TOO_WIDE)
    assert ("36 cores" in found.missing) == ("not refute" in found.why) == (where == "below")
    assert found.measured is not None
    assert found.measured == pytest.approx(speedup, rel=0.15)
    assert found.interval is not None
    assert found.interval[0] < found.measured < found.interval[1]


# No run has it, whatever its host: the version is of Amazon's images, and on no package index.
ITS_TENSORFLOW = "its TensorFlow version (no stack of this kit has it)"


ITS_BASELINE = "its baseline's threads (not published)"


def test_what_is_missing_to_refute_a_figure_is_named_in_one_phrase() -> None:
    """The phrase names what a larger host would have, then what no host has. Other programs get both as a list."""
    found = judged("largest-speedup", results(constant(4.0)))
    here, _, nowhere = found.why.rpartition("any host")
    for each in found.missing:
        assert each in (nowhere if each in (ITS_TENSORFLOW, ITS_BASELINE) else here)
    assert found.missing == (
        ITS_TENSORFLOW, "the processor 8124M", "2 sockets", "36 cores", "36 threads", ITS_BASELINE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("host", "baseline", "missing"),
    [
        (articles_host, 36, [ITS_TENSORFLOW]),
        (articles_platform, None, [ITS_BASELINE]),
        (articles_platform, 1, ["a baseline on 1 thread"]),
        (articles_platform, 36, []),
    ],
)
def test_up_to_is_refuted_only_where_everything_that_it_depends_on_matches(
    host: Callable[[dict[str, Any]], None], baseline: int | None, missing: list[str]
) -> None:
    """On the article's machine with its software, and only if its baseline's threads had been published."""
    claim = article_claim("largest-speedup")
    claim = replace(claim, configuration=replace(claim.configuration, baseline_threads=baseline))
    found = JUDGES[claim.kind](case(claim, results(constant(4.0), header=host)))
    assert list(found.missing) == missing
    assert found.verdict == ("not testable here" if missing else "not reproduced")
    assert found.measured == pytest.approx(4.0, rel=0.01)


def test_a_few_cores_of_the_articles_machine_are_not_the_articles_machine() -> None:
    """The pin that the launches had counts, not the host around it."""

    def two_of_its_cores(header: dict[str, Any]) -> None:
        articles_platform(header)
        pin = Pin(cores=((0,), (1,)), mems=(0,), nodes=1, sockets=1)
        header["plan"] |= {"pin": pin.to_json(), "bkms": resolve(load_bkms("article"), pin).to_json()}
        header["plan"]["launches"] = [{**launch, "intra_op_threads": 2} for launch in header["plan"]["launches"]]

    found = judged("largest-speedup", results(constant(4.0), header=two_of_its_cores))
    assert found.missing == ("2 sockets", "36 cores", "36 threads", ITS_BASELINE)
    assert tells(found.why, "2 cores", "36")


@pytest.mark.parametrize(
    ("changes", "missing", "data"),
    [
        ({"stack": "tf-2.14"}, "the stack tf-1.12", ("tf-2.14", "tf-1.12")),
        ({"stack": "tf-1.15"}, "the stack tf-1.12", ("tf-1.15", "tf-1.12")),
        ({"batch_size": 4}, "batch size 32", ("batch size is 4",)),
    ],
)
def test_another_stack_or_batch_size_never_judges_the_figure_but_shows_its_own(
    changes: dict[str, Any], missing: str, data: tuple[str, ...]
) -> None:
    """Even 8x does not count; it is told with what it was measured on."""
    for claim_id in ("largest-speedup", "faster-on-all"):
        found = judged(claim_id, results(constant(8.0), **changes))
        assert found.verdict == "not testable here"
        assert missing in found.missing
        assert tells(found.why, *data)
        assert found.measured == pytest.approx(8.0, rel=0.01)


def test_a_bar_that_was_not_measured_could_be_the_largest() -> None:
    """With topologies missing, too small a largest bar proves nothing; a large enough one proves the claim."""
    some = ("inception3", "resnet50")
    small = judged("largest-speedup", results(constant(4.0), topologies=some))
    large = judged("largest-speedup", results(constant(8.0), topologies=some))
    assert (small.verdict, large.verdict) == ("not testable here", "reproduced")
    assert "not counted: ResNet152, VGG16" in small.why


def test_the_interval_of_the_largest_bar_is_simultaneous() -> None:
    """Having four bars to pick the largest from costs width against the bar alone."""
    run = results(constant(4.0, 0.05))
    four, alone = judged("largest-speedup", run), geometric_estimate(run.pairs[0].ratios)
    assert four.interval is not None
    assert four.interval[0] < alone.low < alone.high < four.interval[1]


def test_a_single_bar_is_read_off_the_interval_that_holds_for_all_of_the_run() -> None:
    """A claim on one bar is one of several statements on the run, and contradicts none of them."""
    run = results(constant(4.0, 0.05))
    assert judged("bar-resnet50", run).interval == judged("largest-speedup", run).interval


@pytest.mark.parametrize("stack", sorted(load_stacks()))
def test_a_version_that_a_stack_has_is_missing_here_and_not_everywhere(stack: str) -> None:
    """Another run of this kit could have it."""
    claim = article_claim("largest-speedup")
    published = replace(claim.configuration, tensorflow=load_stacks()[stack].tensorflow)
    held = case(replace(claim, configuration=published), results(constant(2.0)))
    (found,) = (each for each in conditions(held, RunPart("tf-1.12", 32)) if each.name == "tensorflow")
    assert not found.is_out_of_reach


def test_the_heights_of_single_bars_are_never_judged() -> None:
    """They exist as a picture only; what is measured here stands beside that."""
    found = judged("bar-vgg16", results(constant(5.0)))
    assert found.verdict == "not testable here"
    assert "picture" in found.why
    assert found.measured == pytest.approx(5.0, rel=0.01)


@pytest.mark.parametrize(
    ("variant", "verdict_id"), [("intel", "intel_kernels_ran"), ("stock", "baseline_is_free_of_them")]
)
def test_a_pair_whose_evidence_fails_judges_nothing(variant: str, verdict_id: str) -> None:
    """A baseline that ran Intel's kernels, or a candidate that did not, is another comparison than its name says."""
    failed = [{"id": verdict_id, "passed": False, "text": "not what it says"}]
    probes = [probe(variant, name, verdicts=failed) for name in ("inception3", "resnet50", "resnet152", "vgg16")]
    found = judged("largest-speedup", results(constant(8.0), probes=probes))
    assert found.verdict == "not testable here"
    assert "not what it says" in found.why
    assert found.measured is None


def test_what_timed_launches_show_against_a_pair_keeps_it_from_judging() -> None:
    """With oneDNN on in stock and the wrong wheel in Intel's launches no probe is needed to see it."""
    run = results(constant(7.4))
    damaged = tuple(replace(each, result=_wrong(each)) for each in run.records)
    for claim_id in ("largest-speedup", "faster-on-all"):
        found = judged(claim_id, replace(run, records=damaged))
        assert (found.verdict, found.measured) == ("not testable here", None)
        assert tells(found.why, "oneDNN is ON", "tensorflow 2.14.0")


def test_evidence_against_one_bar_leaves_the_others_to_judge() -> None:
    """The flagged bar is not counted, so it could have been the largest or the smallest."""
    run = results(constant(4.0))
    damaged = tuple(
        replace(each, result=_wrong(each)) if each.cell.topology == "vgg16" else each for each in run.records
    )
    largest, every = (judged(name, replace(run, records=damaged)) for name in ("largest-speedup", "faster-on-all"))
    assert (largest.verdict, every.verdict) == ("not testable here", "partly")
    assert tells(largest.why, "not counted", "VGG16", "evidence")


def test_losses_that_differ_judge_nothing_though_a_launch_failed_too() -> None:
    """A failed launch does not hide that the two sides trained something else."""
    run = results(constant(8.0))
    error = {"kind": "failed", "message": "it stopped"}
    damaged = [
        replace(each, result=None, error=error)
        if (each.cell.variant, each.block) == ("intel", 2)
        else replace(each, result=_with_loss(each, 9.0 if each.cell.variant == "intel" else 8.0))
        for each in run.records
    ]
    found = judged("largest-speedup", replace(run, records=tuple(damaged)))
    assert (found.verdict, found.measured) == ("not testable here", None)
    assert "same thing" in found.why


def test_an_absolute_figure_is_judged_only_where_everything_matches() -> None:
    """Images per second of one machine say nothing of another; on the very same setup they do."""
    guide = load_publication("tensorflow-performance-guide")
    claim = guide.claim("training-mkl")
    run = results(lambda variant, topology, block: 20.8 + 0.1 * (-1) ** block)
    found = JUDGES["throughput"](replace(case(claim, run), publication=guide))
    assert found.verdict == "not testable here"
    assert tells(found.why, "a build from source, MKL", "processor", "2 threads", "36")
    wrong = replace(run, records=tuple(replace(each, result=_wrong(each)) for each in run.records))
    same = replace(claim, to_confirm=("work", "batch_size"), to_refute=())
    assert JUDGES["throughput"](replace(case(same, run), publication=guide)).verdict == "reproduced"
    damaged = JUDGES["throughput"](replace(case(same, wrong), publication=guide))
    assert (damaged.verdict, damaged.measured) == ("not testable here", None)
    assert tells(damaged.why, "tensorflow 2.14.0")
    slower = results(lambda variant, topology, block: 10.0 + 0.1 * (-1) ** block)
    assert JUDGES["throughput"](replace(case(same, slower), publication=guide)).verdict == "not reproduced"
    there = replace(same, to_refute=("instance_type", "network"))
    elsewhere = JUDGES["throughput"](replace(case(there, slower), publication=guide))
    assert elsewhere.verdict == "not testable here"
    assert elsewhere.missing == ("the instance type r4.16xlarge", OUT_OF_REACH["network"][0])


def test_a_figure_of_inference_is_not_answered_with_training() -> None:
    """No measured figure stands beside it, so that nobody compares the two."""
    guide = load_publication("tensorflow-performance-guide")
    claim = guide.claim("inference-resnet50-b32-mkl")
    found = JUDGES["throughput"](replace(case(claim, results(constant(4.0))), publication=guide))
    assert (found.verdict, found.measured) == ("not testable here", None)
    assert tells(found.why, "inference", "training")


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 20), st.floats(0, 0.3))
def test_the_verdict_on_the_figure_follows_from_the_interval_alone(speedup: float, spread: float) -> None:
    """Reproduced: an interval above 7.4, or one that holds it and little else. Below it, a small host tells nothing."""
    found = judged("largest-speedup", results(constant(speedup, spread)))
    assert found.interval is not None
    low, high = found.interval
    assert math.isfinite(low)
    if found.verdict == "reproduced":
        assert low > 7.4 or (low <= 7.4 <= high and high / low <= 1.25)
    else:
        assert found.verdict == "not testable here"
        assert ("36 cores" in found.missing) == (high < 7.4)
        assert low <= 7.4
        assert high < 7.4 or high / low > 1.25 or not 7.4 / 1.1 <= (found.measured or 0.0) <= 7.4 * 1.1


def _wrong(record: Record) -> dict[str, Any]:
    """What a launch records with oneDNN switched on and another distribution installed."""
    assert record.result is not None
    wheel = {"distribution": "tensorflow", "version": "2.14.0", "record_sha256": "00"}
    return {**record.result, "mkl_enabled": True, "evidence": {**record.result["evidence"], "wheel": wheel}}


def _with_loss(record: Record, loss: float) -> dict[str, Any]:
    assert record.result is not None
    return {**record.result, "steps": [{**step, "loss": loss} for step in record.result["steps"]]}
