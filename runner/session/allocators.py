"""Keeps the libraries of memory allocators in the folder of the run whose launches preload them.

The library is not part of an image or environment. Each launch with an allocator gets it in its job folder, so that a
process and a container preload the same file, and images are the same with and without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.catalogue.debian_libraries import find_allocator
from runner.engines.debian_package import fetched
from runner.engines.protocol import Notify
from runner.support.copies import read_copy, write_copy
from runner.support.network import PackageIndex
from runner.vocabulary import AllocatorFile, Launch

# The folder of a run that holds the libraries.
FOLDER = "allocators"


def allocators_of(launches: Iterable[Launch]) -> tuple[AllocatorFile, ...]:
    """The libraries that launches preload, each once."""
    return tuple(dict.fromkeys(launch.allocator for launch in launches if launch.allocator is not None))


def fetch(
    launches: Iterable[Launch], index: PackageIndex, cache: Path, notify: Notify
) -> Mapping[AllocatorFile, bytes]:
    """The content of each library that launches preload, from the cache or from a Debian mirror.

    Raises:
        HostError: a package cannot be fetched, or is not the one that was locked.
        DiskError: the cache cannot be written.
    """
    return {file: fetched(find_allocator(file.name), index, cache, notify) for file in allocators_of(launches)}


def keep(libraries: Mapping[AllocatorFile, bytes], run_folder: Path) -> None:
    """Write libraries into a run's folder. Every launch of the run uses them, also after --resume.

    Raises:
        DiskError: they cannot be written.
    """
    for file, content in libraries.items():
        write_copy(run_folder / FOLDER / file.file, content, file.name)


def kept(run_folder: Path, file: AllocatorFile) -> bytes:
    """The content of a library in a run's folder.

    Raises:
        UsageError: it is missing, or is not the one that the run began with.
    """
    return read_copy(run_folder / FOLDER / file.file, file.sha256, file.name)
