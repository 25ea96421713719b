"""Gives the docker engine the images that an images lock names by digest, in place of images that it would build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.catalogue.stacks import Installation, Stack, find_stack
from runner.engines.docker_sdk import Docker, Image
from runner.engines.protocol import Artifact, Notify
from runner.registry.image_lock import ImageLock, LockedImage
from runner.registry.labels import BASE_IMAGE, LOCK_SHA256, require_of_this_clone
from runner.registry.pull import obtain
from runner.registry.transfer import ConnectRegistry, Layer


@dataclass(frozen=True)
class LockedImages:
    """Finds each image by its digest and pulls it if it is missing. Builds nothing."""

    engine: Docker
    lock: ImageLock
    connect: ConnectRegistry

    def require(self, stack: Stack) -> None:
        """Check, without asking a registry, that the images lock has the stack's images and that they fit this clone.

        Raises:
            UsageError: it lacks an image, or an image was built from other files than this clone's.
        """
        for installation in stack.installations.values():
            self._find(installation)

    def at_hand(self, stack: Stack) -> str | None:
        """One of the stack's images that the engine has; None if it has none."""
        found = (self.find(stack, installation) for installation in stack.installations.values())
        return next((artifact.location for artifact in found if artifact is not None), None)

    def fetch_first(self, stack: Stack, installation: Installation, notify: Notify) -> str:
        """The installation's image, pulled if need be; nothing is built here."""
        return self.prepare(stack, installation, notify).location

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """The image of an installation, pulled if the engine does not have it. Its location is the image's id.

        Raises:
            UsageError: the images lock lacks the image, or it was built from other files than this clone's.
            RegistryError: the image cannot be pulled.
            DigestError: the image is not the one that the images lock describes.
        """
        locked = self._find(installation)

        def on_layer(layer: Layer) -> None:
            if layer.has_ended and layer.state != "Download complete":
                notify(f"  layer {layer.name}: {layer.state.lower()}")

        image = obtain(self.engine, locked, self.connect(locked.repository, notify), on_layer)
        return Artifact(installation, image.image_id, _provenance(stack, installation, locked, image))

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The image of an installation, if the engine has the digest that the images lock names. Nothing is pulled."""
        locked = self._find(installation)
        image = self.engine.find_image(locked.reference)
        if image is None:
            return None
        return Artifact(installation, image.image_id, _provenance(stack, installation, locked, image))

    def reference(self, stack: str, installation: str) -> str:
        """The image's name in a printed `docker run`: repository and digest.

        Raises:
            UsageError: the images lock lacks the image, or it was built from other files than this clone's.
        """
        return self._find(find_stack(stack).installations[installation]).reference

    def _find(self, installation: Installation) -> LockedImage:
        locked = self.lock.find(installation.stack, installation.name)
        require_of_this_clone(locked.reference, locked.labels, installation)
        return locked


def _provenance(stack: Stack, installation: Installation, locked: LockedImage, image: Image) -> dict[str, Any]:
    return {
        "wheel": installation.wheel,
        "lock_sha256": locked.labels[LOCK_SHA256],
        "installer": stack.installer.requirement,
        "image_id": image.image_id,
        "image_reference": locked.reference,
        "image_digests": list(image.digests),
        "image_bytes": image.size_bytes,
        "base_image": locked.labels.get(BASE_IMAGE),
    }
