"""May records be divided, and was it the same training?"""

from __future__ import annotations

import re

import pytest

from runner.checks.conditions import differing_conditions, why_not_comparable
from runner.checks.losses import check_losses, tolerances_of
from tests.runner.builders import record


def test_a_differing_condition_is_named_with_both_values() -> None:
    one = record("stock", conditions={"machine": {"microcode": "0x1"}, "engine": "venv"})
    other = record("intel", conditions={"machine": {"microcode": "0x2"}, "engine": "venv"})
    assert why_not_comparable([one, other]) == "conditions differ: machine.microcode (0x1 / 0x2)"


def test_equal_conditions_are_not_refused() -> None:
    assert why_not_comparable([record("stock"), record("intel")]) is None


def test_a_declared_difference_excuses_itself_and_nothing_else() -> None:
    """What two rungs differ in on purpose is not refused; what changed besides it is, by name."""
    one = record(conditions={"pin": {"cpus": "0", "threads": 1}, "pinned": 1, "engine": "venv"})
    other = record("intel", conditions={"pin": {"cpus": "0-1", "threads": 2}, "pinned": 1, "engine": "venv"})
    assert why_not_comparable([one, other], ["pin"]) is None
    changed = record("intel", conditions={**other.conditions, "pinned": 2})
    assert why_not_comparable([one, changed], ["pin"]) == "conditions differ: pinned (1 / 2)"


def test_a_condition_that_only_one_side_has_is_a_difference() -> None:
    one, other = record(conditions={"a": 1, "b": 2}), record(block=2, conditions={"a": 1})
    assert differing_conditions([one, other]) == {"b": [2, "absent"]}


def test_records_with_errors_do_not_count() -> None:
    failed = record("intel", conditions={"engine": "docker"}, error={"kind": "failed", "message": ""})
    assert differing_conditions([record(conditions={"engine": "venv"}), failed]) == {}


def test_losses_within_tolerance_are_the_same_training() -> None:
    """Rounding differences between builds pass, and the largest one of each step is told."""
    check = check_losses("resnet50", [record(losses=[8.0, 7.0, 6.0])], [record("intel", losses=[8.00001, 7.01, 1.0])])
    assert check is not None
    assert check.passed
    assert check.differences == pytest.approx((1.25e-6, 1.43e-3), rel=0.01)
    assert check.moved == pytest.approx(0.99001 / 8.00001)  # intel's, from 8.00001 to 7.01, is the smaller one


@pytest.mark.parametrize("losses", [[8.01, 7.0, 6.0], [8.0, 8.0, 6.0]])
def test_losses_that_differ_in_either_of_the_first_two_steps_are_flagged(losses: list[float]) -> None:
    """The forward pass and the first update are both judged."""
    check = check_losses("resnet50", [record(losses=[8.0, 7.0, 6.0])], [record("intel", losses=losses)])
    assert check is not None
    assert not check.passed
    assert "may not have trained the same thing" in check.explanation


def test_a_block_that_disagrees_with_another_of_the_same_variant_is_flagged() -> None:
    """Training must be the same in every block, not only between variants."""
    base = [record(block=1, losses=[8.0, 7.0, 6.0]), record(block=2, losses=[9.0, 7.0, 6.0])]
    check = check_losses("resnet50", base, [record("intel", losses=[8.0, 7.0, 6.0])])
    assert check is not None
    assert not check.passed


def test_without_batch_normalisation_the_second_loss_must_agree_as_closely_as_the_first() -> None:
    """Nothing amplifies rounding in VGG16, so a small difference there is another training."""
    base, other = [record(losses=[8.0, 7.0, 6.0])], [record("intel", losses=[8.0, 7.01, 6.0])]
    plain, normalised = check_losses("vgg16", base, other), check_losses("resnet152", base, other)
    assert plain is not None
    assert normalised is not None
    assert (plain.passed, normalised.passed) == (False, True)


@pytest.mark.parametrize(("batch_size", "passed"), [(4, True), (8, True), (16, False), (32, False)])
def test_with_many_images_the_second_loss_must_agree_more_closely(batch_size: int, passed: bool) -> None:
    """Rounding of 3.6e-2 is seen over four images and never over 32, where it is the size of the update itself."""
    base = [record(batch_size=batch_size, losses=[8.0, 7.0, 6.0])]
    check = check_losses("resnet152", base, [record("intel", batch_size=batch_size, losses=[8.0, 6.75, 6.0])])
    assert check is not None
    assert check.passed is passed


def test_tolerances_are_told_by_topology_and_batch_size() -> None:
    """An unknown topology has the tolerance of few images and of batch normalisation."""
    assert tolerances_of("resnet50") == tolerances_of("my_net", 8) == (1e-4, 1e-1)
    assert tolerances_of("resnet50", 32) == tolerances_of("my_net", 16) == (1e-4, 1e-2)
    assert tolerances_of("vgg16", 32) == tolerances_of("vgg16") == (1e-4, 1e-4)


@pytest.mark.parametrize(
    ("topology", "losses", "finding"),
    [
        ("inception3", [7.0, 6.958, 6.0], "within tolerance"),
        ("resnet50", [8.0, 7.9999, 6.0], "within tolerance; update not judged"),
        ("vgg16", [8.0, 7.9, 6.0], "within tolerance; layers not judged"),
        ("vgg16", [8.0, 7.9999, 6.0], "within tolerance; layers and update not judged"),
        ("my_net", [8.0, 7.0, 6.0], "within tolerance; layers not judged"),
    ],
)
def test_losses_say_what_they_cannot_show(topology: str, losses: list[float], finding: str) -> None:
    """Builds may differ by a movement that could be no update at all.

    A network that starts with small values has the same first loss whatever it computes.
    """
    sides = [[record(name, batch_size=32, losses=losses)] for name in ("stock", "intel")]
    check = check_losses(topology, *sides)
    assert check is not None
    assert (check.passed, check.finding) == (True, finding)
    assert "same training" not in check.explanation


@pytest.mark.parametrize("topology", ["inception3", "resnet50"])
def test_where_the_losses_judge_the_update_a_missing_one_is_found_and_a_larger_one_is_not(topology: str) -> None:
    """So the losses show at most that some update was made.

    The report's table tells by how much the two sides' updates differ.
    """
    base = [record(batch_size=32, losses=[7.0, 6.956, 6.0])]
    larger, none = ([record("intel", batch_size=32, losses=[7.0, second, 6.0])] for second in (6.940, 7.0))
    check, missing = check_losses(topology, base, larger), check_losses(topology, base, none)
    assert check is not None
    assert (check.passed, check.update_judged) == (True, True)
    assert check.share_of_movement == pytest.approx(0.016 / 0.044, rel=0.01)
    assert missing is not None
    assert not missing.passed


def test_losses_that_differ_are_called_so() -> None:
    check = check_losses("vgg16", [record(losses=[8.0, 7.9, 6.0])], [record("intel", losses=[8.1, 7.9, 6.0])])
    assert check is not None
    assert check.finding == "DIFFERENT"


def test_a_side_whose_loss_does_not_move_has_not_trained() -> None:
    """The two losses agree within the tolerance for few images, but the second equals the first.

    The pair is flagged with that reason.
    """
    base, other = [record(losses=[8.0, 7.9, 7.8])], [record("intel", losses=[8.0, 8.0, 8.0])]
    check = check_losses("resnet50", base, other)
    assert check is not None
    assert not check.passed
    assert re.search("not change the loss of intel, .*that of stock", check.explanation)


def test_losses_that_move_on_neither_side_are_the_same() -> None:
    """Whether a network can learn is the topology's matter, as long as both sides behave alike."""
    check = check_losses("resnet50", [record(losses=[8.0] * 3)], [record("intel", losses=[8.0] * 3)])
    assert check is not None
    assert check.passed
