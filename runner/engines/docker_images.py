"""Builds an installation's image: the build context, the base image and the provenance. Runs no launch."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from runner.catalogue.stacks import IMAGES, WORKLOAD, Installation, Stack
from runner.catalogue.workload_files import workload_files, workload_sha256
from runner.engines.debian_package import libraries_of, libraries_provenance
from runner.engines.docker_sdk import Docker, Image, digest_for
from runner.engines.dockerfile import render
from runner.engines.environments import default_cache
from runner.engines.protocol import Artifact, Notify
from runner.errors import HostError
from runner.support.network import PackageIndex, redact
from runner.support.revision import read_git, revision

REPOSITORY = "tensorflow-speedup-kit"
# Proxies are predefined build arguments: the engine keeps them out of an image's history.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class ImageSource(Protocol):
    """Where the docker engine gets its images: it builds them (`ImageBuilder`) or pulls them by digest."""

    def require(self, stack: Stack) -> None:
        """Check, without fetching anything, that a stack's images can be had.

        Raises:
            KitError: an image cannot be had.
        """

    def at_hand(self, stack: Stack) -> str | None:
        """An image that the engine has already and that a run of the stack needs anyway; None if there is none."""

    def fetch_first(self, stack: Stack, installation: Installation, notify: Notify) -> str:
        """Before anything is built, fetch an image from which a container can be made, and return its reference.

        Raises:
            KitError: the image cannot be had.
        """

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Make an image ready. The artifact's location is the image's id.

        Raises:
            KitError: the image cannot be made ready.
        """

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The image, if the engine has it already; None if it would have to be built or pulled."""

    def reference(self, stack: str, installation: str) -> str:
        """The image's name in a printed command."""


@dataclass(frozen=True)
class ImageBuilder:
    """Builds images on one engine from a package index and chosen bases.

    `base_images` maps a stack's name to its base image; the empty name stands for all other stacks. A stack that is not
    in it has the base image of stacks.toml.
    """

    engine: Docker
    index: PackageIndex
    base_images: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def tag(stack: str, installation: str) -> str:
        """The tag of an installation's newest image on this engine."""
        return f"{REPOSITORY}:{stack}-{installation}"

    def base_of(self, stack: Stack) -> str:
        """The reference of the base image that a stack's images are built on."""
        return self.base_images.get(stack.name) or self.base_images.get("") or stack.base_image

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Build an image. Steps that the engine has in its build cache are not run again.

        Raises:
            HostError: there is no base image, no network or no room on the disk, or a step failed.
        """
        base = self.find_base(stack, notify)
        tag = self.tag(stack.name, installation.name)
        notify(f"building the image {tag} from {self.base_of(stack)}")
        arguments = {
            **build_arguments(installation, self.base_of(stack)),
            "BASE_DIGEST": digest_for(base, self.base_of(stack)) or base.image_id,
            **revision_labels(),
            **{name: os.environ[name] for name in _PROXIES if os.environ.get(name)},
        }
        try:
            libraries = libraries_of(installation, self.index, default_cache(), notify)
            context = build_context(stack, installation, self.index, libraries)
            image_id = self.engine.build(
                context, "Dockerfile", tag, arguments, lambda line: _notify_milestone(line, notify)
            )
        except HostError as error:
            raise HostError(self.index.redact(str(error))) from error
        return Artifact(installation, image_id, self._provenance(stack, installation, image_id, base))

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The installation's image, if the engine has it with this lock, workload and base. Nothing is built."""
        image = self.engine.find_image(self.tag(stack.name, installation.name))
        wanted = {
            "lock-sha256": installation.lock_sha256(),
            "workload-sha256": workload_sha256(),
            "base-image": self.base_of(stack),
        }
        if image is None or any(image.labels.get(f"{REPOSITORY}.{key}") != value for key, value in wanted.items()):
            return None
        base = self.engine.find_image(wanted["base-image"])
        return Artifact(installation, image.image_id, self._provenance(stack, installation, image.image_id, base))

    def reference(self, stack: str, installation: str) -> str:
        """The tag that each build gives to the image it makes."""
        return self.tag(stack, installation)

    def require(self, stack: Stack) -> None:
        """Check, without fetching it, that the base image is on the engine or in its registry.

        Raises:
            HostError: it is in neither; the message names --base-image.
        """
        reference = self.base_of(stack)
        if self.engine.find_image(reference) is None:
            try:
                self.engine.require_in_registry(reference)
            except HostError as error:
                raise HostError(f"{error}. {_other_base(stack)}") from error

    def at_hand(self, stack: Stack) -> str | None:
        """The reference of the base image, if the engine has it; else None."""
        reference = self.base_of(stack)
        return None if self.engine.find_image(reference) is None else reference

    def fetch_first(self, stack: Stack, installation: Installation, notify: Notify) -> str:
        """The reference of the base image, which is pulled if the engine does not have it."""
        self.find_base(stack, notify)
        return self.base_of(stack)

    def find_base(self, stack: Stack, notify: Notify) -> Image:
        """The base image, which is pulled if the engine does not have it.

        Raises:
            HostError: the engine does not have it and cannot pull it; the message names --base-image.
        """
        reference = self.base_of(stack)
        found = self.engine.find_image(reference)
        if found is not None:
            return found
        notify(f"pulling the base image {reference}")
        try:
            return self.engine.pull(reference)
        except HostError as error:
            raise HostError(f"{error}. {_other_base(stack)}") from error

    def _provenance(
        self, stack: Stack, installation: Installation, image_id: str, base: Image | None
    ) -> dict[str, Any]:
        image = self.engine.find_image(image_id)
        return {
            "wheel": installation.wheel,
            "lock_sha256": installation.lock_sha256(),
            "installer": stack.installer.requirement,
            "image_id": image_id,
            "image_digests": [] if image is None else list(image.digests),
            "image_bytes": None if image is None else image.size_bytes,
            "base_image": self.base_of(stack),
            "base_image_id": None if base is None else base.image_id,
            "base_image_digest": None if base is None else digest_for(base, self.base_of(stack)),
            **libraries_provenance(installation),
            "package_index": self.index.redacted_url(),
            "ca_bundle": self.index.ca_bundle_sha256(),
        }


def revision_labels() -> dict[str, str]:
    """Build arguments that say where the sources come from: repository, commit and the time of the commit."""
    found = revision(IMAGES.parent)
    if found is None:
        return {}
    remote = read_git(IMAGES.parent, "config", "--get", "remote.origin.url") or ""
    source = {"SOURCE": redact(remote)} if "://" in remote or "@" in remote else {}
    return {**source, "REVISION": found, "CREATED": read_git(IMAGES.parent, "log", "-1", "--format=%cI") or "unknown"}


def build_arguments(installation: Installation, base_image: str) -> dict[str, str]:
    """The Dockerfile's arguments: the base image, and for the labels the hashes of the lock and the workload."""
    return {
        "BASE_IMAGE": base_image,
        "LOCK_SHA256": installation.lock_sha256(),
        "WORKLOAD_SHA256": workload_sha256(),
    }


def build_context(
    stack: Stack, installation: Installation, index: PackageIndex, libraries: Mapping[str, bytes] | None = None
) -> io.BytesIO:
    """The tar that an engine builds from: Dockerfile, lock, workload, and the index's settings if there are any.

    `libraries` are those of the installation, by their place in site-packages.

    Times and owners in it are fixed, so that the same files give the same bytes.
    """
    files = {
        "Dockerfile": render(stack, installation).encode(),
        f"locks/{stack.name}/{installation.name}.txt": installation.lock.read_bytes(),
        **{f"workload/{name}": path.read_bytes() for name, path in workload_files(WORKLOAD).items()},
        **{f"libraries/{place}": content for place, content in (libraries or {}).items()},
    }
    if index.url:
        files["pip.conf"] = f"[global]\nindex-url = {index.url}\n".encode()
    bundle = index.bundle()
    if bundle is not None:
        files["ca-bundle.pem"] = bundle.read_bytes()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def _notify_milestone(line: str, notify: Notify) -> None:
    """Call `notify` with a line of a build if the line shows progress: a step or a large download."""
    if line.startswith(("Step ", "Successfully built", "Installing collected packages")):
        notify(f"  {line[:110]}")
    elif line.startswith("Downloading ") and " MB)" in line:
        notify(f"  {line}")


def _other_base(stack: Stack) -> str:
    return (
        f"On a host without access to that registry, load a base image with Python {stack.python} on Debian in another "
        "way (docker load) and name it with --base-image."
    )
