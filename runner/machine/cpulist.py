"""The kernel's notations for sets of CPUs or memory nodes: lists ("0-3,8"), masks ("00000000,00000003").

It knows nothing about files or topology.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: Above every CPU number of an x86-64 kernel (NR_CPUS is at most 8192). Without a limit, a typing error in a range
#: could fill the memory.
HIGHEST_NUMBER = 65535

_ITEM = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_WORD = re.compile(r"[0-9a-fA-F]{1,8}")


def parse_cpu_list(text: str) -> frozenset[int]:
    """Return the numbers of a kernel list such as ``0-3,8``; blank text is the empty set.

    Raises ValueError, naming the item, for anything that is not a number or a rising range.
    """
    if not text.strip():
        return frozenset()
    return frozenset(number for item in text.split(",") for number in _numbers(item.strip()))


def _numbers(item: str) -> range:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(f"{item!r} is not a number or a range such as 0-3")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise ValueError(f"the range {item!r} ends below its start")
    if last > HIGHEST_NUMBER:
        raise ValueError(f"{item!r} is beyond {HIGHEST_NUMBER}, the highest number accepted")
    return range(first, last + 1)


def format_cpu_list(numbers: Iterable[int]) -> str:
    """Write numbers as the kernel does: sorted, runs of two or more as a range, ``0-3,8``."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in _runs(numbers))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    ordered = sorted(set(numbers))
    starts = [n for i, n in enumerate(ordered) if i == 0 or ordered[i - 1] != n - 1]
    ends = [n for i, n in enumerate(ordered) if i + 1 == len(ordered) or ordered[i + 1] != n + 1]
    return zip(starts, ends, strict=True)


def parse_cpu_mask(text: str) -> frozenset[int]:
    """Return the numbers set in a kernel mask: 32-bit hexadecimal words, highest first, joined by commas.

    Raises ValueError, naming the word, for anything else.
    """
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    for word in words:
        if _WORD.fullmatch(word) is None:
            raise ValueError(f"{word!r} is not a hexadecimal word of at most 32 bits")
    bits = int("".join(word.zfill(8) for word in words) or "0", 16)
    return frozenset(number for number in range(bits.bit_length()) if bits >> number & 1)
