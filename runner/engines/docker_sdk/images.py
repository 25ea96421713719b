"""An image as the engine describes it, and which of its digests belongs to a reference. Knows no containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.utils import parse_repository_tag


@dataclass(frozen=True)
class Image:
    """What the kit reads of an image on the engine.

    `digests` has each `repository@sha256:...` by which the engine knows the image, sorted. It is empty for an image
    that was neither pulled nor pushed. `layers` has the digests of the layers from the base up. `environment` has the
    variables as NAME=value. `entrypoint` and `command` are None where the image sets none.
    """

    image_id: str
    digests: tuple[str, ...] = ()
    size_bytes: int | None = None
    layers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = ()
    user: str | None = None
    working_folder: str | None = None
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None


def image_of(attributes: Mapping[str, Any]) -> Image:
    """Read an image from the attributes that `docker image inspect` shows.

    Engines leave out an empty attribute, or give null for it:
    https://docs.docker.com/reference/api/engine/version-history/.

    Raises:
        KeyError: the attributes have no id.
    """
    config: Mapping[str, Any] = attributes.get("Config") or {}
    return Image(
        image_id=str(attributes["Id"]),
        digests=tuple(sorted(attributes.get("RepoDigests") or ())),
        size_bytes=attributes.get("Size"),
        layers=tuple((attributes.get("RootFS") or {}).get("Layers") or ()),
        labels=dict(sorted((config.get("Labels") or {}).items())),
        environment=tuple(config.get("Env") or ()),
        user=config.get("User"),
        working_folder=config.get("WorkingDir"),
        entrypoint=_words(config.get("Entrypoint")),
        command=_words(config.get("Cmd")),
    )


def digest_for(image: Image, reference: str) -> str | None:
    """The digest that an image has in the repository that `reference` names; None if it comes from no registry.

    An engine that has the same image from a mirror too knows it by several digests. If none of them has the
    repository's name as `reference` spells it (it may say docker.io/library/...), the first one is returned.
    """
    name, pinned = parse_repository_tag(reference)
    repository, _ = parse_repository_tag(name)
    known = [each.partition("@") for each in image.digests]
    asked_for_first = sorted(known, key=lambda each: (each[2] != pinned, each[0] != repository))
    return asked_for_first[0][2] if asked_for_first else None


def _words(listed: list[str] | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(listed)
