"""What another session or a repetition of a run takes from its record, and what must not have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.catalogue.topology_file import kept
from runner.catalogue.workload_files import workload_sha256
from runner.checks.conditions import flatten
from runner.errors import UsageError
from runner.registry import image_lock
from runner.registry.image_lock import ImageLock
from runner.session import allocators
from runner.session.image_lock_in_use import image_lock_of
from runner.session.options import EngineOptions
from runner.session.state import Artifacts
from runner.session.this_host import live_conditions
from runner.storage.repetition import images_of
from runner.storage.runs import Run
from runner.vocabulary import Launch

# A value of --engine: the engine that the run was recorded with.
RECORDED = "recorded"


def resumed_with(given: EngineOptions, resumed: Run) -> EngineOptions:
    """The options for the engine and its artifacts, with the values that the run was begun with.

    Raises:
        UsageError: --images names other images than the run was begun with.
    """
    engine = resumed.about.engine
    lock = _image_lock_of_resumed(given, resumed)
    return replace(
        given,
        engine=engine.name,
        memory=engine.enforced.memory_limit_bytes,
        image_lock=lock,
        # The same images that the run began with, if they are still there, even if others have been built since.
        recorded_images=images_of(resumed),
        base_image=given.base_image or ({} if lock is not None else base_images_of(resumed)),
    )


def repeated_with(given: EngineOptions, original: Run) -> EngineOptions:
    """The options for the engine and its images; those that were not given are taken from the record."""
    recorded = original.about.engine
    engine = recorded.name if given.engine == RECORDED else given.engine
    is_same = given.memory is None and engine == recorded.name
    return replace(
        given,
        engine=engine,
        memory=recorded.enforced.memory_limit_bytes if is_same else given.memory,
        image_lock=image_lock_of(original),
        recorded_images=images_of(original),
        base_image=given.base_image or base_images_of(original),
    )


def base_images_of(begun: Run) -> dict[str, str]:
    """The name of the base image of each stack in a run, by stack."""
    return {
        name: made.base_image
        for name, stack in begun.about.stacks.items()
        for made in stack.installations.values()
        if made.base_image
    }


def _image_lock_of_resumed(given: EngineOptions, resumed: Run) -> ImageLock | None:
    """The images lock that a run was begun with; None if its images were built."""
    begun_with = image_lock_of(resumed)
    if given.images is None:
        return begun_with
    named = image_lock.read(given.images)
    if begun_with is None or named.images != begun_with.images:
        raise UsageError(
            f"{resumed.folder} was begun with {'other images' if begun_with else 'images that were built'} than those "
            f"of {given.images}. Leave --images out to go on with them, or start a new run."
        )
    return begun_with


def require_kept_files(resumed: Run) -> None:
    """Check the run's copies of a user's own topologies and of the allocators that launches preload.

    Raises:
        UsageError: a copy is missing or was changed.
    """
    for library in allocators.allocators_of(resumed.launches):
        allocators.kept(resumed.folder, library)
    for file in {launch.topology_file for launch in resumed.launches if launch.topology_file is not None}:
        kept(resumed.folder, file)


def in_words(resumed: Run, left: Sequence[Launch]) -> str:
    """One line on how many launches are left of a run, and how many of them had ended and are run again."""
    ended = {record.launch_id for record in resumed.read_records() if record.error is None}
    again = sum(launch.launch_id in ended for launch in left)
    why = f", {again} of them again: a block counts only if one session completes it" if again else ""
    return f"resuming {resumed.folder}: {len(left)} of {len(resumed.launches)} launches left{why}"


def next_session(resumed: Run) -> int:
    """The number of the next session of a run."""
    return 1 + max((record.session for record in resumed.read_records()), default=1)


def require_unchanged(resumed: Run, artifacts: Artifacts) -> None:
    """Refuse to add launches under other conditions to a run (rule 9 of CONTRIBUTING.md).

    Raises:
        UsageError: something that must match has changed since the run began; the message names it.
    """
    before = dict(flatten(resumed.about.machine_conditions, "machine."))
    now = dict(flatten(live_conditions(), "machine."))
    before["workload_sha256"], now["workload_sha256"] = resumed.about.workload_sha256, workload_sha256()
    for (stack, installation), artifact in artifacts.items():
        recorded = resumed.about.stacks[stack].installations[installation]
        # The base image is known only if the image was built; an image that was taken by digest includes its base.
        for field in ("lock_sha256", "python", *(["base_image_id"] if recorded.base_image_id else [])):
            key = f"{stack}.{installation}.{field}"
            before[key], now[key] = recorded.said.get(field), artifact.provenance.get(field)
    changed = [f"{key} (was {before[key]}, is {now.get(key)})" for key in before if before[key] != now.get(key)]
    if changed:
        raise UsageError(
            f"{resumed.folder} cannot be resumed: its launches could not be divided by new ones, because "
            f"{'; '.join(changed)}. Start a new run, or restore what changed."
        )
