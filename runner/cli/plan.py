"""`plan`: prints every launch in order with pin, environment and command. Nothing is run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from runner.cli.engines import Engines, choose_engine
from runner.cli.printed_plan import plan_json, print_plan, with_branches
from runner.errors import EXIT_DONE
from runner.session.options import EngineOptions, PinOptions, RequestOptions
from runner.session.planned import plan_from
from runner.vocabulary import runs_containers


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `sysroot` is / or a captured tree of another host."""

    request: RequestOptions
    pin: PinOptions
    engine: EngineOptions
    sysroot: Path
    json: bool


def run(options: Options, engines: Engines) -> int:
    """Print the plan, as text or as JSON."""
    contained = runs_containers(options.engine.engine)
    planned = plan_from(options.request, options.pin, contained=contained, sysroot=options.sysroot)
    engine, _ = choose_engine(options.engine, engines, planned.stacks)
    planned = with_branches(planned, engine, options.request.inter_op)
    if options.json:
        print(json.dumps(plan_json(planned, engine, options.engine.memory_bytes), indent=1))
    else:
        print_plan(planned, engine)
    return EXIT_DONE
