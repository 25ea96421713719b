"""Fingerprints of two variants held against each other."""

from __future__ import annotations

from typing import Any

import pytest

from runner.checks.fingerprints import LEAST_SENSITIVITY, SENSITIVITIES, compare_fingerprints

CONV = ["output", "conv1", 100.0, 5.0, 1e-4]
GRADIENT = ["gradient", "conv1/weights", 2.0, -1.0, 1e-3]
HONEST = [CONV, GRADIENT]


def changed(entry: list[Any], **numbers: Any) -> list[Any]:
    """An entry with other numbers."""
    names = ("kind", "name", "norm", "dot", "sensitivity")
    return [numbers.get(name, value) for name, value in zip(names, entry, strict=True)]


def test_rounding_passes() -> None:
    """Differences of the size that a small perturbation has are rounding."""
    other = [changed(CONV, norm=100.003, dot=4.99), changed(GRADIENT, dot=-1.002)]
    check = compare_fingerprints(HONEST, other)
    assert check is not None
    assert (check.passed, check.judged, check.close, check.not_judged, check.explanation) == (True, 2, 2, 0, "")
    assert check.worst is not None
    assert check.worst.title == "output of conv1"
    assert check.worst.excess == pytest.approx(3e-5 / 5e-5, rel=1e-3)


@pytest.mark.parametrize(
    ("number", "value"),
    [("norm", 0.0), ("norm", 103.0), ("dot", -5.0), ("norm", None), ("dot", None)],
    ids=["vanished", "3% larger", "other signs", "norm is no number", "dot product is no number"],
)
def test_anything_larger_fails_and_names_the_first_tensor(number: str, value: float | None) -> None:
    check = compare_fingerprints(HONEST, [changed(CONV, **{number: value}), GRADIENT])
    assert check is not None
    assert check.passed is False
    assert [each.name for each in check.failed] == ["conv1"]
    assert "in 1 of 2 tensors, first in the output of conv1" in check.explanation


def test_a_faulty_side_cannot_widen_its_own_tolerance() -> None:
    """The smaller sensitivity counts."""
    other = [changed(CONV, norm=103.0, sensitivity=1.0), GRADIENT]
    for sides in ((HONEST, other), (other, HONEST)):
        check = compare_fingerprints(*sides)
        assert check is not None
        assert check.passed is False


@pytest.mark.parametrize(("kind", "passed"), [("output", False), ("gradient", True), ("update", True)])
def test_rounding_hardly_changes_the_norm_of_an_output(kind: str, passed: bool) -> None:
    """A wrong epsilon deep in ResNet152: 1.5e-3 in the norm, where rounding changes the values by 9.1e-4 at random."""
    one = [changed(CONV, kind=kind, sensitivity=9.1e-4)]
    check = compare_fingerprints(one, [changed(one[0], norm=100.15)])
    assert check is not None
    assert check.passed is passed


@pytest.mark.parametrize(("kind", "passed"), [("gradient", True), ("update", True), ("output", False)])
def test_a_gradient_may_take_another_way_through_one_unit(kind: str, passed: bool) -> None:
    """A ReLU on the edge turns it by a percent or so, which leaves its norm; an output does not jump."""
    one = [changed(GRADIENT, kind=kind, sensitivity=1e-6)]
    check = compare_fingerprints(one, [changed(one[0], norm=2.0001, dot=-1.04)])
    assert check is not None
    assert check.passed is passed


def test_a_learning_rate_that_is_2_percent_off_is_no_jump() -> None:
    """It changes every norm by as much."""
    one = [GRADIENT, changed(GRADIENT, kind="update")]
    check = compare_fingerprints(one, [GRADIENT, changed(one[1], norm=2.0 * 1.02, dot=-1.0 * 1.02)])
    assert check is not None
    assert [each.title for each in check.failed] == ["first update of conv1/weights"]


def test_nobody_is_asked_for_more_than_float32_can_do() -> None:
    """An insensitive tensor still has the rounding error of its own last operation."""
    one = [changed(CONV, sensitivity=0.0)]
    close, far = (SENSITIVITIES * LEAST_SENSITIVITY * part for part in (0.9, 1.1))
    for difference, passed in ((close, True), (far, False)):
        check = compare_fingerprints(one, [changed(CONV, dot=5.0 + 100 * difference, sensitivity=0.0)])
        assert check is not None
        assert check.passed is passed


@pytest.mark.parametrize("sensitivity", [2.0, None])
def test_a_tensor_that_rounding_alone_could_turn_round_is_not_judged(sensitivity: float | None) -> None:
    """With nothing else there, nothing is said: neither the same training nor another."""
    one = [changed(CONV, sensitivity=sensitivity)]
    check = compare_fingerprints(one, [changed(CONV, dot=-60.0, sensitivity=sensitivity)])
    assert check is not None
    assert (check.passed, check.judged, check.not_judged) == (None, 0, 1)


def test_a_wide_tolerance_still_tells_a_tensor_that_vanished() -> None:
    """A gradient that rounding changes by a tenth is not close, but must be there."""
    one = [changed(GRADIENT, sensitivity=0.1)]
    near, gone = ([changed(one[0], norm=norm, dot=dot)] for norm, dot in ((2.2, -0.5), (0.0, 0.0)))
    found = [compare_fingerprints(one, other) for other in (near, gone)]
    assert [check and (check.passed, check.judged, check.close) for check in found] == [(True, 1, 0), (False, 1, 0)]


def test_a_norm_is_judged_where_a_direction_cannot_be() -> None:
    """Close to the edge the allowance for jumps leaves nothing of the dot product; a vanished tensor is still found."""
    one = [changed(GRADIENT, sensitivity=0.99 / SENSITIVITIES)]
    found = [compare_fingerprints(one, [changed(one[0], norm=norm, dot=2.9)]) for norm in (2.0, 0.0)]
    assert [check and (check.passed, check.judged) for check in found] == [(True, 1), (False, 1)]


def test_zeros_on_both_sides_are_the_same() -> None:
    """A bias that gets no gradient in one build gets none in the other."""
    zero = [changed(GRADIENT, norm=0.0, dot=0.0, sensitivity=0.0)]
    check = compare_fingerprints(zero, zero)
    assert check is not None
    assert check.passed


def test_two_networks_are_not_the_same_training() -> None:
    """Rounding does not explain layers that only one side has."""
    check = compare_fingerprints(HONEST, [CONV])
    assert check is not None
    assert check.passed is False
    assert "the gradient of conv1/weights" in check.explanation


@pytest.mark.parametrize(("one", "other"), [([], HONEST), (HONEST, []), ([], [])])
def test_without_a_fingerprint_nothing_is_said(one: list[Any], other: list[Any]) -> None:
    """Earlier runs have none, nor has a probe whose quiet launch failed."""
    assert compare_fingerprints(one, other) is None
