"""The hash is of what is computed, and not of the words around it."""

from __future__ import annotations

from maintenance.bench_stats.code_hash import without_words

SOURCE = '''"""A module."""

# A comment.
A = "# no comment"  # but this is one


def double(value: float) -> float:
    """Return twice the value.

    It is not halved.
    """
    return 2 * value
'''


def test_words_are_left_out_and_code_is_kept() -> None:
    assert without_words(SOURCE) == 'A = "# no comment"\ndef double(value: float) -> float:\n    return 2 * value'


def test_other_arithmetic_is_noticed() -> None:
    assert without_words(SOURCE.replace("2 * value", "2.1 * value")) != without_words(SOURCE)
    assert without_words(SOURCE.replace("halved", "tripled")) == without_words(SOURCE)
