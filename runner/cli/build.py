"""`build`: makes the environments of stacks, so that `compare` can start at once."""

from __future__ import annotations

import argparse

from runner.catalogue.stacks import every_installation
from runner.cli.engines import Engines, choose_engine, require_ready
from runner.cli.planning import stacks_from
from runner.cli.progress import say
from runner.errors import EXIT_DONE
from runner.support.machine_lock import machine_lock


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Make every installation of the named stacks ready."""
    stacks = stacks_from(arguments)
    engine, why = choose_engine(arguments, engines, stacks)
    say(why)
    with machine_lock("build"):  # unpacking and compiling would slow down whoever measures
        wanted = every_installation(stacks)
        require_ready(engine, wanted)
        for stack, installation in wanted:
            artifact = engine.prepare(stack, installation, say)
            say(f"ready: {stack.name}/{installation.name} in {artifact.location}")
    return EXIT_DONE
