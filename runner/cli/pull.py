"""`pull`: every image of an images lock, by digest, checked against it."""

from __future__ import annotations

import argparse

from runner.cli.engines import Engines
from runner.cli.layers import LayerProgress
from runner.cli.progress import say
from runner.cli.registries import conversations
from runner.engines.docker_sdk import Docker
from runner.errors import EXIT_DONE
from runner.registry import image_lock
from runner.registry.pull import obtain
from runner.support.machine_lock import machine_lock


def run(arguments: argparse.Namespace, _engines: Engines) -> int:
    """Pull what is missing and check everything, each image once."""
    lock = image_lock.read(arguments.images)
    docker = Docker.connect()
    converse = conversations(arguments)
    with machine_lock("pull"):  # unpacking layers would slow down whoever measures
        for locked in lock.distinct:
            with LayerProgress() as progress:
                image = obtain(docker, locked, converse(locked.repository, say), progress)
            say(f"ready: {locked.stack}/{locked.installation}, {locked.reference}, image {image['Id']}")
    return EXIT_DONE
