"""Finds the images that `build` made on this engine, and checks that they are made from this clone. Sends nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from runner import __version__
from runner.catalogue.stacks import Installation, Stack
from runner.engines.docker_images import ImageBuilder
from runner.engines.docker_sdk import Docker, Image
from runner.engines.dockerfile import render
from runner.errors import HostError
from runner.registry.image_lock import LockedImage
from runner.registry.labels import BASE_IMAGE, LOCK_SHA256, WORKLOAD_SHA256, differences_from_clone
from runner.registry.push import Push
from runner.registry.reference import Repository, content_sha256, kit_tag


@dataclass(frozen=True)
class Built:
    """An installation's image on this engine, with the hash of what it is made from."""

    stack: Stack
    installation: Installation
    image_id: str
    labels: Mapping[str, str]
    content: str

    @property
    def tag(self) -> str:
        """The tag under which the image is pushed."""
        return kit_tag(self.stack.name, self.installation.name, __version__, self.content)

    def push_to(self, repository: Repository) -> Push:
        """The push of this image to a repository."""
        return Push(self.image_id, repository, self.tag)

    def locked(self, repository: Repository, digest: str) -> dict[str, LockedImage]:
        """The image's entries in the images lock: one for each variant that runs in it."""
        image = LockedImage(
            self.stack.name, self.installation.name, repository, digest, self.tag, self.image_id, self.labels
        )
        variants = (each.name for each in self.stack.variants.values() if each.installation == self.installation.name)
        return {f"{self.stack.name}/{variant}": image for variant in variants}


def find_built(docker: Docker, stack: Stack, installation: Installation) -> Built:
    """The image that `build` made of an installation.

    Raises:
        HostError: there is none, it was built from other files than this clone's, or its base image is gone.
    """
    name = ImageBuilder.tag(stack.name, installation.name)
    image = docker.find_image(name)
    if image is None:
        raise HostError(f"There is no image {name} on this engine to push. {_build_first(stack)}")
    differences = differences_from_clone(image.labels, installation)
    if differences:
        raise HostError(f"The image {name} was not built from this clone: {'; '.join(differences)}. "
                        f"{_build_first(stack)}")  # fmt: skip
    parts = {
        "base": _base_digest(docker, name, image),
        "dockerfile_sha256": hashlib.sha256(render(stack, installation).encode()).hexdigest(),
        "lock_sha256": image.labels[LOCK_SHA256],
        "workload_sha256": image.labels[WORKLOAD_SHA256],
    }
    return Built(stack, installation, image.image_id, image.labels, content_sha256(parts))


def _base_digest(docker: Docker, name: str, image: Image) -> str:
    """Identifies the base image whatever its name: the digest in its reference, else its id on this engine."""
    reference = image.labels.get(BASE_IMAGE, "")
    _, pinned, digest = reference.partition("@")
    if pinned:
        return digest
    base = docker.find_image(reference) if reference else None
    if base is None or image.layers[: len(base.layers)] != base.layers:
        raise HostError(
            f"The image {name} was built on {reference or 'an unknown base image'}. This engine does not have that "
            "image any more, or has another one under its name. It is needed, because the tag to push carries a hash "
            "of the image's content. Build again (python -m runner build --engine docker --base-image "
            f"{reference or 'IMAGE'}), then push."
        )
    return base.image_id


def _build_first(stack: Stack) -> str:
    return f"Run `python -m runner build --engine docker --stack {stack.name}` first."
