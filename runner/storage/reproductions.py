"""The folder of a reproduction: reproduction.json, and the folder of a run for each of its parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.errors import DiskError, RunFormatError, UsageError
from runner.storage import runs
from runner.storage.runs import Run
from runner.support.atomic import write_whole
from runner.support.structure import strict_converter, structure

FILE = "reproduction.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class PartOfIt:
    """One part: its folder's name, what it is for in words, and its share of the time, relative to the others."""

    name: str
    title: str
    share: int


@dataclass(frozen=True)
class _Content:
    """What reproduction.json has."""

    schema_version: int
    preset: str
    command: str
    parts: tuple[PartOfIt, ...]


@dataclass(frozen=True)
class Reproduction:
    """A reproduction on disk. `command` is the command line that began it."""

    folder: Path
    preset: str
    command: str
    parts: tuple[PartOfIt, ...]

    @property
    def runs(self) -> list[Run]:
        """The run of each part, in order.

        Raises:
            RunFormatError: a part's folder has no run, or a damaged one.
        """
        return [runs.load(self.folder / part.name) for part in self.parts]


def create(folder: Path, preset: str, command: str, parts: Sequence[PartOfIt]) -> Reproduction:
    """Write reproduction.json. The parts' folders are there already, so that a folder with this file is whole.

    Raises:
        DiskError: it cannot be written.
    """
    content = _Content(SCHEMA_VERSION, preset, command, tuple(parts))
    try:
        write_whole(folder / FILE, json.dumps(asdict(content), indent=1) + "\n")
    except OSError as error:
        raise DiskError(f"{folder / FILE} cannot be written: {error}. Name another folder with --out.") from error
    return Reproduction(folder, preset, command, content.parts)


def require_new(folder: Path, parts: Iterable[str]) -> None:
    """Check that a folder may become that of a new reproduction with parts of these names.

    Raises:
        UsageError: it holds a reproduction, a run, or a part that was left by one that could not begin.
    """
    if (folder / FILE).exists():
        raise UsageError(
            f"{folder} already holds a reproduction. Go on with it (reproduce --resume {folder}), or name another "
            "folder with --out."
        )
    if any((each / "run.json").exists() for each in (folder, *(folder / name for name in parts))):
        raise UsageError(f"{folder} already holds a run. Name another folder with --out.")


def is_reproduction(folder: Path) -> bool:
    """Whether a folder is that of a reproduction."""
    return (folder / FILE).is_file()


def load(folder: Path) -> Reproduction:
    """Read a reproduction's folder, which may be given by the folder of one of its parts.

    Raises:
        RunFormatError: the folder has no reproduction.json, or that file is damaged or of a newer schema.
    """
    if is_reproduction(folder.absolute().parent):
        folder = folder.parent if folder.name else folder.absolute().parent
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunFormatError(f"{folder} is not a reproduction's folder: {path}: {error.strerror}.") from error
    except ValueError as error:
        raise RunFormatError(f"{path} is damaged: {error}.") from error
    found = structure(content, _Content, str(path), strict_converter(refuses_unknown=False), RunFormatError)
    if found.schema_version > SCHEMA_VERSION:
        raise RunFormatError(
            f"{path} has schema_version {found.schema_version}; this kit reads up to {SCHEMA_VERSION}. Update the kit."
        )
    return Reproduction(folder, found.preset, found.command, found.parts)


def newest(folder: Path = runs.RUNS) -> Reproduction:
    """The reproduction below a folder that was begun last.

    Raises:
        UsageError: there is none.
    """
    found = sorted(folder.glob(f"*/{FILE}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise UsageError(f"There is no reproduction under {folder}/ to resume. Name one: --resume FOLDER.")
    return load(found[-1].parent)
