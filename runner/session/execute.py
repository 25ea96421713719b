"""Carries a plan out: runs launch after launch, and appends a record after each. The only loop with side effects."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from runner.catalogue.topology_file import kept
from runner.engines.protocol import LaunchFolders
from runner.errors import DiskError
from runner.planning.job import JOB_FILE, Job, training_job
from runner.session.observation import record_of
from runner.session.state import Session
from runner.storage import records
from runner.storage.records import Record
from runner.storage.runs import Run
from runner.support.atomic import write_whole
from runner.vocabulary import Launch

# Seconds that a launch may take besides its training: start, import, graph, first step, and the evidence at its end.
GRACE_SECONDS = 600.0


class Listener(Protocol):
    """Is called as launches begin and end, for a progress display."""

    def started(self, launch: Launch) -> None:
        """A launch begins."""

    def finished(self, record: Record) -> None:
        """A launch has ended and its record is safe on disk."""


def execute(session: Session, launches: Iterable[Launch], listener: Listener) -> None:
    """Run launches in order and append a record for each, errors among them.

    `launches` may be a generator: each launch is taken from it when the record before it is on disk. In a ladder each
    rung has its own pin. A KeyboardInterrupt leaves the unfinished launch without a record.

    Raises:
        HostError: the engine cannot go on, or the results' disk is full. Finished launches keep their records.
    """
    for launch in launches:
        listener.started(launch)
        here = session.pinned(session.run.about.pin_of(launch))
        record = carry_out(here, launch)
        records.append(session.run.records_file, record)
        listener.finished(record)


def carry_out(session: Session, launch: Launch, job: Job | None = None) -> Record:
    """Run one launch and return its record, which is not written to disk yet. `job` replaces the launch's own job.

    Raises:
        HostError: the engine cannot go on, or the results' disk is full.
    """
    artifact, context = session.artifact_of(launch), session.context
    folders = make_folders(session.run, launch, session.number, job)
    before = {"started": _now(), "before": dict(session.read_facts())}
    own = time.process_time()  # of all threads of this process, and of none that it has started
    outcome = session.engine.run(launch, context.pin, artifact, folders, launch.time_limit_seconds + GRACE_SECONDS)
    own = time.process_time() - own
    facts = {**before, "ended": _now(), "after": dict(session.read_facts()), "runner_cpu_seconds": round(own, 4)}
    return record_of(launch, artifact, context, outcome, folders, facts)


def launch_folders(run: str, folder: Path, launch: Launch) -> LaunchFolders:
    """The paths of a launch's files, below its run's folder."""
    base = folder / "launches" / launch.launch_id
    return LaunchFolders(run=run, job=base / "job", result=base / "result", log=base / "log.txt")


def make_folders(run: Run, launch: Launch, session: int, job: Job | None = None) -> LaunchFolders:
    """Make a launch's folders and its job file. `job` replaces the launch's own job.

    The files of an earlier attempt are moved to another folder.

    Raises:
        UsageError: the run's copy of a user's own topology is missing or was changed.
        DiskError: the folders or files cannot be written.
    """
    folders = launch_folders(run.name, run.folder, launch)
    try:
        _fill(run, folders, launch, session, training_job(launch) if job is None else job)
    except OSError as error:
        raise DiskError(
            f"The files of the launch {launch.launch_id} cannot be made in {folders.log.parent}: {error}. Free some "
            "room or correct the permissions there, then go on with --resume; every finished launch is kept."
        ) from error
    return folders


def _fill(run: Run, folders: LaunchFolders, launch: Launch, session: int, job: Job) -> None:
    base = folders.log.parent
    if base.exists():
        aside = base.with_name(f"{base.name}.before-session-{session}")
        shutil.rmtree(aside, ignore_errors=True)
        base.rename(aside)
    folders.job.mkdir(parents=True)
    folders.result.mkdir()
    write_whole(folders.job / JOB_FILE, json.dumps(job, indent=1, sort_keys=True) + "\n")
    if launch.topology_file is not None:
        write_whole(folders.job / launch.topology_file.name, kept(run.folder, launch.topology_file).content)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
