"""Reads allocators.toml: the memory allocators that a rung can preload, each from a locked Debian package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

from runner.support.data import read_toml
from runner.support.structure import GIVEN, structure, written_by_people
from runner.vocabulary import AllocatorFile, one_of

ALLOCATORS_FILE = Path(__file__).resolve().parent / "allocators.toml"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Allocator:
    """One library of a Debian package. `path` is where a mirror has the package, `library` where the package has it."""

    name: str = field(metadata=GIVEN)
    package: str
    version: str
    path: str
    package_sha256: str
    library: str
    library_sha256: str
    reason: str
    source: str

    @property
    def file(self) -> AllocatorFile:
        """The library as launches and records have it."""
        return AllocatorFile(self.name, PurePosixPath(self.library).name, self.library_sha256)


def find_allocator(name: str) -> Allocator:
    """Return the allocator of that name.

    Raises:
        UsageError: there is no such allocator; the message suggests the nearest names.
    """
    known = _load()
    return known[one_of("allocator", name, known)]


@cache
def _load() -> Mapping[str, Allocator]:
    data = read_toml(ALLOCATORS_FILE, SCHEMA_VERSION)
    return structure(data, _File, ALLOCATORS_FILE.name, written_by_people()).allocators


@dataclass(frozen=True)
class _File:
    allocators: Mapping[str, Allocator]
