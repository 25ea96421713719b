"""The images lock that the options name or that a run was begun with, and its copy in run.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.registry import image_lock
from runner.registry.image_lock import ImageLock
from runner.session.options import EngineOptions
from runner.storage.runs import Run


def image_lock_from(options: EngineOptions) -> ImageLock:
    """The images lock that the options name, or that a resumed run was begun with.

    Raises:
        UsageError: the lock cannot be read, or the options name images by digest and also have an option for a build.
    """
    if options.image_lock is not None:
        return options.image_lock
    built = {"--base-image": options.base_image, "--pip-index": options.pip_index}
    for option, value in built.items():
        if value:
            raise UsageError(f"--images runs images by digest and builds nothing, so {option} has no effect with it.")
    return image_lock.read(options.images or Path())


def images_json(options: EngineOptions) -> dict[str, Any]:
    """What run.json keeps of images by digest: the whole images lock. Nothing if images are built.

    A resumed run therefore uses the same images, even if the file has changed.
    """
    return {"images": image_lock_from(options).to_json()} if options.by_digest else {}


def image_lock_of(begun: Run) -> ImageLock | None:
    """The images lock in a run's run.json; None if its images were built."""
    kept = begun.about.images
    return None if kept is None else ImageLock.from_json(kept, f"{begun.folder / 'run.json'}, images")
