"""Takes apart the command line that a run has recorded, to propose another one to the reader."""

from __future__ import annotations

import shlex
from collections.abc import Collection

FOLDER = ("--out",)
# How launches are carried out on this host, apart from the engine: another run of it needs the same.
OF_THE_HOST = ("--base-image", "--pip-index", "--ca-bundle", "--debian-mirror", "--images", "--memory")


def without_folder(command: str) -> str:
    """Return a command without the folder that it wrote to, which holds a run now and is not written to again."""
    return shlex.join(_parted(command, FOLDER)[1])


def host_options(command: str) -> list[str]:
    """Return the options of a command that say from what installations are made here, as words."""
    return _parted(command, OF_THE_HOST)[0]


def _parted(command: str, names: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the words of these options, of which each has one value, and all other words."""
    found: list[str] = []
    rest: list[str] = []
    words = iter(shlex.split(command))
    for word in words:
        if word in names:
            found += [word, next(words, "")]
        elif word.partition("=")[0] in names:
            found.append(word)
        else:
            rest.append(word)
    return found, rest
