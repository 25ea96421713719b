"""Carries a plan out: runs block after block, and appends a record of each launch. The only loop with side effects.

The launches of a block live together and take turns, if the plan says so; else they follow one another.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from runner.catalogue.topology_file import kept
from runner.catalogue.workload_files import workload_sha256
from runner.checks.turns import faults_in_turns
from runner.engines.protocol import LaunchFolders, Outcome
from runner.engines.together import Start, run_together
from runner.errors import DiskError
from runner.planning.job import JOB_FILE, Job, training_job
from runner.session import allocators
from runner.session.graphs import keep_graph, place_graph
from runner.session.observation import read_result, record_of
from runner.session.room_together import peaks_of, require_room_for
from runner.session.state import Session
from runner.storage import records
from runner.storage.launch_result import launch_result
from runner.storage.records import Record
from runner.storage.runs import Run
from runner.support.atomic import write_whole
from runner.vocabulary import Launch

# Seconds that a launch may take besides its training: start, import, graph, first step, and the evidence at its end.
GRACE_SECONDS = 600.0


class Listener(Protocol):
    """Is called as launches begin and end, for a progress display."""

    def started(self, launches: Sequence[Launch]) -> None:
        """Launches begin: one, or all that take turns in a block."""

    def finished(self, record: Record) -> None:
        """A launch has ended and its record is safe on disk."""


def execute(session: Session, launches: Iterable[Launch], listener: Listener) -> None:
    """Run launches in order and append a record for each, errors among them.

    Launches of a block that take turns live together. `launches` may be a generator: each is taken from it when the
    records before it are on disk. In a ladder each rung has its own pin. A KeyboardInterrupt leaves the unfinished
    launches without a record.

    Raises:
        HostError: the engine cannot go on, the results' disk is full, or a block has no room in memory any more.
            Finished launches keep their records.
    """
    peaks = peaks_of(session.run.read_records())
    for block in living_together(launches):
        require_room_for(block, peaks)
        listener.started(block)
        here = session.pinned(session.run.about.pin_of(block[0]))
        for record in carry_out_block([Seat(here, launch) for launch in block]):
            records.append(session.run.records_file, record)
            listener.finished(record)
            peaks |= peaks_of([record])


def living_together(launches: Iterable[Launch]) -> Iterator[tuple[Launch, ...]]:
    """The launches in order, those that live together as one tuple."""
    gathered: list[Launch] = []
    for launch in launches:
        gathered.append(launch)
        if len(gathered) == launch.members:
            yield tuple(gathered)
            gathered = []


@dataclass(frozen=True)
class Seat:
    """A launch in a block, and the session that carries it out and records it."""

    session: Session
    launch: Launch


def carry_out_block(seats: Sequence[Seat]) -> list[Record]:
    """Run launches that live together and return their records, which are not written to disk yet.

    If one of them fails, those that still run are stopped, and their records say with which they took turns. The block
    is then not complete, and --resume runs it again whole. Launches of two sessions, such as those of two engines, take
    turns in the folder of the first one.

    Raises:
        HostError: an engine cannot go on, or the results' disk is full.
    """
    folders = [make_folders(seat.session.run, seat.launch, seat.session.number) for seat in seats]
    turns = folders[0].turns
    if turns is None:
        return _records_of(seats, folders)
    make_turns_folder(turns)
    try:
        return _records_of(seats, [replace(each, turns=turns) for each in folders])
    finally:
        shutil.rmtree(turns, ignore_errors=True)
        with suppress(OSError):  # another block's folder may be there
            turns.parent.rmdir()


def carry_out(session: Session, launch: Launch, job: Job | None = None) -> Record:
    """Run one launch and return its record, which is not written to disk yet. `job` replaces the launch's own job.

    Raises:
        HostError: the engine cannot go on, or the results' disk is full.
    """
    return _records_of([Seat(session, launch)], [make_folders(session.run, launch, session.number, job)])[0]


def _records_of(seats: Sequence[Seat], folders: Sequence[LaunchFolders]) -> list[Record]:
    first = seats[0].session
    before = {"started": _now(), "before": dict(first.read_facts())}
    own = time.process_time()  # of all threads of this process, and of none that it has started
    outcomes = _outcomes(seats, folders)
    own = time.process_time() - own
    facts = {**before, "ended": _now(), "after": dict(first.read_facts()),
             "runner_cpu_seconds": round(own, 4)}  # fmt: skip
    faults = block_faults([seat.launch for seat in seats], folders)
    made = [
        record_of(
            seat.launch, seat.session.artifact_of(seat.launch), seat.session.context, outcome, folder, facts,
            faults.get(seat.launch.launch_id, ()),
        )
        for seat, outcome, folder in zip(seats, outcomes, folders, strict=True)
    ]  # fmt: skip
    for seat, folder, record in zip(seats, folders, made, strict=True):
        if record.error is None and record.result is not None:
            keep_graph_of(seat.session.run, seat.launch, folder, record.result)
    return made


def _outcomes(seats: Sequence[Seat], folders: Sequence[LaunchFolders]) -> list[Outcome]:
    starts = [
        Start(seat.session.engine, seat.launch, seat.session.artifact_of(seat.launch), folder)
        for seat, folder in zip(seats, folders, strict=True)
    ]
    pin, deadline = seats[0].session.context.pin, deadline_seconds([seat.launch for seat in seats])
    if len(starts) > 1:
        return run_together(starts, pin, deadline)
    (only,) = starts
    return [only.engine.run(only.launch, pin, only.artifact, only.folders, deadline)]


def keep_graph_of(run: Run, launch: Launch, folders: LaunchFolders, result: Mapping[str, Any]) -> None:
    """Keep the graph that a launch built, for later launches that train the same. Without room they build it again."""
    with suppress(OSError):
        keep_graph(run.folder, _installation(launch), workload_sha256(), folders, result)


def _installation(launch: Launch) -> str:
    return f"{launch.cell.stack}/{launch.installation}"


def deadline_seconds(block: Sequence[Launch]) -> float:
    """The seconds after which launches that live together are killed: each may train up to its limit in its turns."""
    return sum(launch.time_limit_seconds for launch in block) + GRACE_SECONDS


def block_faults(block: Sequence[Launch], folders: Sequence[LaunchFolders]) -> dict[str, list[str]]:
    """The faults in the turns of those launches that wrote a result, by launch id."""
    found = {}
    for launch, folder in zip(block, folders, strict=True):
        result = read_result(folder.result / "result.json", launch.launch_id)
        if launch.turns is not None and result is not None:
            found[launch.launch_id] = (launch, launch_result(result, launch.launch_id))
    return faults_in_turns(found)


def make_turns_folder(folder: Path) -> None:
    """Make the folder for the FIFOs of launches that take turns, empty.

    Raises:
        DiskError: it cannot be made.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise DiskError(
            f"The folder {folder}, through which launches take turns, cannot be made: {error}. Free some room or "
            "correct the permissions there, then go on with --resume; every finished launch is kept."
        ) from error


def launch_folders(run: str, folder: Path, launch: Launch) -> LaunchFolders:
    """The paths of a launch's files, below its run's folder."""
    base, group = folder / "launches" / launch.launch_id, launch.cell.group
    sitting = "" if launch.sitting is None else f"-sitting{launch.sitting}"
    turns = folder / "turns" / f"block{launch.block}-{group.stack}-{group.topology}-b{group.batch_size}{sitting}"
    return LaunchFolders(
        run=run,
        job=base / "job",
        result=base / "result",
        log=base / "log.txt",
        turns=turns if launch.members > 1 else None,
    )


def make_folders(run: Run, launch: Launch, session: int, job: Job | None = None) -> LaunchFolders:
    """Make a launch's folders and its job file. `job` replaces the launch's own job.

    A launch that trains gets the run's graph, if an earlier launch has built it. The files of an earlier attempt are
    moved to another folder.

    Raises:
        UsageError: the run's copy of a user's own topology is missing or was changed.
        DiskError: the folders or files cannot be written.
    """
    folders = launch_folders(run.name, run.folder, launch)
    try:
        _fill(run, folders, launch, session, job)
    except OSError as error:
        raise DiskError(
            f"The files of the launch {launch.launch_id} cannot be made in {folders.log.parent}: {error}. Free some "
            "room or correct the permissions there, then go on with --resume; every finished launch is kept."
        ) from error
    return folders


def _fill(run: Run, folders: LaunchFolders, launch: Launch, session: int, job: Job | None) -> None:
    base = folders.log.parent
    if base.exists():
        aside = base.with_name(f"{base.name}.before-session-{session}")
        shutil.rmtree(aside, ignore_errors=True)
        base.rename(aside)
    folders.job.mkdir(parents=True)
    folders.result.mkdir()
    source = (_installation(launch), workload_sha256())
    job = place_graph(run.folder, *source, job or training_job(launch), folders.job)
    write_whole(folders.job / JOB_FILE, json.dumps(job, indent=1, sort_keys=True) + "\n")
    if launch.topology_file is not None:
        write_whole(folders.job / launch.topology_file.name, kept(run.folder, launch.topology_file).content)
    if launch.allocator is not None:
        write_whole(folders.job / launch.allocator.file, allocators.kept(run.folder, launch.allocator))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
