"""The one place that opens a session: of a new run, of a run that is continued, or of probes alone.

The caller holds the machine's lock (`measuring`). A user's own topology is built in the prepared installations. Then
the plan is made again with the number of its branches. The plan before that already finds all other errors of the
command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from runner.catalogue.stacks import Stack, find_stack
from runner.catalogue.topology_file import UserTopology, keep
from runner.engines.environments import default_cache
from runner.engines.protocol import Engine, Notify
from runner.errors import HostError
from runner.machine import Machine
from runner.matching.diff import Match
from runner.planning.plan import Plan
from runner.session.header import make_header
from runner.session.matched import match_installations, require_matched
from runner.session.prepared import find_ready, prepare
from runner.session.resuming import next_session, require_unchanged
from runner.session.room_together import require_room_together
from runner.session.state import Artifacts, Session
from runner.session.this_host import context_of, read_facts, require_fit
from runner.session.topology_description import Description, describe
from runner.session.user_topology import user_topology_json
from runner.storage import runs
from runner.storage.runs import Run
from runner.vocabulary import Launch

P = TypeVar("P", bound="Planned")


class Planned(Protocol):
    """What a new run is opened with: its plan, and what the plan was made from."""

    @property
    def label(self) -> str:
        """What the run's folder is named after."""

    @property
    def machine(self) -> Machine:
        """The host that the plan was made for."""

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks of the plan."""

    @property
    def plan(self) -> Plan:
        """The plan that run.json keeps."""

    @property
    def launches(self) -> Sequence[Launch]:
        """Those of the plan's launches that are carried out."""

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences on what the plan does otherwise than a reader would expect, for run.json's notes."""

    @property
    def user_topology(self) -> UserTopology | None:
        """The user's own topology, if there is one."""

    @property
    def description(self) -> Description | None:
        """The description of the network that was built from it; None before it is built."""

    @property
    def kind_json(self) -> Mapping[str, Any]:
        """The keys that run.json has only for this kind of run, with their values."""

    def with_description(self: P, description: Description, notify: Notify) -> P:
        """The plan again, after the user's own topology was built: its branches determine the inter-op threads."""


@dataclass(frozen=True)
class Ready:
    """Everything that a new run needs before its folder is made. `matched` is empty if no files were compared."""

    planned: Planned
    engine: Engine
    artifacts: Artifacts
    matched: tuple[Match, ...] = ()


Create = Callable[[Path, Mapping[str, Any]], Run]


def make_ready(planned: Planned, engine: Engine, folder: Path, notify: Notify, *, match: bool = True) -> Ready:
    """Make everything ready for a new run in `folder`. With `match`, compare every file of the installations.

    Raises:
        UsageError: the user's own topology cannot be built; the message has the traceback from its file.
        HostError: the host cannot measure, an installation cannot be made, or a pair differs in more than its wheel.
    """
    require_fit(planned.machine, planned.plan.pin, engine, notify)
    artifacts = prepare(engine, planned.stacks, planned.launches, folder, notify)
    # This is done before the files are compared, which takes longer, so that its author sees an error in it soon.
    planned = with_user_topology(planned, engine, artifacts, notify)
    matched = match_installations(engine, planned.stacks, artifacts, notify) if match else []
    require_matched(matched)
    return Ready(planned, engine, artifacts, tuple(matched))


def with_user_topology(planned: P, engine: Engine, artifacts: Artifacts, notify: Notify) -> P:
    """Build the user's own topology, if there is one, in these installations, and plan again with its branches.

    Raises:
        UsageError: the file's network cannot be built; the message has the traceback from the file.
        HostError: an installation failed before it read the file.
    """
    if planned.user_topology is None:
        return planned
    pin = planned.plan.pin
    description = describe(planned.user_topology, planned.launches, pin, engine, artifacts, default_cache(), notify)
    return planned.with_description(description, notify)


def with_user_topology_if_ready(planned: P, engine: Engine, inter_op: int | None, notify: Notify) -> P:
    """As `with_user_topology`, for a command that prepares no installations: it uses those that are ready.

    If some are not ready and --inter-op is given, the count of branches is not needed and the plan is not changed.

    Raises:
        HostError: an installation is not ready, and the number of inter-op threads depends on it.
    """
    if planned.user_topology is None:
        return planned
    artifacts, missing = find_ready(engine, planned.stacks, planned.launches)
    if not missing:
        return with_user_topology(planned, engine, artifacts, notify)
    if inter_op is not None:
        return planned
    raise HostError(
        f"The inter-op threads of {planned.user_topology.name} are the number of its disjoint branches, which is "
        f"counted by building it in an installation. Not ready on this host: {', '.join(missing)}. Make it with "
        "`python -m runner build`, or name the number of threads with --inter-op."
    )


def begin(
    ready: Ready,
    folder: Path,
    command: str,
    memory_bytes: int | None,
    also: Mapping[str, Any] | None = None,
    create: Create = runs.create,
) -> Session:
    """Make a new run's folder and open its first session. `also` goes into run.json; `create` writes that file.

    Raises:
        UsageError: the folder already holds a run.
        DiskError: the folder cannot be written.
    """
    planned = ready.planned
    header = make_header(
        folder.name,
        planned.plan,
        planned.machine,
        planned.stacks,
        ready.engine,
        ready.artifacts,
        command,
        planned.remarks,
        memory_bytes,
        ready.matched,
    )
    user_topology = user_topology_json(planned.user_topology, planned.description)
    created = create(folder, {**header, **(also or {}), **user_topology, **planned.kind_json})
    if planned.user_topology is not None:
        keep(planned.user_topology, created.folder)
    return Session(created, ready.engine, ready.artifacts, context_of(created, 1), read_facts)


def go_on(run: Run, engine: Engine, notify: Notify, *, match: bool = True) -> Session:
    """Open another session of a run. Nothing that its records depend on may have changed.

    Raises:
        UsageError: something has changed since the run began; the message names it.
        HostError: launches that live together need more memory than is free, an installation cannot be made, or a pair
            differs in more than its wheel.
    """
    require_room_together(run.launches)
    stacks = stacks_of(run)
    artifacts = prepare(engine, stacks, run.launches, run.folder, notify)
    require_unchanged(run, artifacts)
    if match:
        require_matched(match_installations(engine, stacks, artifacts, notify))
    return Session(run, engine, artifacts, context_of(run, next_session(run)), read_facts)


def stacks_of(run: Run) -> tuple[Stack, ...]:
    """The stacks of a run, for the Python that it used, as stacks.toml declares them in this version of the kit."""
    return tuple(find_stack(name).for_python(recorded.python) for name, recorded in run.about.stacks.items())
