"""Reads small text files below a root: the running host's ``/``, or a folder with a captured /proc and /sys.

It does not know what the files mean. An absent or unreadable file gives None, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.errors import HostError
from runner.machine.cpulist import parse_cpu_list, parse_cpu_mask

#: The folder of sysfs that describes the logical CPUs, below the root.
CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True)
class Sysroot:
    """A folder that stands for the root directory of a host."""

    path: Path = Path("/")

    @property
    def live(self) -> bool:
        """Whether this is the running host. Only then do system calls describe the same host as the files."""
        return self.path.resolve() == Path("/")

    def text(self, name: str) -> str | None:
        """Return a file's stripped text; None if it is absent or cannot be read."""
        try:
            return (self.path / name.lstrip("/")).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def first_text(self, *names: str) -> str | None:
        """Return the text of the first of these files that is not empty; None if there is none."""
        return next((text for text in map(self.text, names) if text), None)

    def integer(self, name: str) -> int | None:
        """Return a file's decimal integer; None if the file is absent or holds something else."""
        text = self.text(name)
        return int(text) if text is not None and re.fullmatch(r"-?[0-9]+", text) else None

    def cpu_list(self, name: str) -> frozenset[int] | None:
        """Return the numbers in a file with a list (``0-3,8``); None if the file is absent.

        Raises:
            HostError: the file holds something else.
        """
        return self._numbers(name, parse_cpu_list)

    def cpu_mask(self, name: str) -> frozenset[int] | None:
        """Return the numbers in a file with a mask (``00000000,00000003``); None if the file is absent.

        Raises:
            HostError: the file holds something else.
        """
        return self._numbers(name, parse_cpu_mask)

    def _numbers(self, name: str, parse: Callable[[str], frozenset[int]]) -> frozenset[int] | None:
        text = self.text(name)
        return None if text is None else parsed(text, parse, f"/{name.lstrip('/')} below {self.path}")

    def entries(self, folder: str) -> tuple[str, ...]:
        """Return the sorted names in a folder; empty if the folder is absent."""
        try:
            return tuple(sorted(entry.name for entry in (self.path / folder.lstrip("/")).iterdir()))
        except OSError:
            return ()

    def numbered(self, folder: str, prefix: str) -> tuple[int, ...]:
        """Return the sorted numbers N for which the folder has an entry ``<prefix>N``."""
        pattern = re.compile(re.escape(prefix) + "([0-9]+)")
        return tuple(sorted(int(match[1]) for match in map(pattern.fullmatch, self.entries(folder)) if match))


def parsed(text: str, parse: Callable[[str], frozenset[int]], source: str) -> frozenset[int]:
    """Parse a set of numbers that was found in ``source``.

    Raises:
        HostError: the text is not such a set; the message names ``source``.
    """
    try:
        return parse(text)
    except ValueError as error:
        raise HostError(
            f"While reading the host's processors, {source} held {text[:80]!r}: {error}. Expected the "
            "kernel's notation for CPUs or memory nodes. If this is a captured tree, capture that file again."
        ) from error
