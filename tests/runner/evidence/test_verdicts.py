"""Verdicts on kernels and wheels in real probes of all three stacks, and on the mistakes that evidence must catch."""

from __future__ import annotations

import dataclasses

import pytest

from runner.evidence.onednn import parse_verbose
from runner.evidence.timed import judge_launch
from runner.evidence.verdicts import (
    BASELINE_FREE,
    KERNELS_RAN,
    RIGHT_WHEEL,
    THREADS_BOUND,
    judge_kernels,
    onednn_by_default,
)
from tests.runner.evidence.captured import BASELINES, INTELS, WHEELS, captured, cell_plan, evidence, text_of, verdicts
from tests.runner.told import tells


@pytest.mark.parametrize("name", BASELINES)
def test_a_true_baseline_passes(name: str) -> None:
    """Stock of every era is free of Intel kernels, inside the cpuset, and the right wheel."""
    assert verdicts(evidence(name)) == {BASELINE_FREE: True, THREADS_BOUND: True, RIGHT_WHEEL: True}


@pytest.mark.parametrize("name", [*INTELS, "tf-2.14-stock-onednn"])
def test_intels_kernels_ran(name: str) -> None:
    """Intel's builds of every era, and stock with oneDNN on, run convolutions and pooling through the library."""
    found = evidence(name)
    assert verdicts(found) == {KERNELS_RAN: True, THREADS_BOUND: True, RIGHT_WHEEL: True}
    assert "convolution" in text_of(found, KERNELS_RAN)


def test_the_kernels_of_a_plug_in_ran() -> None:
    """Intel's plug-in brings a oneDNN that computes on OpenMP, and no line of TensorFlow's own is in the log."""
    found = evidence("tf-2.14-itex")
    assert verdicts(found) == {KERNELS_RAN: True, THREADS_BOUND: True, RIGHT_WHEEL: True}
    words = ("intel-extension-for-tensorflow==2.14.0.2", "oneDNN 3.2.0 on OpenMP", "convolution")
    assert tells(text_of(found, KERNELS_RAN), *words)


def test_layers_in_tensorflows_own_onednn_are_none_of_a_plug_in() -> None:
    """A plug-in that was not loaded leaves them to TensorFlow, whose oneDNN computes on TensorFlow's threads."""
    verdict = judge_kernels(
        cell_plan("tf-2.14-itex"), parse_verbose(captured("tf-2.14-stock-onednn").log), mkl_enabled=True
    )
    assert verdict.passed is False
    assert tells(verdict.text, "did NOT run", "TensorFlow's own oneDNN 3.2.1 on threadpool")


def test_a_plug_in_beside_layers_of_unknown_origin_is_not_judged() -> None:
    """The lines do not say in which of two libraries a primitive ran."""
    log = captured("tf-2.14-itex").log + captured("tf-2.14-stock-onednn").log
    verdict = judge_kernels(cell_plan("tf-2.14-itex"), parse_verbose(log), mkl_enabled=True)
    assert verdict.passed is None
    assert tells(verdict.text, "oneDNN 3.2.0 on OpenMP", "oneDNN 3.2.1 on threadpool", "not known which")


def test_gemm_lines_do_not_make_a_baseline_guilty() -> None:
    """Stock with oneDNN off prints gemm_api lines: Eigen's matrix kernel, and no layer."""
    found = evidence("tf-2.14-stock")
    (product,) = (each for each in found.primitives if each["kind"] == "gemm_api")
    assert verdicts(found)[BASELINE_FREE] is True
    assert tells(text_of(found, BASELINE_FREE), str(product["count"]))


ONE_OF_EACH = ("matmul", "inner_product", "eltwise", "softmax", "sum", "lrn", "concat", "shuffle", "a_kind_to_come")


def primitive(kind: str) -> str:
    """The line of one primitive."""
    return f"onednn_verbose,exec,cpu,{kind},jit:avx2,forward_training,src_f32,,alg,mb2,0.5\n"


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_baseline_may_run_nothing_but_what_its_own_kernels_call(kind: str) -> None:
    """Every kind of primitive fails it, also one that nobody has thought of, and the kind is named."""
    log = captured("tf-2.14-stock").log + primitive(kind)
    verdict = judge_kernels(cell_plan("tf-2.14-stock"), parse_verbose(log), False)
    assert verdict.passed is False
    assert tells(verdict.text, "oneDNN 3.2.1", f"1 {kind}")


def test_every_kind_that_fails_a_baseline_is_named() -> None:
    """None of nine is summed up as another."""
    log = captured("tf-2.14-stock").log + "".join(map(primitive, ONE_OF_EACH))
    text = judge_kernels(cell_plan("tf-2.14-stock"), parse_verbose(log), False).text
    assert all(f"1 {kind}" in text for kind in ONE_OF_EACH)


def test_a_change_of_layout_fails_no_baseline() -> None:
    """A reorder computes nothing of a layer."""
    log = captured("tf-2.14-stock").log + primitive("reorder")
    assert judge_kernels(cell_plan("tf-2.14-stock"), parse_verbose(log), False).passed is True


@pytest.mark.parametrize("name", ["tf-1.15-intel-disabled", "tf-2.14-intel-disabled"])
def test_intels_wheel_with_its_kernels_off_passes_by_its_real_log(name: str) -> None:
    """It prints no line at all, also where TensorFlow 1.15 answers that MKL is compiled in."""
    found = evidence(name)
    assert verdicts(found)[BASELINE_FREE] is True
    assert tells(text_of(found, BASELINE_FREE), "TF_DISABLE_MKL=1")


@pytest.mark.parametrize("name", ["tf-1.15-intel", "tf-2.14-intel"])
def test_intels_wheel_whose_kernels_were_not_switched_off_is_caught(name: str) -> None:
    """The logs of Intel's kernels, held against what TF_DISABLE_MKL=1 should leave."""
    found = evidence(name, environment={"TF_DISABLE_MKL": "1"})
    assert verdicts(found)[BASELINE_FREE] is False


def test_what_a_silent_baseline_holds_is_told() -> None:
    """1.12 has nothing of MKL-DNN in it; 1.15 has its matrix product, which prints no line."""
    holds_product = text_of(evidence("tf-1.15-stock"), BASELINE_FREE)
    holds_nothing = text_of(evidence("tf-1.12-stock"), BASELINE_FREE)
    not_known = text_of(evidence("tf-1.15-stock", holds=None), BASELINE_FREE)
    said = [("matrix product" in text, "in the wheel" in text) for text in (holds_product, holds_nothing, not_known)]
    assert said == [(True, False), (False, True), (False, False)]


def test_a_baseline_with_onednn_left_on_is_caught_by_its_probe() -> None:
    """The log of stock with oneDNN on, held against what a baseline must be."""
    found = evidence("tf-2.14-stock-onednn", is_baseline=True)
    assert verdicts(found)[BASELINE_FREE] is False
    assert tells(text_of(found, BASELINE_FREE), "oneDNN 3.2.1", "25 convolution", "25 pooling")


def test_a_variant_whose_kernels_did_not_run_is_caught() -> None:
    found = evidence("tf-2.14-stock", is_baseline=False, environment={"TF_ENABLE_ONEDNN_OPTS": "1"})
    assert verdicts(found)[KERNELS_RAN] is False


@pytest.mark.parametrize("name", ["tf-1.12", "tf-1.15", "tf-2.14"])
def test_an_image_with_the_wheel_of_another_variant_is_caught(name: str) -> None:
    """Stock's wheel where Intel's should be, by the probe and by each timed launch; and the other way round."""
    intel, stock = f"{name}-intel", f"{name}-stock"
    for wanted, installed in ((intel, stock), (stock, intel)):
        wheel = cell_plan(wanted).wheel or ""
        found = evidence(installed, wheel=wheel, is_baseline=wanted == stock)
        assert verdicts(found)[RIGHT_WHEEL] is False
        name, _, version = WHEELS[installed].partition("==")
        assert tells(text_of(found, RIGHT_WHEEL), f"{name} {version}", wheel)
        timed = judge_launch(cell_plan(installed, wheel=wheel), captured(installed).result)
        assert [each.passed for each in timed if each.id == RIGHT_WHEEL] == [False]


def test_nothing_is_proved_where_nothing_is_said() -> None:
    silent = parse_verbose("")
    assert judge_kernels(cell_plan("tf-2.14-stock"), silent, None).passed is None
    assert judge_kernels(cell_plan("tf-2.14-stock"), silent, False).passed is True


def test_stock_that_decides_by_itself_is_told_not_judged() -> None:
    """Without its switch the build as shipped may have oneDNN on or off."""
    for name, is_on in (("tf-2.14-stock-onednn", True), ("tf-2.14-plain-install", False)):
        found = evidence(name, environment={})
        assert (verdicts(found)[KERNELS_RAN], found.onednn_by_default) == (None, is_on)
        assert tells(text_of(found, KERNELS_RAN), f"is {'on' if is_on else 'off'}")


def test_a_default_is_claimed_only_where_the_build_was_left_to_decide_and_nothing_contradicts() -> None:
    """Not of a build that was told, and not where TensorFlow's word and the primitives disagree."""
    assert evidence("tf-2.14-stock").onednn_by_default is None
    assert evidence("tf-2.14-stock-onednn").onednn_by_default is None
    as_shipped, ran = cell_plan("tf-2.14-stock-onednn", environment={}), captured("tf-2.14-stock-onednn").log
    verdict = judge_kernels(as_shipped, parse_verbose(ran), False)
    assert verdict.passed is None
    assert tells(verdict.text, "is off", "oneDNN 3.2.1", "25 convolution", "not known")
    assert onednn_by_default(as_shipped, parse_verbose(ran), False) is None
    assert onednn_by_default(as_shipped, parse_verbose(ran), None) is True
    assert onednn_by_default(as_shipped, parse_verbose(""), None) is None
    unknown = dataclasses.replace(as_shipped, wheel=None)
    assert onednn_by_default(unknown, parse_verbose(ran), True) is None, "it can be Intel's wheel"
