"""The sentence on a repetition: agrees, does not agree, cannot be decided, and how much that means."""

from __future__ import annotations

from runner.report.repeat_sections import verdict
from runner.stats.agreement import compare_pairs
from runner.stats.pairs import Pair
from runner.status import Status
from runner.vocabulary import Group


def pair(*ratios: float) -> Pair:
    """A pair whose block-wise ratios are these."""
    ones = tuple(1.0 for _ in ratios)
    return Pair(Group("tf-2.14", "vgg16", 4), "stock", "intel", ones, tuple(ratios), None, Status.OK, "")


def test_agreement_says_how_much_it_could_not_have_seen() -> None:
    """Noisy runs agree easily, so the sentence carries the size of a difference that would have been missed."""
    text = verdict(compare_pairs([pair(1.0, 2.0)], [pair(1.5, 2.5)]), [])
    assert text.startswith("It agrees: 1 speedup within the intervals, which could not have shown a difference of less")
    assert text.endswith("All conditions are the same.")


def test_without_noise_nothing_could_have_been_missed() -> None:
    """Two runs without any spread agree to the last digit."""
    text = verdict(compare_pairs([pair(2.0, 2.0)], [pair(2.0, 2.0)]), [])
    assert text == "It agrees: 1 speedup within the intervals. All conditions are the same."


def test_a_difference_is_named_with_both_speedups_and_with_what_differs() -> None:
    """The pair, then and now, and every condition by name."""
    text = verdict(compare_pairs([pair(4.0, 4.0)], [pair(2.0, 2.0)]), [("pin.cpus", "0-1", "0")])
    assert text.startswith("It does not agree: VGG16 intel / stock (tf-2.14, batch size 4) was 4.00x")
    assert text.endswith("Conditions that differ: pin.cpus.")


def test_nothing_in_common_is_neither() -> None:
    """Neither agreement nor its opposite is claimed."""
    text = verdict(compare_pairs([pair(4.0, 4.0)], []), [])
    assert text.startswith("Whether it agrees cannot be decided")
    assert "VGG16 intel / stock (tf-2.14, batch size 4) (not in the repetition)" in text
