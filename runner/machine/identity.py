"""Which running kernel this is, and on which processor: what tells two machines apart, a virtual one from its host too.

The kernel makes a random boot id at each start (random(4), /proc/sys/kernel/random/boot_id). It names no user and no
hardware, but two records with the same one are of the same host: what is kept is a hash with the launch's own id in it.
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
    """A kernel's boot id and the processor's name that it tells; None where it tells none."""

    boot_id: str | None
    cpu_model: str | None


def read_identity(sysroot: Sysroot) -> Identity:
    """Read this host's."""
    return Identity(sysroot.first_text(BOOT_ID), read_processor(sysroot).model_name or None)


def identity_in(text: str) -> Identity:
    """Read what `cat` prints of a boot id and of /proc/cpuinfo, one behind the other; either may be missing."""
    boot_id = re.search(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", text, re.MULTILINE)
    model = re.search(r"^model name\s*:(.*)$", text, re.MULTILINE)
    return Identity(boot_id[0] if boot_id else None, " ".join(model[1].split()) or None if model else None)


def boot_sha256(boot_id: str, launch_id: str) -> str:
    """A boot id as a launch's result has it (images/workload/observe.py): only who knows the id can compare it."""
    return hashlib.sha256(f"{launch_id}\n{boot_id}".encode()).hexdigest()


def difference(here: Identity, there: Identity) -> str:
    """In words, why `there` is another machine than the host `here`; empty if it is the same, or nothing tells.

    A sandbox with a kernel of its own (gVisor, Kata Containers) is another one: it schedules threads by itself.
    """
    if here.boot_id is not None and there.boot_id is None:
        return "its kernel tells no boot id, and this host's does, so that it is another kernel"
    if here.boot_id is not None and there.boot_id != here.boot_id:
        return f"its kernel was started as {there.boot_id}, and this host's as {here.boot_id}"
    if None not in (here.cpu_model, there.cpu_model) and here.cpu_model != there.cpu_model:
        return f"it has the processor {there.cpu_model!r}, and this host {here.cpu_model!r}"
    return ""
