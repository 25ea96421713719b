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

# Told what is being prepared, one short line at a time; the caller decides how to show it.
Notify = Callable[[str], None]
# In an artifact's provenance: it was not made here, but taken as an earlier run recorded it.
FROM_RECORD = "from_record"


@dataclass(frozen=True)
class Artifact:
    """An installation made ready: where it is, and its provenance as the record keeps it."""

    installation: Installation
    location: str
    provenance: Mapping[str, Any]


@dataclass(frozen=True)
class LaunchFolders:
    """The run's name, and the two folders through which host and workload talk: `job` is read, `result` written."""

    run: str
    job: Path
    result: Path
    log: Path


@dataclass(frozen=True)
class Outcome:
    """What an engine OBSERVED of one launch, never what it asked for.

    `exit_code` is negative for a death by signal. `limits` holds what the engine itself saw enforced, as far as all
    launches of a run share it; `differences` says in words where it is not what was asked for. `stopped_by_deadline` is
    true if the engine killed the launch; `out_of_memory` if the kernel did.
    """

    exit_code: int
    seconds: float
    stopped_by_deadline: bool
    out_of_memory: bool
    limits: Mapping[str, Any] = field(default_factory=dict)
    differences: tuple[str, ...] = ()


class Engine(Protocol):
    """Carries launches out. Between calls it holds nothing that a crash could lose."""

    @property
    def name(self) -> EngineName:
        """The engine's name in plans and records."""

    @property
    def is_contained(self) -> bool:
        """Does each launch run in a container? It follows from the name: `runs_containers` in runner/vocabulary.py."""

    @property
    def cannot_enforce(self) -> tuple[str, ...]:
        """Conditions that this engine does not control; the plan holds null for them and the report says so."""

    @property
    def prepares_in_parallel(self) -> bool:
        """May `prepare` be called for several installations at once?"""

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Check that these stacks can run here at all.

        Raises:
            HostError: they cannot; the message says what to install or to change.
        """

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """How many bytes `prepare` will still write for these installations, by folder; nothing for what is ready."""

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Make an installation ready, or find it ready.

        Raises:
            HostError: it cannot be made: no network, no disk, a wheel that does not install.
        """

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """What `prepare` would return without making anything; None if something is still to be made."""

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Carry one launch out and wait for it. A KeyboardInterrupt ends the launch before it is passed on.

        Raises:
            HostError: the launch could not even be started.
        """

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """The shell command that does the same as `run`, for `plan` and for people who want to see for themselves."""

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Hash every file of an installation without starting anything of it.

        Raises:
            HostError: it cannot be read.
        """

    def wrong_bytecode(self, artifact: Artifact) -> tuple[str, ...]:
        """See to it that no byte-code is read that is not its source's; the paths of which that cannot be said.

        Raises:
            HostError: it could not be looked into.
        """

    def remove_leftovers(self) -> None:
        """End and remove whatever earlier runs, of this clone or another, left behind. The machine must be ours.

        Raises:
            HostError: something of them goes on, and would measure beside us.
        """

    def cleanup(self, run_id: str) -> None:
        """End and remove whatever an interrupted session of this run left behind, and nothing else."""
