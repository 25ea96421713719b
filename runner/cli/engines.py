"""The engines, how each is made from the options, and which one `auto` chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from runner.catalogue.stacks import Stack
from runner.engines.protocol import Engine
from runner.errors import HostError, UsageError
from runner.session.options import EngineOptions

if TYPE_CHECKING:
    from runner.engines.docker_images import ImageSource
    from runner.engines.docker_sdk import Docker

EngineFactory = Callable[[EngineOptions], Engine]
Engines = Mapping[str, EngineFactory]


def _venv(options: EngineOptions) -> Engine:
    from runner.engines.environments import EnvironmentCache, default_cache
    from runner.engines.venv import VenvEngine

    if options.memory is not None:
        raise UsageError(
            "--memory cannot be enforced by the venv engine: no limit of a plain process also covers the memory that "
            "TensorFlow maps. Leave the option out, or use the docker engine."
        )
    return VenvEngine(EnvironmentCache(default_cache(), options.index))


def _docker(options: EngineOptions) -> Engine:
    from runner.engines.docker import DockerEngine
    from runner.engines.docker_sdk import Docker

    docker = Docker.connect()
    return DockerEngine(docker, _images(docker, options), memory_bytes=options.memory_bytes)


def _images(docker: Docker, options: EngineOptions) -> ImageSource:
    """Images by digest if there is an images lock; those of a recorded run if it is repeated; else built ones."""
    from runner.engines.docker_images import ImageBuilder
    from runner.engines.docker_recorded import RecordedImages

    if options.by_digest:
        from runner.cli.registries import connect_with
        from runner.registry.locked_images import LockedImages
        from runner.session.image_lock_in_use import image_lock_from

        return LockedImages(docker, image_lock_from(options), connect_with(options.registry))
    index = options.index
    if options.recorded_images:
        return RecordedImages(docker, index, options.base_image, options.recorded_images)
    return ImageBuilder(docker, index, options.base_image)


ENGINES: Engines = {"docker": _docker, "venv": _venv}


def choose_engine(options: EngineOptions, engines: Engines, stacks: tuple[Stack, ...]) -> tuple[Engine, str]:
    """Make the engine that the options ask for; return it with one line on the reason.

    The engine is chosen once, before the first record. `auto` chooses Docker if its engine answers, may be used, can
    pin, and has the base images or can pull them; else venv. Images by digest need Docker.

    Raises:
        UsageError: images by digest were requested for venv.
        HostError: the engine that was named cannot be used here.
    """
    if options.by_digest:
        if options.engine == "venv":
            raise UsageError("--images needs Docker, but --engine is venv. Leave one of the two options out.")
        return engines["docker"](options), "engine docker: images by digest, nothing is built"
    if options.engine != "auto":
        return engines[options.engine](options), f"engine {options.engine}: as requested"
    try:
        engine = engines["docker"](options)
        engine.prerequisites(stacks)
    except HostError as error:
        return engines["venv"](options), f"engine venv, because Docker cannot be used: {error}"
    return engine, "engine docker: an engine answers, can pin containers, and has the base images"
