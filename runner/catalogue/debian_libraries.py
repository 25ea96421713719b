"""Reads debian_libraries.toml: shared libraries that no wheel has, each from a locked Debian package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

from runner.support.data import read_toml
from runner.support.structure import GIVEN, structure, written_by_people
from runner.vocabulary import AllocatorFile, one_of

LIBRARIES_FILE = Path(__file__).resolve().parent / "debian_libraries.toml"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class DebianLibrary:
    """One file of a Debian package: `path` is the package's place on a mirror, `library` the file's in the package.

    `is_allocator` says that it can be preloaded in the place of the C library's malloc.
    """

    name: str = field(metadata=GIVEN)
    package: str
    version: str
    path: str
    package_sha256: str
    library: str
    library_sha256: str
    reason: str
    source: str
    is_allocator: bool = False

    @property
    def file(self) -> str:
        """The name of the library's file."""
        return PurePosixPath(self.library).name

    @property
    def as_allocator(self) -> AllocatorFile:
        """The library as launches and records have it that preload it."""
        return AllocatorFile(self.name, self.file, self.library_sha256)


def find_library(name: str) -> DebianLibrary:
    """Return the library of that name.

    Raises:
        UsageError: there is no such library; the message suggests the nearest names.
    """
    known = _load()
    return known[one_of("library", name, known)]


def find_allocator(name: str) -> DebianLibrary:
    """Return the allocator of that name.

    Raises:
        UsageError: no library of that name is an allocator; the message suggests the nearest names.
    """
    known = {each.name: each for each in _load().values() if each.is_allocator}
    return known[one_of("allocator", name, known)]


@cache
def _load() -> Mapping[str, DebianLibrary]:
    data = read_toml(LIBRARIES_FILE, SCHEMA_VERSION)
    return structure(data, _File, LIBRARIES_FILE.name, written_by_people()).libraries


@dataclass(frozen=True)
class _File:
    libraries: Mapping[str, DebianLibrary]
