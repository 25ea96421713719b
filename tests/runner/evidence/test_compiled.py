"""The instruction sets that a build says it was not compiled to use, from real logs and in other wordings."""

from __future__ import annotations

import pytest

from runner.evidence.compiled import parse_not_compiled_for
from tests.runner.evidence.captured import captured, evidence

AVX512 = ("AVX2", "AVX512F", "FMA")
VNNI = ("AVX2", "AVX512F", "AVX512_VNNI", "FMA")
OF_ZEN_3 = ("AVX2", "FMA")


@pytest.mark.parametrize(
    ("name", "instruction_sets"),
    [
        ("tf-1.12-stock", AVX512), ("tf-1.12-intel", AVX512), ("tf-1.15-stock", AVX512), ("tf-1.15-intel", AVX512),
        ("tf-2.14-stock", VNNI), ("tf-2.14-stock-onednn", VNNI), ("tf-2.14-intel", VNNI),
        ("tf-2.14-plain-install", OF_ZEN_3), ("tf-1.15-intel-disabled", OF_ZEN_3),
        ("tf-2.14-intel-disabled", OF_ZEN_3),
    ],
)  # fmt: skip
def test_every_build_says_what_it_was_not_compiled_for(name: str, instruction_sets: tuple[str, ...]) -> None:
    """Each of the three wordings, in the log of each build; the evidence keeps it."""
    assert parse_not_compiled_for(captured(name).log) == instruction_sets
    assert evidence(name).compiled == {"not_compiled_for": list(instruction_sets)}


def test_the_wording_of_builds_with_onednn_between_the_stacks() -> None:
    """TensorFlow 2.4 to 2.8 name oneDNN in the line."""
    line = (
        "I tensorflow/core/platform/cpu_feature_guard.cc:151] This TensorFlow binary is optimized with oneAPI Deep "
        "Neural Network Library (oneDNN) to use the following CPU instructions in performance-critical operations:  "
        "SSE4.1 AVX2 FMA\nTo enable them in other operations, rebuild TensorFlow with the appropriate compiler flags.\n"
    )
    assert parse_not_compiled_for(line) == ("SSE4.1", "AVX2", "FMA")


@pytest.mark.parametrize("text", ["", "To enable them in other operations, rebuild", "was not compiled to use: \n"])
def test_a_log_without_the_line_says_nothing(text: str) -> None:
    """A log does not tell a build that lacks nothing from one that prints nothing: the answer is None, and no empty
    list.
    """
    assert parse_not_compiled_for(text) is None
