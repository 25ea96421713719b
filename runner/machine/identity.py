"""Identifies the running kernel and its processor, to tell two machines apart, also a virtual machine from its host.

The kernel makes a random boot id at each start (random(4), /proc/sys/kernel/random/boot_id). It identifies no user and
no hardware, but two records with the same id would show that they come from the same host. A record therefore has only
a hash of the boot id and the launch's id.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from runner.machine.cpuinfo import read_processor
from runner.machine.sysroot import Sysroot

BOOT_ID = "proc/sys/kernel/random/boot_id"


@dataclass(frozen=True)
class Identity:
    """A kernel's boot id, and the name of the processor that it reports; None for what is not known."""

    boot_id: str | None
    cpu_model: str | None


def read_identity(sysroot: Sysroot) -> Identity:
    """Read the identity of the host below a root."""
    return Identity(sysroot.first_text(BOOT_ID), read_processor(sysroot).model_name or None)


def identity_in(text: str) -> Identity:
    """Read an identity from what `cat` prints for the boot id followed by /proc/cpuinfo; either may be missing."""
    boot_id = re.search(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", text, re.MULTILINE)
    model = re.search(r"^model name\s*:(.*)$", text, re.MULTILINE)
    return Identity(boot_id[0] if boot_id else None, " ".join(model[1].split()) or None if model else None)


def boot_sha256(boot_id: str, launch_id: str) -> str:
    """The hash of a boot id in a launch's result (images/workload/observe.py); it can be checked only with the id."""
    return hashlib.sha256(f"{launch_id}\n{boot_id}".encode()).hexdigest()


def difference(here: Identity, there: Identity) -> str:
    """Say why `there` is another machine than the host `here`; empty if it is the same, or too little is known.

    A sandbox with a kernel of its own (gVisor, Kata Containers) counts as another machine, because its kernel schedules
    the threads.
    """
    if here.boot_id is not None and there.boot_id is None:
        return "its kernel has no boot id and this host's kernel has one, so that it is another kernel"
    if here.boot_id is not None and there.boot_id != here.boot_id:
        return f"its kernel has the boot id {there.boot_id}, and this host's kernel {here.boot_id}"
    if None not in (here.cpu_model, there.cpu_model) and here.cpu_model != there.cpu_model:
        return f"it has the processor {there.cpu_model!r}, and this host {here.cpu_model!r}"
    return ""
