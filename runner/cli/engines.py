"""Which engines there are, how each is made from the options, and which one `auto` takes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runner.catalogue.stacks import Installation, Stack
from runner.engines.protocol import Engine
from runner.errors import HostError, UsageError
from runner.support import disk
from runner.support.machine_lock import machine_lock

if TYPE_CHECKING:
    from runner.engines.docker_images import ImageSource
    from runner.engines.docker_sdk import Docker

EngineFactory = Callable[[argparse.Namespace], Engine]
Engines = Mapping[str, EngineFactory]


def _venv(arguments: argparse.Namespace) -> Engine:
    from runner.engines.environments import EnvironmentCache, default_cache
    from runner.engines.venv import VenvEngine
    from runner.support.network import PackageIndex

    if getattr(arguments, "memory", None) is not None:
        raise UsageError(
            "--memory cannot be enforced by the venv engine: a plain process has no limit of its own that also covers "
            "what TensorFlow maps. Leave the option out, or use the docker engine."
        )
    return VenvEngine(EnvironmentCache(default_cache(), PackageIndex(arguments.pip_index, arguments.ca_bundle)))


def _docker(arguments: argparse.Namespace) -> Engine:
    from runner.engines.docker import DockerEngine
    from runner.engines.docker_sdk import Docker

    docker = Docker.connect()
    return DockerEngine(docker, _images(docker, arguments), memory_bytes=getattr(arguments, "memory", None))


def _images(docker: Docker, arguments: argparse.Namespace) -> ImageSource:
    """Images by digest where there is a lock of them, a run's own where it is repeated, else such as are built."""
    from runner.engines.docker_images import ImageBuilder
    from runner.engines.docker_recorded import RecordedImages
    from runner.support.network import PackageIndex

    if by_digest(arguments):
        from runner.cli.registries import conversations, lock_from
        from runner.registry.locked_images import LockedImages

        return LockedImages(docker, lock_from(arguments), conversations(arguments))
    index = PackageIndex(arguments.pip_index, arguments.ca_bundle)
    recorded = getattr(arguments, "recorded_images", None)
    if recorded:
        return RecordedImages(docker, index, arguments.base_image, recorded)
    return ImageBuilder(docker, index, arguments.base_image)


ENGINES: Engines = {"docker": _docker, "venv": _venv}


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


def by_digest(arguments: argparse.Namespace) -> bool:
    """Do the options, or the run that is resumed, name images by digest?"""
    return any(getattr(arguments, name, None) is not None for name in ("images", "image_lock"))


def choose_engine(arguments: argparse.Namespace, engines: Engines, stacks: tuple[Stack, ...]) -> tuple[Engine, str]:
    """Make the engine that was asked for, with one line on why it is this one. Decided once, before the first record.

    `auto` takes Docker where an engine answers that we may use, that can pin, and whose base images are there or can
    be had; else venv. Images by digest leave no choice.

    Raises:
        UsageError: images by digest were asked for on venv.
        HostError: the engine that was named cannot be used here.
    """
    if getattr(arguments, "memory", None) is not None:
        arguments.memory = in_whole_pages(arguments.memory)
    if by_digest(arguments):
        if arguments.engine == "venv":
            raise UsageError("--images runs images, and --engine venv has none. Leave one of the two options out.")
        return engines["docker"](arguments), "engine docker: images by digest, nothing is built"
    if arguments.engine != "auto":
        return engines[arguments.engine](arguments), f"engine {arguments.engine}: as asked"
    try:
        engine = engines["docker"](arguments)
        engine.prerequisites(stacks)
    except HostError as error:
        return engines["venv"](arguments), f"engine venv, because Docker cannot be used: {error}"
    return engine, "engine docker: an engine answers, can pin containers, and has the base images"


def require_ready(
    engine: Engine, wanted: Sequence[tuple[Stack, Installation]], also: Mapping[Path, int] | None = None
) -> None:
    """Check, before anything is fetched, that installations can be had and have room, beside `also` (bytes by path).

    Raises:
        HostError: something is missing, or a filesystem is too small for all that will be written to it.
    """
    engine.prerequisites(tuple({stack.name: stack for stack, _ in wanted}.values()))
    disk.check({**engine.room(wanted), **(also or {})})


def in_whole_pages(size: int) -> int:
    """A memory limit (bytes) as the kernel keeps it, rounded down: what is observed must be what was planned."""
    page = os.sysconf("SC_PAGE_SIZE")
    return max(size // page, 1) * page
