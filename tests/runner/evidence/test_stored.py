"""Stored verdicts of earlier versions: held to the rules and words of today, by the evidence that lies beside them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from runner.evidence.probed import Evidence
from runner.evidence.stored import held_to_todays_rules
from runner.evidence.verdicts import (
    BASELINE_FREE,
    THREADS_BOUND,
    Verdict,
    no_layer,
)
from tests.runner.evidence.captured import evidence, text_of, verdicts
from tests.runner.told import tells


def test_stored_evidence_that_an_earlier_rule_passed_is_held_to_todays() -> None:
    """Its primitives are beside its verdict, and they decide."""
    data = evidence("tf-2.14-stock").to_json()
    assert verdicts(Evidence.from_json(data))[BASELINE_FREE] is True
    data["primitives"].append({"kind": "matmul", "implementation": "brg:avx2", "count": 6, "milliseconds": 1.0})
    found = Evidence.from_json(data)
    assert verdicts(found)[BASELINE_FREE] is False
    assert tells(text_of(found, BASELINE_FREE), "6 matmul")


@pytest.mark.parametrize(
    ("primitives", "stored", "today"),
    [
        ([{"kind": "gemm_api", "count": 38502}],
         "The baseline is free of Intel kernels: no convolution, normalisation or pooling primitive ran (38502 "
         "gemm_api, which are no layers).",
         no_layer("The baseline", {"gemm_api": 38502})),
        ([{"kind": "gemm_api", "count": 5}, {"kind": "reorder", "count": 2}],
         "This variant is free of Intel kernels: no primitive of a layer ran (5 gemm_api, 2 reorder: no layers).",
         no_layer("This variant", {"gemm_api": 5, "reorder": 2})),
        ([], "The baseline is free of Intel kernels: no primitive at all ran, and TensorFlow says that it has none.",
         no_layer("The baseline", {}, "no primitive at all ran, and TensorFlow says that it has none")),
    ],
)  # fmt: skip
def test_a_stored_baseline_is_told_in_todays_words(primitives: list[Any], stored: str, today: str) -> None:
    """The matrix product is a kernel of oneDNN, whatever an earlier release called it."""
    data = {"primitives": primitives, "threads": {}}
    assert held_to_todays_rules(Verdict(BASELINE_FREE, True, stored), data) == Verdict(BASELINE_FREE, True, today)
    assert held_to_todays_rules(Verdict(BASELINE_FREE, True, today), data).text == today


@pytest.mark.parametrize(
    ("cpus", "said", "passed", "tells_where"),
    [("010", "3", None, True), ("0101", "3", None, False), ("0101", "4", True, False)],
)
def test_stored_threads_that_are_no_whole_teams_are_undecided(
    cpus: str, said: str, passed: bool | None, tells_where: bool
) -> None:
    """Two teams of two are four threads; of three, the stored bindings tell where they are and no more."""
    bound = [{"thread": number, "cpus": cpu} for number, cpu in enumerate(cpus)]
    stored = f"Every one of {said} OpenMP threads is bound inside the cpuset 0-1, one to a core in each of 2 teams."
    data = {"primitives": [], "threads": {"openmp_max_threads": 2, "bound": bound}}
    found = held_to_todays_rules(Verdict(THREADS_BOUND, True, stored), data)
    assert found.passed is passed
    assert (found.text == stored) is (passed is True)
    assert tells(found.text, said, "0-1")
    assert ("CPU 0" in found.text) is ("CPU 1" in found.text) is tells_where
    assert not tells_where or re.search(r"\b(two|2)\b[^,;]* CPU 0\b.*\b(one|1)\b[^,;]* CPU 1\b", found.text)
