"""Lists the files of a distribution with their hashes, from a wheel or an installed RECORD, and hashes the list.

A wheel and its installed RECORD give the same list, because an installer copies the lines of the wheel's RECORD into
the one that it writes (PEP 627). Byte-code and files that the installer adds are left out. The hash of a wheel's list
therefore proves an installed RECORD, and the RECORD proves each file.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from runner.errors import UsageError

CHUNK = 1 << 20
# The files that an installer adds to a .dist-info folder (PEP 376, PEP 610).
OF_THE_INSTALLER = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
# The parts of a wheel's .data folder that are installed beside its packages (PEP 427).
_BESIDE_THE_PACKAGES = ("purelib", "platlib")

# Paths relative to site-packages, with the sha256 of their content in hexadecimal digits.
FileList = Mapping[str, str]


def of_wheel(path: Path) -> FileList:
    """Hash the files that a wheel installs. Its own RECORD is not read, because the wheel's hash proves the content.

    Raises:
        UsageError: the wheel contains scripts, headers or data, whose place depends on the installer.
    """
    with zipfile.ZipFile(path) as wheel:
        own = own_metadata(path.name)
        names = {name: _installed(name, path) for name in wheel.namelist() if not name.endswith("/")}
        files = {}
        for name, installed in names.items():
            with wheel.open(name) as content:
                files[installed] = _sha256(content)
    return _without_the_installers(files, own)


def of_record(content: bytes, metadata: str) -> FileList:
    """Read the RECORD of an installed distribution, whose .dist-info folder is `metadata`.

    A line without a readable sha256 gets an empty hash, which no file has.
    """
    rows = csv.reader(io.StringIO(content.decode("utf-8", errors="replace")))
    files = {os.path.normpath(row[0]): _hexadecimal(row[1] if len(row) > 1 else "") for row in rows if row}
    return _without_the_installers(files, metadata)


def sha256_of(files: FileList) -> str:
    """One hash for all paths and contents."""
    lines = "".join(f"{path}\0{sha256}\n" for path, sha256 in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def own_metadata(wheel: str) -> str:
    """The .dist-info folder that is named after a wheel's file (PEP 427).

    A wheel may contain others: Intel's wheel of TensorFlow 1.12 contains stock's too, and setuptools those of the
    packages inside of it.
    """
    name, version, *_ = wheel.split("-")
    return f"{name}-{version}.dist-info"


def _without_the_installers(files: FileList, metadata: str) -> FileList:
    added = {f"{metadata}/{name}" for name in OF_THE_INSTALLER}
    return {
        path: sha256
        for path, sha256 in files.items()
        if not (path in added or path.endswith(".pyc") or path.startswith("../"))
    }


def _installed(name: str, wheel: Path) -> str:
    in_data = re.match(r"[^/]+\.data/([^/]+)/(.+)", name)
    if in_data is None:
        return name
    if in_data[1] not in _BESIDE_THE_PACKAGES:
        raise UsageError(
            f"{wheel.name} contains {name}. The kit compares every installed file with its wheel, and it does not know "
            f"where an installer puts {in_data[1]}. Lock another version, or add the place to file_list.py."
        )
    return in_data[2]


def _hexadecimal(entry: str) -> str:
    """A RECORD's hash (`sha256=` and URL-safe base64 without padding) in hexadecimal digits; empty for any other."""
    kind, _, value = entry.partition("=")
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex() if kind == "sha256" else ""
    except binascii.Error:
        return ""


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
