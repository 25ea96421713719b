"""`pull`: fetches every image of an images lock by its digest, and checks it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.cli.engines import Engines
from runner.cli.layers import LayerProgress
from runner.cli.progress import say
from runner.cli.registries import connect_with
from runner.engines.docker_sdk import Docker
from runner.errors import EXIT_DONE
from runner.registry import image_lock
from runner.registry.pull import obtain
from runner.session.options import RegistryOptions
from runner.support.machine_lock import machine_lock


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `images` is the images lock."""

    images: Path
    registry: RegistryOptions


def run(options: Options, _engines: Engines) -> int:
    """Pull what is missing and check everything, each image once."""
    lock = image_lock.read(options.images)
    docker = Docker.connect()
    connect = connect_with(options.registry)
    with machine_lock("pull"):  # unpacking layers would slow down a measurement
        for locked in lock.distinct:
            with LayerProgress() as progress:
                image = obtain(docker, locked, connect(locked.repository, say), progress)
            say(f"ready: {locked.stack}/{locked.installation}, {locked.reference}, image {image.image_id}")
    return EXIT_DONE
