"""The kernel's notations for CPU sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.machine.cpulist import format_cpu_list, parse_cpu_list, parse_cpu_mask
from tests.runner.sysroots import cpu_mask

SETS = st.frozensets(st.integers(0, 300), max_size=40)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", set()),
        ("\n", set()),
        ("0", {0}),
        ("0-3,8", {0, 1, 2, 3, 8}),
        (" 2 , 4-5\n", {2, 4, 5}),
        ("7-7", {7}),
    ],
)
def test_parses_a_list(text: str, numbers: set[int]) -> None:
    """A list gives its numbers and the inclusive ranges between them."""
    assert parse_cpu_list(text) == numbers


@pytest.mark.parametrize("text", ["a", "1,,2", "3-1", "-1", "0-", "1-2-3", "0-6:2/3", "0x1", "²", "0-99999999999"])
def test_refuses_what_is_no_list(text: str) -> None:
    """Anything that is not a number or a rising range is refused by name."""
    with pytest.raises(ValueError, match=r"range|beyond"):
        parse_cpu_list(text)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [(set(), ""), ({0}, "0"), ({0, 1}, "0-1"), ({8, 3, 2, 1, 0}, "0-3,8"), ({0, 2, 4}, "0,2,4")],
)
def test_formats_as_the_kernel_does(numbers: set[int], text: str) -> None:
    """Numbers are sorted and runs of two or more become ranges."""
    assert format_cpu_list(numbers) == text


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", set()),
        ("0", set()),
        ("3", {0, 1}),
        ("00000000,00000003", {0, 1}),
        ("00000001,00000000", {32}),
        ("1,80000000", {31, 32}),
        ("f0\n", {4, 5, 6, 7}),
    ],
)
def test_parses_a_mask(text: str, numbers: set[int]) -> None:
    """A mask's words are 32 bits each, the lowest last."""
    assert parse_cpu_mask(text) == numbers


@pytest.mark.parametrize("text", ["g", "1,,2", "0x3", "123456789", "-1"])
def test_refuses_what_is_no_mask(text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal word"):
        parse_cpu_mask(text)


@given(SETS)
def test_lists_and_masks_round_trip(numbers: frozenset[int]) -> None:
    assert parse_cpu_list(format_cpu_list(numbers)) == numbers
    assert parse_cpu_mask(cpu_mask(numbers)) == numbers
