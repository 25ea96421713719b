"""An image as the engine describes it, and by which of its digests it was asked for. Knows no containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.utils import parse_repository_tag


@dataclass(frozen=True)
class Image:
    """What the kit reads of an image on the engine.

    `digests` has each `repository@sha256:...` by which the engine knows it, sorted; none for an image that was neither
    pulled nor pushed. `layers` has the digests of its layers from the base up, `environment` its variables as
    NAME=value. `entrypoint` and `command` are None where the image sets none.
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
    """An image from the attributes that `docker image inspect` shows.

    Engines leave out what is empty, or say null: https://docs.docker.com/reference/api/engine/version-history/.

    Raises:
        KeyError: they have no id.
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
    """The digest that an image has in the registry that `reference` names; None where it comes from none.

    An engine that has the same image from a mirror too knows it by several. Where none is of that registry, or it is
    spelt out (docker.io/library/...), it is the first of them.
    """
    name, pinned = parse_repository_tag(reference)
    repository, _ = parse_repository_tag(name)
    known = [each.partition("@") for each in image.digests]
    asked_for_first = sorted(known, key=lambda each: (each[2] != pinned, each[0] != repository))
    return asked_for_first[0][2] if asked_for_first else None


def _words(told: list[str] | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(told)
