"""`doctor`: checks whether this host is fit to measure on; each check says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from runner.catalogue.stacks import Stack, every_installation
from runner.cli.engines import Engines, choose_engine
from runner.cli.progress import CONSOLE
from runner.errors import EXIT_DONE, EXIT_HOST, HostError
from runner.host.doctor import Check, examine, has_problem
from runner.session.options import EngineOptions, PinOptions
from runner.session.planned import pin_from, stacks_from
from runner.session.prepared import RUN_BYTES
from runner.session.this_host import LIVE_ROOT, machine_below
from runner.storage import runs
from runner.support import disk

_STYLES = {"ok": "green", "advice": "yellow", "problem": "bold red"}


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `stack` holds the names of stacks; `sysroot` is / or a captured tree."""

    stack: tuple[str, ...] | None
    sysroot: Path
    pin: PinOptions
    engine: EngineOptions


def run(options: Options, engines: Engines) -> int:
    """Print every check; exit code 3 if one is a problem."""
    machine, pin_request = machine_below(options.sysroot), options.pin.pin_request
    pin = pin_from(options.pin, machine)
    if options.sysroot != LIVE_ROOT:  # a captured tree has neither disk nor engine
        checks = examine(machine, pin, pin_request)
    else:
        check, needs, contained = _engine(options.engine, engines, stacks_from(options.stack))
        disks = disk.filesystems({**needs, runs.RUNS: RUN_BYTES})
        checks = [*examine(machine, pin, pin_request, disks=disks, contained=contained), check]
    _print(checks)
    return EXIT_HOST if has_problem(checks) else EXIT_DONE


def _engine(
    options: EngineOptions, engines: Engines, stacks: tuple[Stack, ...]
) -> tuple[Check, Mapping[Path, int], bool]:
    """The check of the engine, what it will still write (bytes by folder), and whether its launches are contained."""
    try:
        engine, why = choose_engine(options, engines, stacks)
        engine.prerequisites(stacks)
        needs = engine.room(every_installation(stacks))
    except HostError as error:
        return Check("engine", "problem", options.engine, what_to_do=str(error)), {}, False
    found = f"It cannot enforce: {', '.join(engine.cannot_enforce) or 'nothing'}."
    return Check("engine", "ok", why, why=found), needs, engine.is_contained


def _print(checks: list[Check]) -> None:
    table = Table("check", "status", "found", "why it matters, what to do", box=None, pad_edge=False)
    for check in checks:
        status = Text(check.status, style=_STYLES[check.status])
        texts = (check.name, check.found, f"{check.why} {check.what_to_do}".strip())
        name, found, advice = map(Text, texts)  # text from a host can look like rich's markup
        table.add_row(name, status, found, advice)
    CONSOLE.print(table)
