"""Compares every installed file with the hash-locked wheel that it comes from. Pure functions; knows no engine.

An installed RECORD proves nothing by itself, because whoever changes a file can change the RECORD too. It counts only
if its list of files has the hash that the repository keeps for the locked wheel.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.catalogue.stacks import canonical_requirement
from runner.matching import file_list
from runner.matching.file_list import OF_THE_INSTALLER, FileList
from runner.matching.locked_wheels import LockedWheel
from runner.matching.snapshot import Snapshot

# The files that `python -m venv` makes in bin/ and beside it; .gitignore since Python 3.13.
_OF_THE_ENVIRONMENT = re.compile(r"(bin/(python[\d.]*|activate[.\w]*|Activate\.ps1)|pyvenv\.cfg|lib64|\.gitignore)")
# The names under which installers put themselves into bin/, with the version of the Python that they are for.
_INSTALLERS = re.compile(r"bin/(pip|easy_install)(-?\d[\d.]*)?")
# Up to Python 3.11 `python -m venv` unpacks this from the interpreter's own files, so that no package lock names it.
_OF_THE_INTERPRETER = "setuptools"


@dataclass(frozen=True)
class Fault:
    """A path that differs from the locked wheels, and how it differs, in words."""

    path: str
    what: str


@dataclass(frozen=True)
class Contents:
    """The comparison of one installation with its package lock.

    `unlocked` are distributions that came with the interpreter. `is_held` is false if nothing could be compared: the
    image is of an earlier run, and this clone no longer has its lock.
    """

    installation: str
    distributions: int
    files: int
    unlocked: tuple[str, ...]
    faults: tuple[Fault, ...]
    is_held: bool = True

    def to_json(self, most: int = 20) -> dict[str, Any]:
        """The comparison as run.json keeps it: counts, and the first faults."""
        return {
            "installation": self.installation,
            "held": self.is_held,
            "distributions": self.distributions,
            "files": self.files,
            "unlocked": list(self.unlocked),
            "faults": [{"path": each.path, "what": each.what} for each in self.faults[:most]],
        }


@dataclass(frozen=True)
class _Listed:
    """An installed distribution: its name and version, its metadata folder, and the files that its RECORD lists."""

    requirement: str
    metadata: str
    files: FileList


def compare_with_lock(
    name: str,
    python: str,
    snapshot: Snapshot,
    locked: Mapping[str, Sequence[LockedWheel]],
    libraries: Mapping[str, str] | None = None,
) -> Contents:
    """Compare an installation's environment with its package lock.

    `python` is the version of its Python (such as "3.11"), which is part of the folders' names. `libraries` has the
    SHA-256 of each library that is in no wheel, by its place in site-packages. Byte-code of a listed
    source is skipped, because the engine removes it or checks it (`wrong_bytecode` in runner/engines/protocol.py).
    """
    site = f"{snapshot.environment}/lib/python{python}/site-packages"
    found = list(_distributions(site, snapshot))
    proven = [each for each in found if _is_proven(each, locked)]
    unlocked = [each for each in found if each.requirement not in locked and _is_of_the_interpreter(each)]
    faults = [*_unproven(site, found, [*proven, *unlocked]), *_missing(locked, found, site)]
    listed = {f"{site}/{place}": sha256 for place, sha256 in (libraries or {}).items()}
    for each in [*proven, *unlocked]:
        listed |= {f"{site}/{path}": sha256 for path, sha256 in each.files.items()}
    faults += _changed(listed, snapshot)
    faults += _unlisted(site, found, listed, snapshot)
    in_order = tuple(sorted(faults, key=lambda fault: fault.path))
    return Contents(name, len(proven), len(listed), tuple(each.requirement for each in unlocked), in_order)


def _distributions(site: str, snapshot: Snapshot) -> Iterator[_Listed]:
    """The installed distributions, by their own metadata folders.

    A wheel may contain metadata folders of other distributions. These count as files of that wheel.
    """
    brought: set[str] = set()
    every = []
    for path in sorted(snapshot.metadata):
        folder, name = os.path.split(path)
        metadata = os.path.basename(folder)
        if name == "RECORD" and os.path.dirname(folder) == site:
            files = file_list.of_record(snapshot.metadata[path], metadata)
            brought |= {os.path.dirname(listed) for listed in files if listed.endswith(".dist-info/RECORD")}
            distribution, _, version = metadata[: -len(".dist-info")].rpartition("-")
            every.append(_Listed(canonical_requirement(f"{distribution}=={version}"), metadata, files))
    yield from (each for each in every if each.metadata not in brought)


def _is_proven(each: _Listed, locked: Mapping[str, Sequence[LockedWheel]]) -> bool:
    sha256 = file_list.sha256_of(each.files)
    return any(wheel.files_sha256 == sha256 for wheel in locked.get(each.requirement, ()))


def _is_of_the_interpreter(each: _Listed) -> bool:
    return each.requirement.partition("==")[0] == _OF_THE_INTERPRETER


def _unproven(site: str, found: Sequence[_Listed], trusted: Sequence[_Listed]) -> Iterator[Fault]:
    for each in found:
        if each not in trusted:
            yield Fault(f"{site}/{each.metadata}/RECORD", f"is not the list of files in the locked {each.requirement}")


def _missing(locked: Mapping[str, Sequence[LockedWheel]], found: Sequence[_Listed], site: str) -> Iterator[Fault]:
    installed = {each.requirement for each in found}
    for requirement in locked:
        # The installer is removed from an image, and a package lock does not name it.
        if requirement not in installed and not requirement.startswith("pip=="):
            yield Fault(site, f"lacks the locked {requirement}")


def _changed(listed: Mapping[str, str], snapshot: Snapshot) -> Iterator[Fault]:
    for path, sha256 in listed.items():
        seen = snapshot.files.get(path)
        if seen is None:
            yield Fault(path, "is missing, and its wheel has it")
        elif not (seen.startswith("file ") and seen.rsplit(" ", 1)[1] == sha256):
            yield Fault(path, f"is not the file in its wheel ({seen} instead of {sha256})")


def _unlisted(site: str, found: Sequence[_Listed], listed: Mapping[str, str], snapshot: Snapshot) -> Iterator[Fault]:
    known = {f"{site}/{each.metadata}/{name}" for each in found for name in OF_THE_INSTALLER}
    commands = {f"bin/{name}" for each in found for name in _commands(f"{site}/{each.metadata}", snapshot)}
    top = f"{snapshot.environment}/"
    for path, seen in snapshot.files.items():
        if not path.startswith(top) or path in listed or path in known or seen.startswith("folder "):
            continue
        below = path[len(top) :]
        if below in commands or _OF_THE_ENVIRONMENT.fullmatch(below) or _INSTALLERS.fullmatch(below):
            continue
        if _source_of(path) not in listed:
            yield Fault(path, "is in no wheel of the lock")


def _commands(metadata: str, snapshot: Snapshot) -> Iterator[str]:
    """The paths of the commands that an installer makes for a distribution. The kit runs none of them."""
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    text = snapshot.metadata.get(f"{metadata}/entry_points.txt", b"").decode("utf-8", errors="replace")
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in ("console_scripts", "gui_scripts"):
        if parser.has_section(section):
            yield from parser[section]


def _source_of(path: str) -> str:
    """The path of the source that byte-code in `__pycache__` was compiled from (PEP 3147); empty for any other path."""
    found = re.fullmatch(r"(.*)/__pycache__/([^/]+?)\.cpython-\d+(\.opt-\d)?\.pyc", path)
    return f"{found[1]}/{found[2]}.py" if found else ""
