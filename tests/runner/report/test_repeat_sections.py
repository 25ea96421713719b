"""The sentence on a repetition: agrees, does not agree, cannot be told, and how much that means."""

from __future__ import annotations

import re

from runner.report.repeat_sections import verdict
from runner.stats.agreement import compare_pairs
from runner.stats.pairs import Pair
from runner.status import Status
from runner.vocabulary import Group
from tests.runner.told import tells


def pair(*ratios: float) -> Pair:
    """A pair whose block-wise ratios are these."""
    ones = tuple(1.0 for _ in ratios)
    return Pair(Group("tf-2.14", "vgg16", 4), "stock", "intel", ones, tuple(ratios), None, Status.OK, "")


def test_agreement_says_how_much_it_could_not_have_seen() -> None:
    """Noisy runs agree easily, so the sentence carries the size of a difference that would have been missed."""
    text = verdict(compare_pairs([pair(1.0, 2.0)], [pair(1.5, 2.5)]), [])
    assert tells(text, "It agrees: 1 speedup")
    assert len(re.findall(r"[0-9.]+x", text)) == 1
    assert "differ:" not in text


def test_without_noise_nothing_could_have_been_missed() -> None:
    """Two runs without any spread agree to the last digit."""
    text = verdict(compare_pairs([pair(2.0, 2.0)], [pair(2.0, 2.0)]), [])
    assert tells(text, "It agrees: 1 speedup")
    assert re.findall(r"[0-9.]+x", text) == []


def test_a_difference_is_named_with_both_speedups_and_with_what_differs() -> None:
    text = verdict(compare_pairs([pair(4.0, 4.0)], [pair(2.0, 2.0)]), [("pin.cpus", "0-1", "0")])
    assert tells(text, "not agree", "VGG16", "intel / stock", "tf-2.14", "batch size 4", "differ: pin.cpus")
    assert re.findall(r"([0-9.]+)x", text) == ["4.00", "2.00"]


def test_nothing_in_common_is_neither() -> None:
    text = verdict(compare_pairs([pair(4.0, 4.0)], []), [])
    assert tells(text, "cannot be decided", "VGG16", "intel / stock", "tf-2.14", "batch size 4", "repetition")
