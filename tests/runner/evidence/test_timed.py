"""Verdicts on timed launches, which have no log: by what real launches recorded of themselves."""

from __future__ import annotations

import pytest

from runner.evidence.timed import judge_launch
from runner.evidence.verdicts import (
    BASELINE_FREE,
    KERNELS_RAN,
    THREADS_BOUND,
)
from tests.runner.evidence.captured import BASELINES, INTELS, captured, cell_plan
from tests.runner.told import tells


def test_a_baseline_with_onednn_left_on_is_caught_in_each_timed_launch() -> None:
    """TensorFlow itself says that oneDNN is on, without any verbose line."""
    name = "tf-2.14-stock-onednn"
    found = {each.id: each for each in judge_launch(cell_plan(name, is_baseline=True), captured(name).result)}
    assert found[BASELINE_FREE].passed is False
    assert tells(found[BASELINE_FREE].text, "oneDNN", "ON")


def test_a_timed_launch_of_1_15_claims_no_more_than_its_wheel_holds() -> None:
    """It was built without MKL-DNN's primitives, and has its matrix product all the same."""
    found = {each.id: each for each in judge_launch(cell_plan("tf-1.15-stock"), captured("tf-1.15-stock").result)}
    assert found[BASELINE_FREE].passed is True
    assert "primitives" in found[BASELINE_FREE].text


def test_a_timed_launch_of_intels_wheel_tells_its_switch_where_it_can() -> None:
    """2.14 says that its kernels are off, 1.15 only that they are compiled in."""
    said = {
        name: [each.passed for each in judge_launch(cell_plan(name), captured(name).result) if each.id == BASELINE_FREE]
        for name in ("tf-1.15-intel-disabled", "tf-2.14-intel-disabled")
    }
    assert said == {"tf-1.15-intel-disabled": [], "tf-2.14-intel-disabled": [True]}


@pytest.mark.parametrize("name", [*BASELINES, *INTELS, "tf-2.14-stock-onednn"])
def test_every_sound_timed_launch_passes(name: str) -> None:
    """What a launch records of itself, without any probe, passes on every stack and variant.

    These launches recorded masks and no CPU seconds of their timed steps: whose masks they are is not decided.
    """
    found = {each.id: each.passed for each in judge_launch(cell_plan(name), captured(name).result)}
    undecided = {THREADS_BOUND} if name in INTELS else set()
    assert {verdict for verdict, passed in found.items() if passed is not True} == undecided
    assert found[THREADS_BOUND] is (None if undecided else True)


@pytest.mark.parametrize(("record", "passed"), [("tf-2.14-itex", True), ("tf-2.14-stock-onednn", False)])
def test_a_timed_launch_shows_whether_its_plug_in_is_loaded(record: str, passed: bool) -> None:
    """TensorFlow's own answer on oneDNN says nothing of a plug-in; its library in the process does."""
    found = {each.id: each for each in judge_launch(cell_plan("tf-2.14-itex"), captured(record).result)}
    assert found[KERNELS_RAN].passed is passed
    assert tells(found[KERNELS_RAN].text, "libitex_cpu.so" if passed else "NOT loaded")


def test_a_plug_in_without_openmp_computes_nothing() -> None:
    """Its library is mapped before it decides whether this processor has code of its own."""
    result = captured("tf-2.14-itex").result
    changed = {**result, "observed": {**result["observed"], "omp_max_threads": None}}
    found = {each.id: each for each in judge_launch(cell_plan("tf-2.14-itex"), changed)}
    assert found[KERNELS_RAN].passed is False
    assert tells(found[KERNELS_RAN].text, "computes nothing")


def test_an_old_record_without_evidence_is_not_judged() -> None:
    assert judge_launch(cell_plan("tf-2.14-stock"), {"steps": []}) == []
    assert judge_launch(cell_plan("tf-2.14-stock"), None) == []
