"""The run's folder: run.json and the paths of all other files. Knows the files, not how they are measured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.errors import DiskError, RunFormatError, UsageError
from runner.planning.plan import Plan
from runner.storage import blocks, records
from runner.storage.header import Header
from runner.storage.header_json import header_from_json
from runner.storage.records import Record
from runner.support.atomic import write_whole
from runner.vocabulary import Launch

SCHEMA_VERSION = 1
RUNS = Path("results") / "runs"
# In the folder of a run that Docker Compose carries out: the request (`runner/compose/request.py`).
COMPOSE_FILE = "compose.json"


@dataclass(frozen=True)
class Run:
    """One run on disk. `header` is run.json's data; `about` is the same as frozen types."""

    folder: Path
    header: Mapping[str, Any]

    @cached_property
    def about(self) -> Header:
        """run.json as frozen types: the plan, the machine, the installations, the version of the kit.

        Raises:
            RunFormatError: run.json lacks a key, or has a value of another kind; the message names the place.
        """
        return header_from_json(self.header, str(self.folder / "run.json"))

    @property
    def name(self) -> str:
        """The run's own name, which it keeps when its folder is moved."""
        return str(self.header["run"])

    @property
    def is_of_compose(self) -> bool:
        """Whether Docker Compose carries the run out; no engine of the kit can then go on with it."""
        return (self.folder / COMPOSE_FILE).is_file()

    @property
    def records_file(self) -> Path:
        """The file with the raw samples."""
        return self.folder / "records.jsonl"

    @property
    def peaks_file(self) -> Path:
        """The file with the raw samples of the matrix product; it exists only if they were measured."""
        return self.folder / "peaks.jsonl"

    @cached_property
    def launches(self) -> list[Launch]:
        """The plan's launches in order."""
        return list(self.about.plan.launches)

    def read_records(self) -> list[Record]:
        """Every record so far, including those of failures and of repeated attempts."""
        return records.read(self.records_file)

    def remaining(self) -> list[Launch]:
        """The launches that `--resume` runs: all of each block that no single session has completed, in order."""
        return blocks.remaining(self.launches, self.read_records())


def create(folder: Path, header: Mapping[str, Any]) -> Run:
    """Make a run's folder and write its run.json.

    Raises:
        UsageError: the folder already holds a run.
        DiskError: the folder cannot be written.
    """
    if (folder / "run.json").exists():
        raise UsageError(
            f"{folder} already holds a run. Go on with it (option --resume {folder} of the command that "
            "began it), or name another folder with --out."
        )
    return with_header(folder, header, "run.json")


def with_header(folder: Path, header: Mapping[str, Any], name: str) -> Run:
    """Make a folder and write the header into it as a file of this name.

    The name is run.json for a run. Probes alone are not a run, and their header has another name.

    Raises:
        DiskError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Keys keep their order, because the first variant is the baseline.
        write_whole(folder / name, json.dumps(header, indent=1) + "\n")
    except OSError as error:
        raise DiskError(f"The folder {folder} cannot be written: {error}. Name another with --out.") from error
    return Run(folder, header)


def planned_anew(run: Run, plan: Plan) -> Run:
    """Write another plan into run.json: one with more blocks, or without those that the time did not allow.

    Raises:
        DiskError: it cannot be written.
    """
    return with_header(run.folder, {**run.header, "plan": plan.to_json()}, "run.json")


def load(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        RunFormatError: the folder has no run.json, or that file is damaged, lacks a key, or has a newer schema.
    """
    path = folder / "run.json"
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunFormatError(
            f"{folder} is not a run's folder: {path} cannot be read ({error.strerror}). Runs are under {RUNS}/."
        ) from error
    except ValueError as error:
        raise RunFormatError(f"{path} is damaged: {error}.") from error
    version = header.get("schema_version") if isinstance(header, dict) else None
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise RunFormatError(
            f"{path} has schema_version {version}; this kit reads up to {SCHEMA_VERSION}. "
            "The run was made by a newer version of the kit: update the kit, then try again."
        )
    run = Run(folder, header)
    _ = run.about  # so that an error in it is raised here, and not where it is first used
    return run


def newest_unfinished(
    runs: Path = RUNS, kind: str | None = None, left: Callable[[Run], list[Launch]] = Run.remaining
) -> Run:
    """The newest run of a kind (None: a comparison) below a folder for which launches are left.

    Raises:
        UsageError: there is no such run.
    """
    for path in sorted(runs.glob("*/run.json"), key=lambda each: each.stat().st_mtime, reverse=True):
        run = load(path.parent)
        if run.about.kind == kind and left(run):
            return run
    raise UsageError(f"There is no unfinished run under {runs}/ to resume. Name one: --resume FOLDER.")


def new_name(label: str, now: datetime | None = None) -> str:
    """A name that sorts by time and says what the run is: 20261122T170000Z-quick."""
    moment = now or datetime.now(timezone.utc)
    return f"{moment:%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9.]+', '-', label).strip('-')}"
