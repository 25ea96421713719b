"""By which of its digests an image was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docker.utils import parse_repository_tag


def digest_for(image: Mapping[str, Any], reference: str) -> str | None:
    """The digest that an image has in the registry that `reference` names; None where it comes from none.

    An engine that has the same image from a mirror too knows it by several. Where none is of that registry, or it is
    spelt out (docker.io/library/...), it is the first of them.
    """
    name, pinned = parse_repository_tag(reference)
    repository, _ = parse_repository_tag(name)
    known = [str(each).partition("@") for each in sorted(image.get("RepoDigests") or [])]
    asked_for_first = sorted(known, key=lambda each: (each[2] != pinned, each[0] != repository))
    return asked_for_first[0][2] if asked_for_first else None
