"""`doctor`: is this host fit to measure on, check by check, each with what to do."""

from __future__ import annotations

import argparse

from rich.table import Table
from rich.text import Text

from runner import disk
from runner.cli.engines import Engines, choose_engine
from runner.cli.planning import DEFAULT_STACKS, LIVE_ROOT, asked_from, machine_below, pin_from
from runner.cli.progress import CONSOLE
from runner.doctor import Check, Disk, examine, has_problem
from runner.engines.environments import default_cache
from runner.errors import EXIT_DONE, EXIT_HOST, HostError
from runner.stacks import find_stack

_STYLES = {"ok": "green", "advice": "yellow", "problem": "bold red"}


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Print every check; exit code 3 if one is a problem."""
    machine = machine_below(arguments.sysroot)
    live = arguments.sysroot == LIVE_ROOT  # a captured tree has neither disk nor engine
    checks = examine(machine, pin_from(arguments, machine), _disk() if live else None, asked_from(arguments))
    if live:
        checks.append(_engine(arguments, engines))
    _print(checks)
    return EXIT_HOST if has_problem(checks) else EXIT_DONE


def _disk() -> Disk:
    stacks = [find_stack(name) for name in DEFAULT_STACKS]
    needed = sum(stack.download_bytes + stack.environment_bytes * len(stack.installations) for stack in stacks)
    return Disk(str(default_cache()), needed, disk.free_bytes(default_cache()))


def _engine(arguments: argparse.Namespace, engines: Engines) -> Check:
    stacks = tuple(find_stack(name) for name in DEFAULT_STACKS)
    try:
        engine, why = choose_engine(arguments, engines, stacks)
        engine.prerequisites(stacks)
    except HostError as error:
        return Check("engine", "problem", arguments.engine, what_to_do=str(error))
    return Check("engine", "ok", why, why=f"It cannot enforce: {', '.join(engine.cannot_enforce) or 'nothing'}.")


def _print(checks: list[Check]) -> None:
    table = Table("check", "status", "found", "why it matters, what to do", box=None, pad_edge=False)
    for check in checks:
        status = Text(check.status, style=_STYLES[check.status])
        texts = (check.name, check.found, f"{check.why} {check.what_to_do}".strip())
        name, found, advice = map(Text, texts)  # a host's own words can look like rich's markup
        table.add_row(name, status, found, advice)
    CONSOLE.print(table)
