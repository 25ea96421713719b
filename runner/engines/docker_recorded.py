"""The images of an earlier run, by id or by digest. An image that cannot be had so is built again from its lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.catalogue.stacks import Installation, Stack
from runner.engines.docker_images import ImageBuilder
from runner.engines.docker_sdk import Image
from runner.engines.protocol import FROM_RECORD, Artifact, Notify
from runner.errors import HostError


@dataclass(frozen=True)
class RecordedImages(ImageBuilder):
    """Takes the images that a run recorded. `recorded` has the provenance of each, by stack and installation."""

    recorded: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """The recorded image: from the engine if it has it, else pulled by digest, else built again from its lock.

        Raises:
            HostError: the image had to be built, and the build failed.
        """
        provenance = self.recorded.get((stack.name, installation.name), {})
        image = self._here(provenance) or self._pulled(provenance, notify)
        if image is None:
            notify(f"no image of {stack.name}/{installation.name} can be had by digest: building it from its lock")
            return super().prepare(stack, installation, notify)
        taken = self._taken(installation, provenance, image)
        names = ", ".join(taken.provenance["image_digests"]) or taken.location
        notify(f"the run's own image of {stack.name}/{installation.name}: {names}")
        return taken

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The recorded image, if the engine has it; else the image of this clone, if the engine has that."""
        provenance = self.recorded.get((stack.name, installation.name), {})
        image = self._here(provenance)
        return super().find(stack, installation) if image is None else self._taken(installation, provenance, image)

    def require(self, stack: Stack) -> None:
        """Check that a base image can be had, unless every image of the stack is here or has a digest to pull it by.

        Raises:
            HostError: an image may have to be built, and its base image cannot be had.
        """
        known = [provenance for (name, _), provenance in self.recorded.items() if name == stack.name]
        if not known or not all(self._here(provenance) or references(provenance) for provenance in known):
            super().require(stack)

    def at_hand(self, stack: Stack) -> str | None:
        """An image of the run that the engine has, else the base image, if the engine has that."""
        known = [provenance for (name, _), provenance in self.recorded.items() if name == stack.name]
        here = next((image.image_id for each in known if (image := self._here(each))), None)
        return super().at_hand(stack) if here is None else here

    def fetch_first(self, stack: Stack, installation: Installation, notify: Notify) -> str:
        """The recorded image, pulled if need be; if it cannot be had, the base image of a new build."""
        provenance = self.recorded.get((stack.name, installation.name), {})
        image = self._here(provenance) or self._pulled(provenance, notify)
        return super().fetch_first(stack, installation, notify) if image is None else image.image_id

    def _taken(self, installation: Installation, provenance: Mapping[str, Any], image: Image) -> Artifact:
        taken = {"image_id": image.image_id, "image_digests": list(image.digests), "image_bytes": image.size_bytes,
                 FROM_RECORD: True}  # fmt: skip
        return Artifact(installation, image.image_id, {**provenance, **taken})

    def _here(self, provenance: Mapping[str, Any]) -> Image | None:
        names = [provenance.get("image_id"), *(provenance.get("image_digests") or ())]
        return next((image for name in names if name and (image := self.engine.find_image(str(name)))), None)

    def _pulled(self, provenance: Mapping[str, Any], notify: Notify) -> Image | None:
        for reference in references(provenance):
            notify(f"pulling {reference}")
            try:
                return self.engine.pull(reference)
            except HostError as error:
                notify(str(error))
        return None


def references(provenance: Mapping[str, Any]) -> list[str]:
    """The recorded names by which an image can be pulled: repository@digest, where the name starts with a host.

    An image whose name has no host was never pushed. Docker would look for that name on Docker Hub, among images of
    other people.
    """
    digests = [str(name) for name in provenance.get("image_digests") or ()]
    return [name for name in digests if "@sha256:" in name and _has_host(name)]


def _has_host(reference: str) -> bool:
    first, slash, _ = reference.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)
