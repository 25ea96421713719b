"""A run repeated from another one's record: its plan on this host, the original kept inside the new run's folder.

Knows run folders and plans, no engine and no statistics.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.errors import DiskError, UsageError
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine
from runner.planning.bkm import ResolvedBkms, load_bkms, resolve
from runner.planning.plan import Plan
from runner.storage import runs
from runner.storage.header import Header, Provenance
from runner.storage.runs import Run
from runner.vocabulary import Launch

# Where the original's run.json and records.jsonl lie inside the repetition's folder.
ORIGINAL = "original"
KEPT = ("run.json", "records.jsonl")


def original_of(run: Run) -> Run | None:
    """The run that this one repeats, as it was kept; None if this run repeats none."""
    return runs.load(run.folder / ORIGINAL) if (run.folder / ORIGINAL / "run.json").exists() else None


def keep_original(run: Run, original: Run) -> None:
    """Copy the original's run.json and records into the repetition's folder, so that it needs no other.

    Raises:
        DiskError: they could not be copied.
    """
    folder = run.folder / ORIGINAL
    try:
        folder.mkdir()
        for name in KEPT:
            if (original.folder / name).exists():  # a run that was only begun has no records yet
                shutil.copyfile(original.folder / name, folder / name)
    except OSError as error:
        raise DiskError(f"The original's records could not be copied to {folder}: {error}. Make room there.") from error


def pin_like(recorded: Pin, machine: Machine, isolated_then: frozenset[int] = frozenset()) -> Pin:
    """The recorded pin where this host has it; else as many cores, or as many as there are.

    `isolated_then` are the isolated CPUs of the recorded host: whoever put the pin on such named them. What is isolated
    here and was not there has been named by nobody.

    Raises:
        HostError: no CPU of this host may be used unless it is named.
    """
    unnamed = frozenset(machine.isolated_cpus) & set(recorded.cpus) - isolated_then
    try:
        if not unnamed:
            return choose_pin(machine, cpus=frozenset(recorded.cpus))
    except UsageError:
        pass
    usable = sum(bool(core.balanced_cpus) for core in machine.cores)
    return choose_pin(machine, cores=min(recorded.threads, usable) or None)


def isolated_in(original: Run) -> frozenset[int]:
    """The isolated CPUs of the host that a run was made on; none in the records of earlier versions."""
    return frozenset(original.about.machine.isolated_cpus)


def plan_again(original: Run, pin: Pin, bkms_file: str | None = None) -> Plan:
    """The original's plan, launch by launch in its order, for this pin.

    On a pin with as many threads everything stays as recorded. On another one, settings that depend on the pin are
    resolved anew from the same set of BKMs; what a launch was given besides stays.

    Raises:
        UsageError: the pin's counts differ and the original's BKMs are neither built in nor named by `bkms_file`.
    """
    recorded = original.about.plan
    was, before = recorded.bkms, recorded.pin
    same = (pin.threads, pin.has_siblings, len(pin.cpus)) == (before.threads, before.has_siblings, len(before.cpus))
    bkms = was if same and bkms_file is None else _resolved_anew(was, before, pin, bkms_file)
    launches = tuple(_moved(launch, was, bkms, original.about) for launch in recorded.launches)
    return Plan(pin, bkms, recorded.blocks, recorded.seed, launches)


def _resolved_anew(was: ResolvedBkms, before: Pin, pin: Pin, bkms_file: str | None) -> ResolvedBkms:
    try:
        bkms = load_bkms(bkms_file or was.name)
    except UsageError as error:
        raise UsageError(
            f"The run's BKMs are of a file that was called {was.name!r}, which is not one of the kit's own sets; on "
            "another number of cores its values have to be worked out anew. Name that file with --bkms, or repeat the "
            "run on as many cores as it had (--cores)."
        ) from error
    if resolve(bkms, before).environment != was.environment:
        raise UsageError(
            f"The set of BKMs {bkms.name!r} is not the one that the run used: on the run's own pin it gives other "
            "values. Name the right file with --bkms, or use the kit at the run's own revision."
        )
    return resolve(bkms, pin)


def _moved(launch: Launch, was: ResolvedBkms, bkms: ResolvedBkms, header: Header) -> Launch:
    """A launch with the settings of another pin; what its variant declares goes before them, as in any plan."""
    variant = header.stacks[launch.cell.stack].variants.get(launch.cell.variant)
    declared = {entry.name for entry in variant.environment} if variant else set()
    changed = {name: value for name, value in bkms.environment.items() if name not in declared}
    kept = {
        name: value for name, value in launch.environment.items() if name in declared or name not in was.environment
    }
    threads = {
        name: getattr(bkms, name)
        for name in ("intra_op_threads", "inter_op_threads")
        if getattr(launch, name) == getattr(was, name)
    }
    return replace(launch, environment=dict(sorted({**kept, **changed}.items())), **threads)


def differing_artifacts(original: Run, repeated: Run) -> dict[str, tuple[Any, Any]]:
    """What was installed otherwise: lock, wheel, interpreter, base image; name -> value then, value now."""
    found = {}
    for stack, entry in original.about.stacks.items():
        there = repeated.about.stacks.get(stack)
        for name, then in entry.installations.items():
            now = there.installations.get(name, Provenance({})) if there else Provenance({})
            for key in ("wheel", "lock_sha256", "python", "image_id", "base_image_id"):
                if then.said.get(key) != now.said.get(key):
                    found[f"{stack}/{name}: {key}"] = (then.said.get(key), now.said.get(key))
    kits = [run.about.kit.revision for run in (original, repeated)]
    if kits[0] != kits[1]:
        found["kit revision"] = (kits[0], kits[1])
    return found


def images_of(original: Run) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The provenance of every image of a run, by stack and installation; empty for a run without images."""
    return {
        (stack, name): made.said
        for stack, entry in original.about.stacks.items()
        for name, made in entry.installations.items()
        if made.is_of_an_image
    }


def require_a_folder_of_its_own(folder: Path, original: Run) -> None:
    """Refuse to write a repetition into the run that it repeats.

    Raises:
        UsageError: it is the same folder.
    """
    if folder.resolve() == original.folder.resolve():
        raise UsageError(f"{folder} is the run that is to be repeated. Name another folder with --out, or none.")
