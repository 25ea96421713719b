"""The one place that opens a session: of a new run, of a run that is gone on with, or of probes alone.

Whoever opens one holds the machine's lock (`measuring`). A user's own topology is built in the prepared installations,
and the plan is made again with its branches: the first plan finds every other fault of the command line at once.
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
from runner.session.state import Artifacts, Session
from runner.session.this_host import context_of, read_facts, require_fit
from runner.session.topology_description import Description, describe
from runner.session.user_topology import user_topology_json
from runner.storage import runs
from runner.storage.runs import Run
from runner.vocabulary import Launch

P = TypeVar("P", bound="Planned")


class Planned(Protocol):
    """What a new run is opened on: its plan, and what that was made from."""

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
    def left_out(self) -> Sequence[str]:
        """Sentences on what could have been run and is not."""

    @property
    def user_topology(self) -> UserTopology | None:
        """The user's own topology, if there is one."""

    @property
    def description(self) -> Description | None:
        """What was built of it."""

    @property
    def kind_json(self) -> Mapping[str, Any]:
        """What run.json holds of this kind of run, besides what every run's has."""

    def with_description(self: P, description: Description, notify: Notify) -> P:
        """The same once the user's own topology is built: its branches decide inter-op threads."""


@dataclass(frozen=True)
class Ready:
    """Everything that a new run needs before its folder is made. `matched` is empty where nothing was compared."""

    planned: Planned
    engine: Engine
    artifacts: Artifacts
    matched: tuple[Match, ...] = ()


Create = Callable[[Path, Mapping[str, Any]], Run]


def make_ready(planned: Planned, engine: Engine, folder: Path, notify: Notify, *, match: bool = True) -> Ready:
    """Make everything ready for a new run in `folder`; `match`: compare every file of the installations.

    Raises:
        UsageError: the user's own topology does not build; the message has its own traceback.
        HostError: the host does not fit, an installation cannot be had, or a pair differs in more than its wheel.
    """
    require_fit(planned.machine, planned.plan.pin, engine, notify)
    artifacts = prepare(engine, planned.stacks, planned.launches, folder, notify)
    # Before the files are compared, which takes longer: a mistake in a topology is its author's to mend.
    planned = with_user_topology(planned, engine, artifacts, notify)
    matched = match_installations(engine, planned.stacks, artifacts, notify) if match else []
    require_matched(matched)
    return Ready(planned, engine, artifacts, tuple(matched))


def with_user_topology(planned: P, engine: Engine, artifacts: Artifacts, notify: Notify) -> P:
    """Build the user's own topology, if there is one, in these installations, and plan with its branches.

    Raises:
        UsageError: the file does not build; the message has its own traceback.
        HostError: an installation did not come as far as the file.
    """
    if planned.user_topology is None:
        return planned
    pin = planned.plan.pin
    description = describe(planned.user_topology, planned.launches, pin, engine, artifacts, default_cache(), notify)
    return planned.with_description(description, notify)


def with_user_topology_if_ready(planned: P, engine: Engine, inter_op: int | None, notify: Notify) -> P:
    """The same for a command that prepares nothing: the installations have to be there.

    Where they are not, --inter-op makes the count superfluous and the plan stands as it is.

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
        f"counted by building it in an installation, and {', '.join(missing)} is not ready here. Make it with "
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
        DiskError: it cannot be written.
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
        planned.left_out,
        memory_bytes,
        ready.matched,
    )
    user_topology = user_topology_json(planned.user_topology, planned.description)
    created = create(folder, {**header, **(also or {}), **user_topology, **planned.kind_json})
    if planned.user_topology is not None:
        keep(planned.user_topology, created.folder)
    return Session(created, ready.engine, ready.artifacts, context_of(created, 1), read_facts)


def go_on(run: Run, engine: Engine, notify: Notify, *, match: bool = True) -> Session:
    """Open another session of a run, in which nothing that its records depend on may have changed.

    Raises:
        UsageError: something has changed since the run began; the message names it.
        HostError: an installation cannot be had, or a pair differs in more than its wheel.
    """
    stacks = stacks_of(run)
    artifacts = prepare(engine, stacks, run.launches, run.folder, notify)
    require_unchanged(run, artifacts)
    if match:
        require_matched(match_installations(engine, stacks, artifacts, notify))
    return Session(run, engine, artifacts, context_of(run, next_session(run)), read_facts)


def stacks_of(run: Run) -> tuple[Stack, ...]:
    """A run's stacks, as this kit has them."""
    return tuple(find_stack(name) for name in run.about.stacks)
