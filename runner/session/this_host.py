"""Reads the host that a session runs on: once for the plan, again for each session, and around each launch.

A root other than / is a captured tree of another host's /proc and /sys. It is for plans only; nothing runs on it.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.engines.protocol import Engine, Notify
from runner.errors import HostError, UsageError
from runner.host.check import PinRequest
from runner.host.doctor import examine
from runner.host.notes import notes_on
from runner.host.pin import Pin
from runner.machine import Machine, Sysroot, conditions, facts, read_machine
from runner.machine.identity import read_identity
from runner.session.observation import Context
from runner.storage.runs import Run

LIVE_ROOT = Path("/")


def machine_below(sysroot: Path) -> Machine:
    """Read the host below a root folder.

    Raises:
        UsageError: the folder cannot be read, or holds no captured tree.
    """
    try:
        captured = any((sysroot / name).is_dir() for name in ("proc", "sys"))
    except OSError as error:
        raise UsageError(f"--sysroot cannot be read: {error}. Name a folder that exists and may be entered.") from error
    if not captured:
        raise UsageError(
            f"--sysroot {sysroot} holds neither a proc nor a sys folder. It must be a tree with copies of a host's "
            "/proc and /sys files."
        )
    return read_machine(Sysroot(sysroot))


def live_conditions() -> dict[str, Any]:
    """The conditions of this host at this moment, which must be equal in all launches that are compared."""
    return conditions(machine_below(LIVE_ROOT))


def read_facts() -> dict[str, Any]:
    """The host's load, steal, clock and temperature at this moment."""
    return facts(Sysroot(LIVE_ROOT))


def context_of(current: Run, number: int) -> Context:
    """What all launches of one session of a run share, on this host as it is now. `number` is the session's."""
    about = current.about
    return Context(
        session=number,
        engine=about.engine.name,
        enforced=asdict(about.engine.enforced),
        machine_conditions=live_conditions(),
        pin=about.plan.pin,
        bkms=about.plan.bkms.name,
        workload_sha256=about.workload_sha256,
        boot_id=read_identity(Sysroot(LIVE_ROOT)).boot_id,
    )


def require_fit(machine: Machine, pin: Pin, engine: Engine, notify: Notify) -> None:
    """Refuse a host on which a run with this engine would fail or mislead, and print the notes on the pin.

    Raises:
        HostError: the host has such a problem; the message has the first one, with what to do about it.
    """
    found = problems(machine, pin, contained=engine.is_contained)
    if found:
        raise HostError(found[0])
    for note in notes_on(machine, pin):
        notify(note)


def problems(
    machine: Machine, pin: Pin, pin_request: PinRequest | None = None, *, contained: bool = False
) -> tuple[str, ...]:
    """Why a run would fail or mislead on a host: one sentence or more for each problem."""
    return tuple(
        f"This host cannot measure: {check.name} is {check.found}. {check.why} {check.what_to_do}"
        for check in examine(machine, pin, pin_request, contained=contained)
        if check.status == "problem"
    )
