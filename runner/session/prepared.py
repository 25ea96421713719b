"""Takes the machine's lock, and makes installations ready before anything is measured."""

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

# Bytes: a generous estimate of the records, logs and reports of a large run.
RUN_BYTES = 200_000_000


@contextmanager
def measuring(what: str, engine: Engine) -> Iterator[None]:
    """Hold the machine's lock for one run, and first end the launches that earlier runs left running.

    Raises:
        RunLockedError: another run is measuring at this moment.
        HostError: a launch of an earlier run is still running and may not be ended.
    """
    with machine_lock(what):
        engine.remove_leftovers()
        yield


def prepare(
    engine: Engine, stacks: Sequence[Stack], launches: Sequence[Launch], folder: Path, notify: Notify
) -> dict[tuple[str, str], Artifact]:
    """Make every installation ready that the launches need, by stack and installation, for a run below `folder`.

    Raises:
        HostError: an installation cannot be made, or there is no room for all that will be written.
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
    """Check, before anything is downloaded, that installations can be made and that the disk has room.

    `also` is what else will be written (bytes by path).

    Raises:
        HostError: a prerequisite is missing, or a filesystem has too little room for all that will be written to it.
    """
    engine.prerequisites(tuple({stack.name: stack for stack, _ in wanted}.values()))
    disk.check({**engine.room(wanted), **(also or {})})


def _wanted_by(launches: Sequence[Launch], stacks: Sequence[Stack]) -> list[tuple[Stack, Installation]]:
    """The installations that launches need, each once and with its stack."""
    names = dict.fromkeys((launch.cell.stack, launch.installation) for launch in launches)
    by_name = {stack.name: stack for stack in stacks}
    return [(by_name[stack], by_name[stack].installations[installation]) for stack, installation in names]
