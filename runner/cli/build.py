"""`build`: makes the environments of stacks, so that `compare` can start at once."""

from __future__ import annotations

from dataclasses import dataclass

from runner.catalogue.stacks import every_installation
from runner.cli.engines import Engines, choose_engine
from runner.cli.progress import say
from runner.errors import EXIT_DONE
from runner.session.options import EngineOptions
from runner.session.planned import stacks_from
from runner.session.prepared import require_ready
from runner.support.machine_lock import machine_lock


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `stack` holds the names of stacks."""

    stack: tuple[str, ...] | None
    engine: EngineOptions


def run(options: Options, engines: Engines) -> int:
    """Make every installation of the named stacks ready."""
    stacks = stacks_from(options.stack)
    engine, why = choose_engine(options.engine, engines, stacks)
    say(why)
    with machine_lock("build"):  # unpacking and compiling would slow down a measurement
        wanted = every_installation(stacks)
        require_ready(engine, wanted)
        for stack, installation in wanted:
            artifact = engine.prepare(stack, installation, say)
            say(f"ready: {stack.name}/{installation.name} in {artifact.location}")
    return EXIT_DONE
