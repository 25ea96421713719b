"""Which engines there are, how each is made from the options, and which one `auto` takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from runner.engines.protocol import Engine
from runner.errors import HostError, UsageError
from runner.stacks import Stack

EngineFactory = Callable[[argparse.Namespace], Engine]
Engines = Mapping[str, EngineFactory]


def _venv(arguments: argparse.Namespace) -> Engine:
    from runner.engines.environments import EnvironmentCache, default_cache
    from runner.engines.venv import VenvEngine
    from runner.network import PackageIndex

    if getattr(arguments, "memory", None) is not None:
        raise UsageError(
            "--memory cannot be enforced by the venv engine: a plain process has no limit of its own that also covers "
            "what TensorFlow maps. Leave the option out, or use the docker engine."
        )
    return VenvEngine(EnvironmentCache(default_cache(), PackageIndex(arguments.pip_index, arguments.ca_bundle)))


def _docker(arguments: argparse.Namespace) -> Engine:
    from runner.engines.docker import DockerEngine
    from runner.engines.docker_images import ImageBuilder
    from runner.engines.docker_sdk import Docker
    from runner.network import PackageIndex

    docker = Docker.connect()
    index = PackageIndex(arguments.pip_index, arguments.ca_bundle)
    return DockerEngine(
        docker, ImageBuilder(docker, index, arguments.base_image), memory_bytes=getattr(arguments, "memory", None)
    )


ENGINES: Engines = {"docker": _docker, "venv": _venv}


def choose_engine(arguments: argparse.Namespace, engines: Engines, stacks: tuple[Stack, ...]) -> tuple[Engine, str]:
    """Make the engine that was asked for, with one line on why it is this one. Decided once, before the first record.

    `auto` takes Docker where an engine answers that we may use, that can pin, and whose base images are there or can
    be had; else venv.

    Raises:
        HostError: the engine that was named cannot be used here.
    """
    if arguments.engine != "auto":
        return engines[arguments.engine](arguments), f"engine {arguments.engine}: as asked"
    try:
        engine = engines["docker"](arguments)
        engine.prerequisites(stacks)
    except HostError as error:
        return engines["venv"](arguments), f"engine venv, because Docker cannot be used: {error}"
    return engine, "engine docker: an engine answers, can pin containers, and has the base images"
