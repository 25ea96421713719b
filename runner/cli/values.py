"""Turns the texts of options into values, with messages that say what was expected."""

from __future__ import annotations

import argparse
import re

from runner.machine.cpulist import parse_cpu_list

# int() and float() also accept 1_8 and the digits of every script; options accept plain ASCII numbers only.
_WHOLE = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_DURATION = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", re.ASCII)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list of names, without repetition."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise argparse.ArgumentTypeError("a comma-separated list of names was expected, and it is empty")
    return found


def whole(text: str) -> int:
    """A whole number of 0 or more."""
    if _WHOLE.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"a whole number of 0 or more was expected, not {text!r}")
    return int(text)


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    if _WHOLE.fullmatch(text) is None or not int(text):
        raise argparse.ArgumentTypeError(f"a whole number of 1 or more was expected, not {text!r}")
    return int(text)


def positive_list(text: str) -> tuple[int, ...]:
    """A comma-separated list of whole numbers of 1 or more, without repetition."""
    return tuple(dict.fromkeys(positive(part.strip()) for part in text.split(",")))


def seconds(text: str) -> float:
    """A positive number of seconds."""
    number = float(text) if _DECIMAL.fullmatch(text) else 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"a positive number of seconds was expected, not {text!r}")
    return number


def percent(text: str) -> float:
    """A positive share, written in percent with the sign or without: 5% or 5 is 0.05."""
    number = float(text.rstrip("% ")) if _DECIMAL.fullmatch(text.rstrip("% ")) else 0.0
    if not 0 < number < 100:
        raise argparse.ArgumentTypeError(f"a percentage such as 5% was expected, not {text!r}")
    return number / 100


def duration(text: str) -> float:
    """A positive time in seconds, written with units: 90s, 20m, 1h30m."""
    match = _DURATION.fullmatch(text.strip().lower())
    hours, minutes, rest = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if not (total := 3600 * hours + 60 * minutes + rest):
        raise argparse.ArgumentTypeError(f"a time such as 20m or 1h30m was expected, not {text!r}")
    return float(total)


def cpu_list(text: str) -> frozenset[int]:
    """CPUs as the kernel and Docker write them: 0-3,8."""
    try:
        cpus = parse_cpu_list(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a list of CPUs such as 0-3,8 was expected: {error}") from None
    if not cpus:
        raise argparse.ArgumentTypeError("a list of CPUs such as 0-3,8 was expected, and it is empty")
    return cpus


def base_images(text: str) -> dict[str, str]:
    """Base images by stack: `IMAGE` for every stack (under the empty name), or `STACK=IMAGE,...`."""
    found: dict[str, str] = {}
    for part in text.split(","):
        stack, separator, image = part.rpartition("=")
        if not image or (separator and not stack) or stack in found:
            raise argparse.ArgumentTypeError(f"an image, or STACK=IMAGE,... was expected, not {text!r}")
        found[stack] = image
    return found


def byte_size(text: str) -> int:
    """A size such as 8g or 512m, in bytes; units are powers of 1024, as Docker's."""
    match = re.fullmatch(r"([0-9]+)([kmgt]?)b?", text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"a size such as 8g or 512m was expected, not {text!r}")
    return int(match[1]) * _UNITS[match[2]]
