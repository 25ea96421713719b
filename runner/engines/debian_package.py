"""Fetches one library from its locked Debian package: from the kit's cache, or from a Debian mirror."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from runner.catalogue.debian_libraries import DebianLibrary, find_library
from runner.catalogue.stacks import Installation
from runner.engines.protocol import Notify
from runner.errors import DiskError, HostError
from runner.support.atomic import write_whole
from runner.support.network import PackageIndex, redact

MIRROR = "https://deb.debian.org/debian"
# The folder of the cache that holds the libraries.
FOLDER = "libraries"
_TIMEOUT_SECONDS = 60
# The format of a .deb: an ar archive, of which one member is a tar with the files (deb(5), ar(5)).
_MAGIC, _HEADER_BYTES, _SIZE = b"!<arch>\n", 60, slice(48, 58)


def fetched(library: DebianLibrary, index: PackageIndex, cache: Path, notify: Notify) -> bytes:
    """The content of a library, from the cache or else from the index's Debian mirror.

    Raises:
        HostError: its package cannot be fetched, or is not the one that was locked.
        DiskError: the cache cannot be written.
    """
    path = cache / FOLDER / library.library_sha256 / library.file
    if path.exists() and hashlib.sha256(content := path.read_bytes()).hexdigest() == library.library_sha256:
        return content
    address = f"{(index.debian_mirror or MIRROR).rstrip('/')}/{library.path}"
    notify(f"fetching {library.name}: {redact(address)}")
    try:
        bundle = index.bundle()
        answer = requests.get(address, timeout=_TIMEOUT_SECONDS, verify=True if bundle is None else str(bundle))
        answer.raise_for_status()
        package = answer.content
        if (found := hashlib.sha256(package).hexdigest()) != library.package_sha256:
            raise ValueError(f"its sha256 is {found} instead of {library.package_sha256}")
        content = library_of(package, library.library)
        if (found := hashlib.sha256(content).hexdigest()) != library.library_sha256:
            raise ValueError(f"the sha256 of its {library.library} is {found} instead of {library.library_sha256}")
    except (OSError, ValueError) as error:
        raise HostError(
            f"The Debian package {library.package} {library.version}, which has {library.name}, cannot be fetched "
            f"from {redact(address)}: {redact(str(error))}. Name a mirror that has it with --debian-mirror "
            f"(archived versions: https://snapshot.debian.org), or put its {library.library} at {path}."
        ) from error
    _keep(path, content)
    return content


def libraries_of(installation: Installation, index: PackageIndex, cache: Path, notify: Notify) -> Mapping[str, bytes]:
    """The content of each library of an installation, by its place in site-packages.

    Raises:
        HostError: a package cannot be fetched, or is not the one that was locked.
        DiskError: the cache cannot be written.
    """
    return {place: fetched(find_library(name), index, cache, notify) for name, place in installation.libraries.items()}


def libraries_provenance(installation: Installation) -> dict[str, Any]:
    """What the provenance of an installation says of its libraries; nothing if it has none."""
    found = [find_library(name) for name in installation.libraries]
    packages = {each.name: f"{each.package}={each.version} sha256:{each.library_sha256}" for each in found}
    return {"debian_libraries": packages} if packages else {}


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


def _keep(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise DiskError(
            f"{path} cannot be written: {error}. Free some room or correct the permissions there, then try again."
        ) from error
