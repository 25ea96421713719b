"""Carries a plan out: launch after launch, a record appended after each. The only loop with side effects."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from runner import records
from runner.atomic import write_whole
from runner.engines.protocol import Artifact, Engine, LaunchFolders
from runner.observation import Context, record_of
from runner.records import Record
from runner.runs import Run
from runner.vocabulary import Launch

# What a launch may take besides its training: start, import, graph, first step, and the evidence after the last.
GRACE_SECONDS = 600.0

ReadFacts = Callable[[], Mapping[str, Any]]


class Listener(Protocol):
    """Is told what happens, for a progress display."""

    def started(self, launch: Launch) -> None:
        """A launch begins."""

    def finished(self, record: Record) -> None:
        """A launch has ended and its record is safe on disk."""


def execute(
    run: Run,
    launches: Sequence[Launch],
    engine: Engine,
    artifacts: Mapping[tuple[str, str], Artifact],
    context: Context,
    read_facts: ReadFacts,
    listener: Listener,
) -> None:
    """Run launches in order and append a record for each, errors among them.

    `artifacts` is by stack and installation. A KeyboardInterrupt leaves the unfinished launch without a record.

    Raises:
        HostError: the engine cannot go on, or the results' disk is full. What is finished stays.
    """
    for launch in launches:
        listener.started(launch)
        folders = make_folders(run, launch, context.session)
        artifact = artifacts[launch.cell.stack, launch.installation]
        before = {"started": _now(), "before": dict(read_facts())}
        outcome = engine.run(launch, context.pin, artifact, folders, launch.time_limit_seconds + GRACE_SECONDS)
        facts = {**before, "ended": _now(), "after": dict(read_facts())}
        record = record_of(launch, artifact, context, outcome, folders, facts)
        records.append(run.records_file, record)
        listener.finished(record)


def launch_folders(run: str, folder: Path, launch: Launch) -> LaunchFolders:
    """Where a launch's files are, below its run's folder."""
    base = folder / "launches" / launch.launch_id
    return LaunchFolders(run=run, job=base / "job", result=base / "result", log=base / "log.txt")


def make_folders(run: Run, launch: Launch, session: int) -> LaunchFolders:
    """Make a launch's folders and its job file; an earlier attempt's files move aside."""
    folders = launch_folders(run.name, run.folder, launch)
    base = folders.log.parent
    if base.exists():
        aside = base.with_name(f"{base.name}.before-session-{session}")
        shutil.rmtree(aside, ignore_errors=True)
        base.rename(aside)
    folders.job.mkdir(parents=True)
    folders.result.mkdir()
    write_whole(folders.job / "job.json", json.dumps(launch.job(), indent=1, sort_keys=True) + "\n")
    return folders


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
