"""The machine's lock, and the installations that are made ready under it, before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from runner.catalogue.stacks import Installation, Stack
from runner.engines.protocol import Artifact, Engine, Notify
from runner.session.state import Artifacts
from runner.support import disk
from runner.support.machine_lock import machine_lock
from runner.vocabulary import Launch

# Records, logs and reports of a large run, generously.
RUN_BYTES = 200_000_000


@contextmanager
def measuring(what: str, engine: Engine) -> Iterator[None]:
    """Hold the machine for one run, and free it of whatever earlier ones left running, before anything else is done.

    Raises:
        RunLockedError: another run measures at this moment.
        HostError: something of an earlier run goes on and may not be ended.
    """
    with machine_lock(what):
        engine.remove_leftovers()
        yield


def prepare(
    engine: Engine, stacks: Sequence[Stack], launches: Sequence[Launch], folder: Path, notify: Notify
) -> dict[tuple[str, str], Artifact]:
    """Make every installation ready that the launches need, by stack and installation, for a run below `folder`.

    Raises:
        HostError: an installation cannot be had, or there is no room for all that will be written.
    """
    wanted = _wanted_by(launches, stacks)
    require_ready(engine, wanted, {folder: RUN_BYTES})

    def make(each: tuple[Stack, Installation]) -> Artifact:
        return engine.prepare(*each, notify)

    # Nothing is measured yet, so downloads and unpacking may use the whole machine.
    with ThreadPoolExecutor(max_workers=len(wanted) if engine.prepares_in_parallel else 1) as pool:
        made = list(pool.map(make, wanted))
    return {(artifact.installation.stack, artifact.installation.name): artifact for artifact in made}


def find_ready(engine: Engine, stacks: Sequence[Stack], launches: Sequence[Launch]) -> tuple[Artifacts, list[str]]:
    """The installations of the launches that are ready already, and the names of the others. Nothing is made."""
    wanted = sorted(_wanted_by(launches, stacks), key=lambda each: (each[0].name, each[1].name))
    found = {(stack.name, installation.name): engine.find(stack, installation) for stack, installation in wanted}
    ready = {key: artifact for key, artifact in found.items() if artifact is not None}
    return ready, ["/".join(key) for key in found if key not in ready]


def require_ready(
    engine: Engine, wanted: Sequence[tuple[Stack, Installation]], also: Mapping[Path, int] | None = None
) -> None:
    """Check, before anything is fetched, that installations can be had and have room, beside `also` (bytes by path).

    Raises:
        HostError: something is missing, or a filesystem is too small for all that will be written to it.
    """
    engine.prerequisites(tuple({stack.name: stack for stack, _ in wanted}.values()))
    disk.check({**engine.room(wanted), **(also or {})})


def _wanted_by(launches: Sequence[Launch], stacks: Sequence[Stack]) -> list[tuple[Stack, Installation]]:
    """The installations that launches need, each once and with its stack."""
    names = dict.fromkeys((launch.cell.stack, launch.installation) for launch in launches)
    by_name = {stack.name: stack for stack in stacks}
    return [(by_name[stack], by_name[stack].installations[installation]) for stack, installation in names]
