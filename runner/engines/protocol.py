"""The engine protocol: what every engine must do and report. Knows no engine; imports nothing that starts a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from runner.catalogue.stacks import Installation, Stack
from runner.host.pin import Pin
from runner.matching.snapshot import Snapshot
from runner.vocabulary import EngineName, Launch

# Called with one short line each time a step of the preparation begins; the caller decides how to show the line.
Notify = Callable[[str], None]
# The key in an artifact's provenance which says that the artifact was not made here: it is the one that an earlier run
# recorded.
FROM_RECORD = "from_record"


@dataclass(frozen=True)
class Artifact:
    """An installation that is ready to run: its location, and its provenance as the record keeps it."""

    installation: Installation
    location: str
    provenance: Mapping[str, Any]


@dataclass(frozen=True)
class LaunchFolders:
    """The run's name, and the launch's paths. The workload reads its job from `job` and writes its result to `result`.

    `log` is the file that takes what the launch prints. `turns` has the FIFOs of the launches that take turns with it,
    and is None if it takes none.
    """

    run: str
    job: Path
    result: Path
    log: Path
    turns: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What an engine observed of one launch, as opposed to what was requested.

    `exit_code` is negative if a signal ended the launch. `limits` holds the limits that the engine reports as enforced,
    but only those that are the same for all launches of a run. `differences` has a sentence for each limit that differs
    from the requested one. `stopped_by_deadline` is true if the engine killed the launch at its deadline.
    `out_of_memory` is true if the kernel killed it for lack of memory. `stopped_with` is the id of the launch whose
    failure ended this one too, because they took turns.
    """

    exit_code: int
    seconds: float
    stopped_by_deadline: bool
    out_of_memory: bool
    limits: Mapping[str, Any] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    stopped_with: str | None = None


def preloading(launch: Launch, job_folder: str) -> Mapping[str, str]:
    """The variable that preloads a launch's allocator from its job folder, as the launch sees it; empty without one."""
    return {} if launch.allocator is None else {"LD_PRELOAD": f"{job_folder}/{launch.allocator.file}"}


class Engine(Protocol):
    """Carries launches out. An engine keeps no state between calls that a crash could lose."""

    @property
    def name(self) -> EngineName:
        """The engine's name in plans and records."""

    @property
    def is_contained(self) -> bool:
        """Whether each launch runs in a container. The name decides: see `runs_containers` in runner/vocabulary.py."""

    @property
    def cannot_enforce(self) -> tuple[str, ...]:
        """The conditions that this engine does not control. The plan holds null for them, and the report says so."""

    @property
    def prepares_in_parallel(self) -> bool:
        """Whether `prepare` may be called for several installations at once."""

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Check that these stacks can run on this host.

        Raises:
            HostError: a stack cannot run here; the message says what to install or to change.
        """

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """The bytes that `prepare` has yet to write for these installations, by folder. Ready ones count as nothing."""

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Make an installation ready, unless it is ready already, and return it.

        Raises:
            HostError: it cannot be made: there is no network or no room on the disk, or a wheel does not install.
        """

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The installation, if it is ready already; None if `prepare` would have to make something."""

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Carry one launch out and wait for its end. A KeyboardInterrupt first ends the launch, then propagates.

        Raises:
            HostError: the launch could not be started.
        """

    def stop(self, launch: Launch, folders: LaunchFolders) -> None:
        """End a launch that `run` carries out in another thread. A launch that has ended or not begun is no error."""

    def process_of(self, launch: Launch, folders: LaunchFolders) -> int | None:
        """The id, on this host, of the process that trains in a launch that `run` carries out in another thread.

        None if it has not begun or has ended, or if this host does not see it.

        Raises:
            HostError: the engine stopped answering.
        """

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """The shell command that does the same as `run`. `plan` prints it, and people can run it by hand."""

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Hash every file of an installation without running any program of it.

        Raises:
            HostError: the installation cannot be read.
        """

    def wrong_bytecode(self, artifact: Artifact) -> tuple[str, ...]:
        """Ensure that each launch reads only byte-code that was compiled from the source beside it.

        Returns:
            The paths of the byte-code for which this cannot be ensured.

        Raises:
            HostError: the installation could not be examined.
        """

    def remove_leftovers(self) -> None:
        """End and remove what earlier runs left behind, whether this clone or another one started them.

        The caller must hold the machine's lock.

        Raises:
            HostError: part of an earlier run goes on, and would use CPUs during this run's launches.
        """

    def cleanup(self, run_id: str) -> None:
        """End and remove what an interrupted session of this run left behind, and nothing of other runs."""
