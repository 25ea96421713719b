"""Fetches the library of an allocator from its locked Debian package, and keeps it in the folder of the run.

The library is not part of an image or environment. Each launch with an allocator gets it in its job folder, so that a
process and a container preload the same file, and images are the same with and without.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import requests

from runner.catalogue.allocators import Allocator, find_allocator
from runner.engines.protocol import Notify
from runner.errors import DiskError, HostError, UsageError
from runner.support.atomic import write_whole
from runner.support.network import PackageIndex, redact
from runner.vocabulary import AllocatorFile, Launch

# The folder of a run, and of the cache, that holds the libraries.
FOLDER = "allocators"
MIRROR = "https://deb.debian.org/debian"
_TIMEOUT_SECONDS = 60
# The format of a .deb: an ar archive, of which one member is a tar with the files (deb(5), ar(5)).
_MAGIC, _HEADER_BYTES, _SIZE = b"!<arch>\n", 60, slice(48, 58)


def allocators_of(launches: Iterable[Launch]) -> tuple[AllocatorFile, ...]:
    """The libraries that launches preload, each once."""
    return tuple(dict.fromkeys(launch.allocator for launch in launches if launch.allocator is not None))


def fetch(
    launches: Iterable[Launch], mirror: str | None, index: PackageIndex, cache: Path, notify: Notify
) -> Mapping[AllocatorFile, bytes]:
    """The content of each library that launches preload, from the cache or from a mirror (None: Debian's own).

    Raises:
        HostError: a package cannot be fetched, or is not the one that was locked.
        DiskError: the cache cannot be written.
    """
    files = allocators_of(launches)
    return {file: _fetched(find_allocator(file.name), mirror or MIRROR, index, cache, notify) for file in files}


def keep(libraries: Mapping[AllocatorFile, bytes], run_folder: Path) -> None:
    """Write libraries into a run's folder. Every launch of the run uses them, also after --resume.

    Raises:
        DiskError: they cannot be written.
    """
    for file, content in libraries.items():
        _write(run_folder / FOLDER / file.file, content)


def kept(run_folder: Path, file: AllocatorFile) -> bytes:
    """The content of a library in a run's folder.

    Raises:
        UsageError: it is missing, or is not the one that the run began with.
    """
    path = run_folder / FOLDER / file.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The run's copy of {file.name}, {path}, cannot be read: {error.strerror}. Restore it (sha256 "
            f"{file.sha256}) or start a new run."
        ) from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UsageError(
            f"{path} was changed since the run began. Restore it (sha256 {file.sha256}) or start a new run."
        )
    return content


def library_of(package: bytes, path: str) -> bytes:
    """The content of one file of a Debian package.

    Raises:
        ValueError: this is no Debian package, or it has no such file.
    """
    if not package.startswith(_MAGIC):
        raise ValueError("it is no ar archive")
    at = len(_MAGIC)
    while at < len(package):
        header = package[at : at + _HEADER_BYTES]
        size = int(header[_SIZE])
        member = package[at + _HEADER_BYTES : at + _HEADER_BYTES + size]
        if header.startswith(b"data.tar"):
            return _file_in(member, path)
        at += _HEADER_BYTES + size + size % 2
    raise ValueError("it has no data.tar")


def _file_in(archive: bytes, path: str) -> bytes:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            found = files.extractfile(f"./{path}")
            content = found.read() if found else None
    except (KeyError, tarfile.TarError) as error:
        raise ValueError(str(error)) from error
    if content is None:
        raise ValueError(f"{path} is no file")
    return content


def _fetched(allocator: Allocator, mirror: str, index: PackageIndex, cache: Path, notify: Notify) -> bytes:
    path = cache / FOLDER / allocator.library_sha256 / allocator.file.file
    if path.exists() and hashlib.sha256(content := path.read_bytes()).hexdigest() == allocator.library_sha256:
        return content
    address = f"{mirror.rstrip('/')}/{allocator.path}"
    notify(f"fetching {allocator.name}: {redact(address)}")
    try:
        bundle = index.bundle()
        answer = requests.get(address, timeout=_TIMEOUT_SECONDS, verify=True if bundle is None else str(bundle))
        answer.raise_for_status()
        package = answer.content
        if (found := hashlib.sha256(package).hexdigest()) != allocator.package_sha256:
            raise ValueError(f"its sha256 is {found} instead of {allocator.package_sha256}")
        content = library_of(package, allocator.library)
        if (found := hashlib.sha256(content).hexdigest()) != allocator.library_sha256:
            raise ValueError(f"the sha256 of its {allocator.library} is {found} instead of {allocator.library_sha256}")
    except (OSError, ValueError) as error:
        raise HostError(
            f"The Debian package {allocator.package} {allocator.version}, which has {allocator.name}, cannot be "
            f"fetched from {redact(address)}: {redact(str(error))}. Name a mirror that has it with --debian-mirror "
            f"(archived versions: https://snapshot.debian.org), or put its {allocator.library} at {path}."
        ) from error
    _write(path, content)
    return content


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise DiskError(
            f"{path} cannot be written: {error}. Free some room or correct the permissions there, then try again."
        ) from error
