"""Images of an earlier run, by id or by digest; what cannot be had so is built from its lock, and that is said."""

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
    """Takes images as a run recorded them. `recorded` is the provenance of each, by stack and installation."""

    recorded: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """The very image where the engine has it, the same one by digest where a registry has it, else a new build.

        Raises:
            HostError: it had to be built, and that failed.
        """
        provenance = self.recorded.get((stack.name, installation.name), {})
        image = self._here(provenance) or self._pulled(provenance, notify)
        if image is None:
            notify(f"no image of {stack.name}/{installation.name} is to be had by digest: building it from its lock")
            return super().prepare(stack, installation, notify)
        taken = self._taken(installation, provenance, image)
        names = ", ".join(taken.provenance["image_digests"]) or taken.location
        notify(f"the run's own image of {stack.name}/{installation.name}: {names}")
        return taken

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The run's own image, if the engine has it; else what a build would find."""
        provenance = self.recorded.get((stack.name, installation.name), {})
        image = self._here(provenance)
        return super().find(stack, installation) if image is None else self._taken(installation, provenance, image)

    def require(self, stack: Stack) -> None:
        """No base is needed where every image of the stack is here already.

        Raises:
            HostError: one may have to be built, and its base is not to be had.
        """
        known = [provenance for (name, _), provenance in self.recorded.items() if name == stack.name]
        if not known or not all(self._here(provenance) or references(provenance) for provenance in known):
            super().require(stack)

    def at_hand(self, stack: Stack) -> str | None:
        """An image of the run that is here, else the base."""
        known = [provenance for (name, _), provenance in self.recorded.items() if name == stack.name]
        here = next((image.image_id for each in known if (image := self._here(each))), None)
        return super().at_hand(stack) if here is None else here

    def fetch_first(self, stack: Stack, installation: Installation, notify: Notify) -> str:
        """The run's own image, pulled where a registry has it; else the base of a new build."""
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
    """The recorded names by which a registry may have the image: repository@digest, with a registry's host in it.

    A name without one was never pushed anywhere; Docker would look for it among strangers' images.
    """
    digests = [str(name) for name in provenance.get("image_digests") or ()]
    return [name for name in digests if "@sha256:" in name and _has_host(name)]


def _has_host(reference: str) -> bool:
    first, slash, _ = reference.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)
