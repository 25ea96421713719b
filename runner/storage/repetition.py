"""Repeats a run from its record: makes its plan for this host, and keeps the original inside the new run's folder.

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

# The folder of the original's run.json and records.jsonl, inside the repetition's folder.
ORIGINAL = "original"
KEPT = ("run.json", "records.jsonl")


def original_of(run: Run) -> Run | None:
    """The run that this one repeats, from the copy in its folder; None if this run repeats none."""
    return runs.load(run.folder / ORIGINAL) if (run.folder / ORIGINAL / "run.json").exists() else None


def keep_original(run: Run, original: Run) -> None:
    """Copy the original's run.json and records into the repetition's folder, so that a report needs no other folder.

    Raises:
        DiskError: they could not be copied.
    """
    folder = run.folder / ORIGINAL
    try:
        folder.mkdir()
        for name in KEPT:
            if (original.folder / name).exists():  # a run without a finished launch has no records
                shutil.copyfile(original.folder / name, folder / name)
    except OSError as error:
        raise DiskError(f"The original's records could not be copied to {folder}: {error}. Make room there.") from error


def pin_like(recorded: Pin, machine: Machine, isolated_then: frozenset[int] = frozenset()) -> Pin:
    """The recorded pin if this host has its CPUs; else as many cores as it had, or as many as this host has.

    `isolated_then` are the isolated CPUs of the recorded host. If the recorded pin had isolated CPUs, its user named
    them. CPUs that are isolated only on this host were not named by anyone, so a pin with such CPUs is not used.

    Raises:
        HostError: all CPUs of this host that may be used are isolated, and isolated CPUs must be named.
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
    """The isolated CPUs of the host that a run was made on; empty in runs of earlier versions."""
    return frozenset(original.about.machine.isolated_cpus)


def plan_again(original: Run, pin: Pin, bkms_file: str | None = None) -> Plan:
    """The original's plan for this pin, with the same launches in the same order.

    If the pin has the same counts of threads and CPUs as the recorded one, everything stays as recorded. Otherwise the
    settings that depend on the pin are resolved again from the same set of BKMs; all other settings stay.

    Raises:
        UsageError: the set of BKMs is needed, and it is neither built in nor named by `bkms_file`; or the set that is
            found gives other values on the recorded pin.
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
            f"The run's set of BKMs {was.name!r} came from a file and is not built in. This pin has other counts than "
            "the run's, so the values must be worked out again from that file. Name the file with --bkms, or repeat "
            "the run on as many cores as it had (--cores)."
        ) from error
    if resolve(bkms, before).environment != was.environment:
        raise UsageError(
            f"The set of BKMs {bkms.name!r} is not the one that the run used: on the run's own pin it gives other "
            "values. Name the right file with --bkms, or use the kit at the run's own revision."
        )
    return resolve(bkms, pin)


def _moved(launch: Launch, was: ResolvedBkms, bkms: ResolvedBkms, header: Header) -> Launch:
    """A launch with the settings of another pin. What its variant declares takes precedence, as in any plan."""
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
    """What is installed differently: wheel, lock, interpreter, image, base image and revision of the kit.

    Returns for each difference its name with the original's value and the repetition's value.
    """
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
    """Refuse to write a repetition into the folder of the run that it repeats.

    Raises:
        UsageError: both are the same folder.
    """
    if folder.resolve() == original.folder.resolve():
        raise UsageError(
            f"{folder} is the folder of the run that is to be repeated. Name another folder with --out, or leave the "
            "option out."
        )
