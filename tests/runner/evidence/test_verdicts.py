"""Verdicts on real probes of all three stacks, and each of the three mistakes that evidence must catch and name."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from runner.evidence.cell_plan import CellPlan
from runner.evidence.onednn import parse_verbose
from runner.evidence.openmp import OpenMp, parse_openmp
from runner.evidence.probed import Evidence
from runner.evidence.stored import held_to_todays_rules
from runner.evidence.threads import judge_masks, judge_threads
from runner.evidence.timed import judge_launch
from runner.evidence.verdicts import (
    BASELINE_FREE,
    KERNELS_RAN,
    RIGHT_WHEEL,
    THREADS_BOUND,
    Verdict,
    judge_kernels,
    onednn_by_default,
)
from tests.runner.evidence.captured import BASELINES, INTELS, captured, cell_plan, evidence, text_of, verdicts


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


def test_gemm_lines_do_not_make_a_baseline_guilty() -> None:
    """Stock with oneDNN off prints gemm_api lines: Eigen's matrix kernel, and no layer."""
    text = text_of(evidence("tf-2.14-stock"), BASELINE_FREE)
    assert re.fullmatch(r"The baseline runs no layer in Intel's kernels \(oneDNN's matrix product ran \d+ times, "
                        r"called by TensorFlow's own kernels\)\.", text)  # fmt: skip


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
    assert verdict.text == f"The baseline is NOT free of Intel kernels: oneDNN 3.2.1 executed 1 {kind}."


def test_every_kind_that_fails_a_baseline_is_named() -> None:
    """None of nine is summed up as another."""
    log = captured("tf-2.14-stock").log + "".join(map(primitive, ONE_OF_EACH))
    text = judge_kernels(cell_plan("tf-2.14-stock"), parse_verbose(log), False).text
    assert all(f"1 {kind}" in text for kind in ONE_OF_EACH)


def test_stored_evidence_that_an_earlier_rule_passed_is_held_to_todays() -> None:
    """Its primitives are beside its verdict, and they decide."""
    data = evidence("tf-2.14-stock").to_json()
    assert verdicts(Evidence.from_json(data))[BASELINE_FREE] is True
    data["primitives"].append({"kind": "matmul", "implementation": "brg:avx2", "count": 6, "milliseconds": 1.0})
    found = Evidence.from_json(data)
    assert verdicts(found)[BASELINE_FREE] is False
    assert text_of(found, BASELINE_FREE).endswith("the library executed 6 matmul.")


@pytest.mark.parametrize(
    ("primitives", "stored", "today"),
    [
        ([{"kind": "gemm_api", "count": 38502}],
         "The baseline is free of Intel kernels: no convolution, normalisation or pooling primitive ran (38502 "
         "gemm_api, which are no layers).",
         "The baseline runs no layer in Intel's kernels (oneDNN's matrix product ran 38502 times, called by "
         "TensorFlow's own kernels)."),
        ([{"kind": "gemm_api", "count": 5}, {"kind": "reorder", "count": 2}],
         "This variant is free of Intel kernels: no primitive of a layer ran (5 gemm_api, 2 reorder: no layers).",
         "This variant runs no layer in Intel's kernels (oneDNN's matrix product ran 5 times, called by TensorFlow's "
         "own kernels; 2 reorder)."),
        ([], "The baseline is free of Intel kernels: no primitive at all ran, and TensorFlow says that it has none.",
         "The baseline runs no layer in Intel's kernels: no primitive at all ran, and TensorFlow says that it has "
         "none."),
    ],
)  # fmt: skip
def test_a_stored_baseline_is_told_in_todays_words(primitives: list[Any], stored: str, today: str) -> None:
    """The matrix product is a kernel of oneDNN, whatever an earlier release called it."""
    data = {"primitives": primitives, "threads": {}}
    assert held_to_todays_rules(Verdict(BASELINE_FREE, True, stored), data) == Verdict(BASELINE_FREE, True, today)
    assert held_to_todays_rules(Verdict(BASELINE_FREE, True, today), data).text == today


@pytest.mark.parametrize(
    ("cpus", "said", "passed", "text"),
    [
        ("010", "3", None, "3 OpenMP threads are bound inside the cpuset 0-1 (two on CPU 0, one on CPU 1); whether two "
         "of one team share a core is not known."),
        ("0101", "3", None, "3 OpenMP threads are bound inside the cpuset 0-1; whether two of one team share a core is "
         "not known."),
        ("0101", "4", True, "Every one of 4 OpenMP threads is bound inside the cpuset 0-1, one to a core in each of 2 "
         "teams."),
    ],
)  # fmt: skip
def test_stored_threads_that_are_no_whole_teams_are_undecided(
    cpus: str, said: str, passed: bool | None, text: str
) -> None:
    """Two teams of two are four threads; of three, the stored bindings tell where they are and no more."""
    bound = [{"thread": number, "cpus": cpu} for number, cpu in enumerate(cpus)]
    stored = f"Every one of {said} OpenMP threads is bound inside the cpuset 0-1, one to a core in each of 2 teams."
    data = {"primitives": [], "threads": {"openmp_max_threads": 2, "bound": bound}}
    found = held_to_todays_rules(Verdict(THREADS_BOUND, True, stored), data)
    assert (found.passed, found.text) == (passed, text)


def test_a_change_of_layout_fails_no_baseline() -> None:
    """A reorder computes nothing of a layer."""
    log = captured("tf-2.14-stock").log + primitive("reorder")
    assert judge_kernels(cell_plan("tf-2.14-stock"), parse_verbose(log), False).passed is True


@pytest.mark.parametrize("name", ["tf-1.15-intel-disabled", "tf-2.14-intel-disabled"])
def test_intels_wheel_with_its_kernels_off_passes_by_its_real_log(name: str) -> None:
    """It prints no line at all, also where TensorFlow 1.15 answers that MKL is compiled in."""
    found = evidence(name)
    assert verdicts(found)[BASELINE_FREE] is True
    assert "with TF_DISABLE_MKL=1 no primitive ran" in text_of(found, BASELINE_FREE)


@pytest.mark.parametrize("name", ["tf-1.15-intel", "tf-2.14-intel"])
def test_intels_wheel_whose_kernels_were_not_switched_off_is_caught(name: str) -> None:
    """The logs of Intel's kernels, held against what TF_DISABLE_MKL=1 should leave."""
    found = evidence(name, environment={"TF_DISABLE_MKL": "1"})
    assert verdicts(found)[BASELINE_FREE] is False


def test_what_a_silent_baseline_holds_is_told() -> None:
    """1.12 has nothing of MKL-DNN in it; 1.15 has its matrix product, which prints no line."""
    text = text_of(evidence("tf-1.15-stock"), BASELINE_FREE)
    assert "no primitive of MKL-DNN ran" in text
    assert text.endswith("The matrix product that TensorFlow's own (Eigen) kernels take from it leaves no line here.")
    assert "nothing of MKL-DNN is in the wheel" in text_of(evidence("tf-1.12-stock"), BASELINE_FREE)
    of_no_known_content = text_of(evidence("tf-1.15-stock", holds=None), BASELINE_FREE)
    assert "matrix product" not in of_no_known_content
    assert "in the wheel" not in of_no_known_content


def test_a_baseline_with_onednn_left_on_is_caught_by_its_probe() -> None:
    """The log of stock with oneDNN on, held against what a baseline must be."""
    found = evidence("tf-2.14-stock-onednn", is_baseline=True)
    assert verdicts(found)[BASELINE_FREE] is False
    assert text_of(found, BASELINE_FREE).startswith(
        "The baseline is NOT free of Intel kernels: oneDNN 3.2.1 executed 25 convolution, 25 pooling"
    )


def test_a_baseline_with_onednn_left_on_is_caught_in_each_timed_launch() -> None:
    """TensorFlow itself says that oneDNN is on, without any verbose line."""
    name = "tf-2.14-stock-onednn"
    found = {each.id: each for each in judge_launch(cell_plan(name, is_baseline=True), captured(name).result)}
    assert found[BASELINE_FREE].passed is False
    assert found[BASELINE_FREE].text == "TensorFlow says that oneDNN is ON, where it should be off."


def test_a_variant_whose_kernels_did_not_run_is_caught() -> None:
    """A plain stock log under a variant that should run oneDNN."""
    found = evidence("tf-2.14-stock", is_baseline=False, environment={"TF_ENABLE_ONEDNN_OPTS": "1"})
    assert verdicts(found)[KERNELS_RAN] is False
    assert "did NOT run" in text_of(found, KERNELS_RAN)


@pytest.mark.parametrize("name", ["tf-1.12", "tf-1.15", "tf-2.14"])
def test_an_image_with_the_wheel_of_another_variant_is_caught(name: str) -> None:
    """Stock's wheel where Intel's should be, by the probe and by each timed launch; and the other way round."""
    intel, stock = f"{name}-intel", f"{name}-stock"
    for wanted, installed in ((intel, stock), (stock, intel)):
        wheel = cell_plan(wanted).wheel
        found = evidence(installed, wheel=wheel, is_baseline=wanted == stock)
        assert verdicts(found)[RIGHT_WHEEL] is False
        assert text_of(found, RIGHT_WHEEL).startswith("The wrong wheel is installed: ")
        assert f"instead of {wheel}" in text_of(found, RIGHT_WHEEL)
        timed = judge_launch(cell_plan(installed, wheel=wheel), captured(installed).result)
        assert [each.passed for each in timed if each.id == RIGHT_WHEEL] == [False]


def test_threads_that_escape_their_cpuset_are_caught_by_the_probe() -> None:
    """A process held to CPU 1 whose OpenMP bound a thread to CPU 0."""
    found = evidence("tf-2.14-intel-escaped", cores=(frozenset({1}),))
    assert verdicts(found)[THREADS_BOUND] is False
    assert text_of(found, THREADS_BOUND).startswith(
        "Threads escape the cpuset 1: OpenMP thread 0 is bound to the CPUs 0"
    )


def test_threads_that_escape_their_cpuset_are_caught_in_each_timed_launch() -> None:
    """The kernel's own masks are enough."""
    name = "tf-2.14-intel-escaped"
    found = {each.id: each for each in judge_launch(cell_plan(name, cores=(frozenset({1}),)), captured(name).result)}
    assert found[THREADS_BOUND].passed is False
    assert "may use the CPUs 0" in found[THREADS_BOUND].text


def bound(*cpus: str) -> OpenMp:
    """A log in which thread k is bound to the k-th CPU list."""
    return parse_openmp("".join(
        f"OMP: Info #249: KMP_AFFINITY: pid 1 tid {thread + 2} thread {thread} bound to OS proc set {each}\n"
        for thread, each in enumerate(cpus)
    ))  # fmt: skip


FOUR_CPUS_ON_TWO_CORES = (frozenset({0, 2}), frozenset({1, 3}))
BINDING = {"KMP_AFFINITY": "granularity=fine,compact,1,0"}


@pytest.mark.parametrize(
    ("cpus", "passed", "words"),
    [
        (("0", "1"), True, "Every one of 2 OpenMP threads is bound inside the cpuset 0-3, one to a core."),
        (("0", "2"), False, "Threads share a core: 2 threads on the core of the CPUs 0,2."),
        (("0", "1", "2", "3"), True, "one to a core in each of 2 teams."),
        (("0", "1", "0", "0"), False, "3 threads on the core of the CPUs 0,2"),
        (("0-1", "1"), False, "OpenMP thread 0 may use the CPUs 0-1, 2 cores"),
        (("0", "4"), False, "OpenMP thread 1 is bound to the CPUs 4"),
        (("0",), False, "2 cores should each have an OpenMP thread, 1 have."),
        (("0", "0", "1"), None, "but are no whole teams of 2: whether two of one team share a core is not known."),
    ],
)
def test_one_thread_to_a_core_on_a_host_with_siblings(cpus: tuple[str, ...], passed: bool | None, words: str) -> None:
    """Two logical CPUs of one core count as one core; several teams may share it one by one."""
    verdict = judge_threads(plain(BINDING), bound(*cpus), 2, masks("0-3"))
    assert verdict.passed is passed
    assert words in verdict.text


@pytest.mark.parametrize(
    ("environment", "omp", "seen", "passed"),
    [
        (BINDING, 2, ("0-3", "0", "1"), None),
        (BINDING, 2, ("0-3", "0", "0", "1"), None),
        (BINDING, 2, ("0-3", "0", "2"), False),
        (BINDING, 2, ("0-3", "0-3"), False),
        ({"OMP_PROC_BIND": "true"}, 2, ("0-3", "0-3"), False),
        ({}, 2, ("0-3", "0-3"), True),
        ({"KMP_AFFINITY": "none"}, 2, ("0-3", "0-3"), True),
        (BINDING, None, ("0-3", "0-3"), True),
        (BINDING, None, ("0-3", "0-4"), False),
        (BINDING, 2, (), None),
    ],
)
def test_masks_alone_tell_a_timed_launch(
    environment: dict[str, str], omp: int | None, seen: tuple[str, ...], passed: bool | None
) -> None:
    """Where binding was asked for each core must have a bound thread, and never may a thread leave the pin.

    That each core has one is not enough: which threads are OpenMP's, masks alone do not tell.
    """
    assert judge_masks(plain(environment), omp, masks(*seen)).passed is passed


@pytest.mark.parametrize(
    ("seen", "seconds", "passed", "words"),
    [
        (("0", "0", "1"), (2.0, 2.0, 0.0), False, "2 cores should each have a bound thread that worked, 1 have."),
        (("0", "0", "1"), (2.0, 2.0, 0.3), None, "which of them are OpenMP's"),
        (("0", "0", "1"), (1.0, 1.0, 2.0), None, "which of them are OpenMP's"),
        (("0-3", "0", "1"), (0.7, 2.3, 1.9), True, "the 2 that did most of the work in the timed steps are on one"),
        (("0", "0", "0", "0", "0", "1", "0"), (0.0, 0.0, 0.21, 0.22, 0.0, 0.95, 0.88), True, "are on one core each"),
    ],
    ids=["idle helper", "helper that works a little", "helper that works most", "tf-2.14 intel", "tf-1.12 intel"],
)
def test_the_threads_that_worked_tell_which_are_openmps(
    seen: tuple[str, ...], seconds: tuple[float, ...], passed: bool | None, words: str
) -> None:
    """Two OpenMP threads on one CPU with a helper on the other are never one to each.

    The last two are masks and CPU seconds as real launches recorded them (ResNet50 and AlexNet at batch 2 and 4).
    """
    threads = masks(*seen)
    worked = {thread["id"]: each for thread, each in zip(threads, seconds, strict=True)}
    verdict = judge_masks(plain(BINDING), 2, threads, worked)
    assert verdict.passed is passed
    assert words in verdict.text


@pytest.mark.parametrize(
    ("cpus", "seconds", "passed", "words"),
    [
        (("0", "1", "0"), (0.0, 0.21, 0.19), True, "Every one of 2 OpenMP threads is bound"),
        (("0", "0", "1"), (0.2, 0.2, 0.0), False, "Threads share a core: 2 threads on the core of the CPUs 0,2."),
        (("0", "0", "1"), (0.2, 0.2, 0.2), None, "are no whole teams of 2"),
    ],
    ids=["main thread that only loads the runtime", "two on one core and one idle", "all work"],
)
def test_a_probe_counts_the_openmp_threads_that_worked(
    cpus: tuple[str, ...], seconds: tuple[float, ...], passed: bool | None, words: str
) -> None:
    """The runtime's own lines name them by thread id; the first case is a real probe of tf-1.12."""
    openmp = bound(*cpus)
    worked = {each.task: used for each, used in zip(openmp.bound, seconds, strict=True)}
    verdict = judge_threads(plain(BINDING), openmp, 2, masks("0-3"), worked)
    assert verdict.passed is passed
    assert words in verdict.text


def test_a_thread_counts_where_the_kernel_says_that_it_may_run() -> None:
    """A line tells where a thread was bound once; a mask that is no longer that one fails."""
    openmp = bound("0", "1")
    threads = [{"id": each.task, "name": "python", "allowed_cpus": "0-1"} for each in openmp.bound]
    assert judge_threads(plain(BINDING), openmp, 2, threads).passed is False


def test_where_binding_was_asked_for_without_affinity_the_masks_tell() -> None:
    """OMP_PROC_BIND alone prints nothing: the kernel knows all the same."""
    environment = {"OMP_PROC_BIND": "true"}
    worked = {thread["id"]: 1.0 for thread in masks("0-3", "0", "1")}
    assert judge_threads(plain(environment), OpenMp(), 2, masks("0-3", "0", "1"), worked).passed is True
    assert judge_threads(plain(environment), OpenMp(), 2, masks("0-3")).passed is False


def test_nothing_is_proved_where_nothing_is_said() -> None:
    """No verbose line and no word of TensorFlow's: neither true nor false."""
    silent = parse_verbose("")
    assert judge_kernels(cell_plan("tf-2.14-stock"), silent, None).passed is None
    assert judge_kernels(cell_plan("tf-2.14-stock"), silent, False).passed is True


def test_stock_that_decides_by_itself_is_told_not_judged() -> None:
    """As shipped, without its switch, either is right."""
    for name, is_on in (("tf-2.14-stock-onednn", True), ("tf-2.14-plain-install", False)):
        found = evidence(name, environment={})
        assert (verdicts(found)[KERNELS_RAN], found.onednn_by_default) == (None, is_on)
        assert f"decides by the CPU: it is {'on' if is_on else 'off'} here (" in text_of(found, KERNELS_RAN)


def test_a_default_is_claimed_only_where_the_build_was_left_to_decide_and_nothing_contradicts() -> None:
    """Not of a build that was told, and not where TensorFlow's word and the primitives disagree."""
    assert evidence("tf-2.14-stock").onednn_by_default is None
    assert evidence("tf-2.14-stock-onednn").onednn_by_default is None
    as_shipped, ran = cell_plan("tf-2.14-stock-onednn", environment={}), captured("tf-2.14-stock-onednn").log
    verdict = judge_kernels(as_shipped, parse_verbose(ran), False)
    assert verdict.passed is None
    assert "TensorFlow says that it is off, and oneDNN 3.2.1 executed 25 convolution" in verdict.text
    assert verdict.text.endswith("what it is here is not known.")
    assert onednn_by_default(as_shipped, parse_verbose(ran), False) is None
    assert onednn_by_default(as_shipped, parse_verbose(ran), None) is True
    assert onednn_by_default(as_shipped, parse_verbose(""), None) is None
    unknown = dataclasses.replace(as_shipped, wheel=None)
    assert onednn_by_default(unknown, parse_verbose(ran), True) is None, "it can be Intel's wheel"


def test_a_timed_launch_of_1_15_claims_no_more_than_its_wheel_holds() -> None:
    """It was built without MKL-DNN's primitives, and has its matrix product all the same."""
    found = {each.id: each.text for each in judge_launch(cell_plan("tf-1.15-stock"), captured("tf-1.15-stock").result)}
    assert found[BASELINE_FREE] == "TensorFlow says that it was built without MKL-DNN's primitives."


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


def test_an_old_record_without_evidence_is_not_judged() -> None:
    """A launch that recorded nothing of itself gives no verdict."""
    assert judge_launch(cell_plan("tf-2.14-stock"), {"steps": []}) == []
    assert judge_launch(cell_plan("tf-2.14-stock"), None) == []


def plain(environment: dict[str, str]) -> CellPlan:
    """Intel's build on four CPUs of two cores."""
    return cell_plan("tf-2.14-intel", environment=environment, cores=FOUR_CPUS_ON_TWO_CORES)


def masks(*cpus: str) -> list[dict[str, Any]]:
    """Threads that may use these CPUs."""
    return [{"id": number, "name": "python", "allowed_cpus": each} for number, each in enumerate(cpus, start=1)]
