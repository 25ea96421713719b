"""Do two runs agree? Textbook values, coverage, and what must hold whatever the numbers."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from runner.stats.agreement import compare_pairs
from runner.stats.intervals import quotient
from runner.stats.pairs import Pair
from runner.status import Status
from runner.vocabulary import Group

ratios = st.lists(st.floats(0.1, 10), min_size=2, max_size=8)
spread = ratios.filter(lambda values: max(values) / min(values) > 1.001)
GROUP = Group("tf-2.14", "resnet50", 4)


def pair(values: list[float], *, topology: str = "resnet50", status: Status = Status.OK) -> Pair:
    """A pair whose block-wise ratios are these."""
    group = Group(GROUP.stack, topology, GROUP.batch_size)
    ones = tuple(1.0 for _ in values)
    return Pair(group, "stock", "intel", ones, tuple(values), None, status, "why" if status != Status.OK else "")


def test_the_interval_is_that_of_the_textbook() -> None:
    """Student's sleep data, as the manual of R's t.test analyses them: -3.3654832 to 0.2054832 (Welch, 95%)."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = quotient([math.exp(value) for value in first], [math.exp(value) for value in second])
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((-3.3654832, 0.2054832), abs=1e-6)


@given(spread, spread)
@settings(deadline=None)  # SciPy takes a while where the machine is busy
def test_the_interval_is_welchs_on_the_logarithms(numerator: list[float], denominator: list[float]) -> None:
    """It holds 1 exactly where scipy's Welch test does not reject, and its centre is the ratio of geometric means."""
    found = quotient(numerator, denominator)
    logs = [[math.log(value) for value in values] for values in (numerator, denominator)]
    assert math.log(found.value) == pytest.approx(sum(logs[0]) / len(logs[0]) - sum(logs[1]) / len(logs[1]), abs=1e-9)
    p_value = stats.ttest_ind(*logs, equal_var=False).pvalue
    if abs(p_value - 0.05) > 1e-6:
        assert (found.low <= 1 <= found.high) == (p_value > 0.05)


@given(ratios, ratios)
@settings(deadline=None)  # SciPy takes a while where the machine is busy
def test_the_other_way_round_is_the_inverse(numerator: list[float], denominator: list[float]) -> None:
    """Which of two runs is called the original does not matter."""
    there, back = quotient(numerator, denominator), quotient(denominator, numerator)
    assert (1 / back.value, 1 / back.high, 1 / back.low) == pytest.approx((there.value, there.low, there.high))


@given(ratios)
@settings(deadline=None)  # SciPy takes a while where the machine is busy
def test_a_run_agrees_with_itself(values: list[float]) -> None:
    """The same samples twice are never found to differ."""
    assert compare_pairs([pair(values)], [pair(values)])[0].agrees is True


@given(ratios, ratios, st.floats(0.5, 2))
@settings(deadline=None)  # SciPy takes a while where the machine is busy
def test_scaling_both_sides_of_both_runs_changes_nothing(then: list[float], now: list[float], factor: float) -> None:
    """Only the ratio of the speedups counts."""
    plain = quotient(now, then)
    scaled = quotient([value * factor for value in now], [value * factor for value in then])
    assert (scaled.value, scaled.low, scaled.high) == pytest.approx((plain.value, plain.low, plain.high))


@given(ratios, ratios, st.integers(2, 6))
@settings(deadline=None)  # SciPy takes a while where the machine is busy
def test_more_cells_make_each_interval_wider(then: list[float], now: list[float], count: int) -> None:
    """Intervals that hold all at once are at least as wide as one alone."""
    names = ["resnet50", "vgg16", "alexnet", "googlenet", "inception3", "resnet152"][:count]
    alone = compare_pairs([pair(then)], [pair(now)])[0].ratio
    together = compare_pairs(
        [pair(then, topology=name) for name in names], [pair(now, topology=name) for name in names]
    )[0].ratio
    assert alone is not None
    assert together is not None
    assert together.low <= alone.low * (1 + 1e-9)
    assert together.high >= alone.high * (1 - 1e-9)


def test_without_any_spread_equal_speedups_agree_and_others_do_not() -> None:
    """Two runs of a machine without noise differ by any difference."""
    assert compare_pairs([pair([4.0, 4.0])], [pair([4.0, 4.0])])[0].agrees is True
    assert compare_pairs([pair([4.0, 4.0])], [pair([2.0, 2.0])])[0].agrees is False


@pytest.mark.parametrize("values", [[0.3, 0.3, 0.3], [0.3, math.nextafter(0.3, 1), 0.3], [0.3, 0.3 + 1e-12, 0.3]])
def test_hardly_any_spread_gives_an_interval_of_hardly_any_width(values: list[float]) -> None:
    """Without a warning, on either side of the quotient."""
    for found in (quotient(values, [0.3, 0.3]), quotient([0.3, 0.3], values), quotient(values, values)):
        assert (found.low, found.value, found.high) == pytest.approx((1, 1, 1), abs=1e-10)


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        (pair([4.0, 4.0]), None, "not in the repetition"),
        (pair([4.0]), pair([4.0, 4.0]), "too few blocks"),
        (pair([4.0, 4.0]), pair([4.0, 4.0], status=Status.LOSSES_DIFFER), "may not have trained the same thing"),
        (pair([4.0, 4.0]), pair([], status=Status.TIMEOUT), "in the repetition: why"),
    ],
)
def test_what_cannot_be_compared_says_why(then: Pair, now: Pair | None, reason: str) -> None:
    found = compare_pairs([then], [now] if now else [])[0]
    assert found.agrees is None
    assert reason in found.reason


def test_equal_runs_are_found_to_differ_no_more_often_than_they_may() -> None:
    """Of 500 simulated repetitions of three equal cells, at most 6% are called different in any cell."""
    rng = random.Random(1908)
    names = ["resnet50", "vgg16", "alexnet"]

    def noisy() -> list[Pair]:
        return [pair([2.3 * math.exp(rng.gauss(0, 0.1)) for _ in range(4)], topology=name) for name in names]

    wrong = sum(any(each.agrees is False for each in compare_pairs(noisy(), noisy())) for _ in range(500))
    assert wrong / 500 <= 0.06


@pytest.mark.parametrize(
    ("numerator", "denominator"), [([1.0], [1.0, 2.0]), ([1.0, 2.0], []), ([1.0, 0.0], [1.0, 1.0])]
)
def test_what_has_no_interval_is_refused(numerator: list[float], denominator: list[float]) -> None:
    """Too few or non-positive values are programming errors, not numbers."""
    with pytest.raises(ValueError, match="two positive values"):
        quotient(numerator, denominator)
