"""images.lock.json, the images lock: the image, by digest, that each variant of a stack runs in.

Reads, checks and writes the file. Talks to no engine and no registry.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import DiskError, UsageError
from runner.registry.reference import Repository, parse_pinned
from runner.support.atomic import write_whole
from runner.support.structure import structure, written_by_people

SCHEMA_VERSION = 1
FILE = Path("images.lock.json")


@dataclass(frozen=True)
class _Entry:
    installation: str
    reference: str
    tag: str
    image_id: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class _File:
    schema_version: int
    kit: Mapping[str, Any]
    images: Mapping[str, _Entry]


@dataclass(frozen=True)
class LockedImage:
    """One image in a registry. `image_id` is the id that the image had on the engine which pushed it."""

    stack: str
    installation: str
    repository: Repository
    digest: str
    tag: str
    image_id: str
    labels: Mapping[str, str]

    @property
    def reference(self) -> str:
        """The reference that is pulled and run: repository and digest."""
        return self.repository.at(self.digest)

    def to_json(self) -> dict[str, Any]:
        """The image as it stands in the file."""
        return {
            "installation": self.installation,
            "reference": self.reference,
            "tag": self.tag,
            "image_id": self.image_id,
            "labels": dict(sorted(self.labels.items())),
        }


@dataclass(frozen=True)
class ImageLock:
    """Images by "stack/variant", and the version and revision of the kit that pushed them."""

    kit: Mapping[str, Any]
    images: Mapping[str, LockedImage]

    @property
    def distinct(self) -> tuple[LockedImage, ...]:
        """Each image once, in the file's order. Variants that differ only in their settings share an image."""
        return tuple({image.reference: image for image in self.images.values()}.values())

    def find(self, stack: str, installation: str) -> LockedImage:
        """The image of an installation.

        Raises:
            UsageError: the images lock has no image of it.
        """
        for image in self.images.values():
            if (image.stack, image.installation) == (stack, installation):
                return image
        raise UsageError(
            f"The images lock has no image of {stack}/{installation}; it has {', '.join(self.images) or 'none'}. "
            f"Push it (python -m runner push --stack {stack} --to REPOSITORY), or name another lock with --images."
        )

    def to_json(self) -> dict[str, Any]:
        """The images lock as it stands in its file. Nothing in it depends on the time."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kit": dict(self.kit),
            "images": {name: image.to_json() for name, image in self.images.items()},
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> ImageLock:
        """Check the data of an images lock, field by field. `where` names its file in messages.

        Raises:
            UsageError: it is not an images lock, has another schema, or gives two images for one installation.
        """
        if not isinstance(data, Mapping) or not isinstance(data.get("schema_version"), int):
            raise UsageError(f"{where} is not an images lock: it has no schema_version. `push` writes one.")
        if data["schema_version"] != SCHEMA_VERSION:
            raise UsageError(
                f"{where} has schema_version {data['schema_version']}; this version of the kit reads {SCHEMA_VERSION}. "
                "Update the kit, or push the images anew."
            )
        file = structure(data, _File, where, written_by_people())
        images = {name: _locked_image(f"{where}, images.{name}", name, entry) for name, entry in file.images.items()}
        _require_one_image_each(where, images)
        return cls(file.kit, images)


def read(path: Path) -> ImageLock:
    """Read and check an images lock.

    Raises:
        UsageError: the file cannot be read, is not JSON, or is not a valid images lock.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The images lock {path} cannot be read: {error}. `push` writes one.") from error
    except ValueError as error:
        raise UsageError(f"The images lock {path} is not JSON: {error}.") from error
    return ImageLock.from_json(data, str(path))


def write(path: Path, lock: ImageLock) -> None:
    """Write an images lock, either completely or not at all.

    Raises:
        DiskError: the file cannot be written.
    """
    try:
        write_whole(path, json.dumps(lock.to_json(), indent=1) + "\n")
    except OSError as error:
        raise DiskError(f"The images lock {path} cannot be written: {error}. Name another with --images.") from error


def kept(path: Path, kit: Mapping[str, Any], pushed: Collection[str]) -> dict[str, LockedImage]:
    """The entries to keep of the images lock at `path`: those of stacks that are not pushed now.

    They are kept only if the same version and revision of the kit wrote them. Without a file the result is empty.

    Raises:
        UsageError: there is a file, and it is not a valid images lock.
    """
    if not path.exists():
        return {}
    before = read(path)
    same = before.kit == kit
    return {name: image for name, image in before.images.items() if same and image.stack not in pushed}


def _locked_image(where: str, name: str, entry: _Entry) -> LockedImage:
    stack, slash, variant = name.partition("/")
    if not (stack and slash and variant):
        raise UsageError(f"{where} is not named STACK/VARIANT.")
    repository, digest = parse_pinned(entry.reference)
    return LockedImage(stack, entry.installation, repository, digest, entry.tag, entry.image_id, entry.labels)


def _require_one_image_each(where: str, images: Mapping[str, LockedImage]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for name, image in images.items():
        known = seen.setdefault((image.stack, image.installation), image.reference)
        if known != image.reference:
            raise UsageError(
                f"{where} has two images for the installation {image.stack}/{image.installation}: {known} and, under "
                f"{name}, {image.reference}. All variants of an installation must run in the same image."
            )
