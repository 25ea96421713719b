"""Builds an installation's image through the SDK: its context, its base, its provenance. Runs no launch."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner import disk
from runner.dockerfiles import render
from runner.engines.docker_sdk import Docker
from runner.engines.protocol import Artifact, Tell
from runner.errors import DiskError, HostError
from runner.network import PackageIndex
from runner.stacks import WORKLOAD, Installation, Stack
from runner.workload_files import workload_files, workload_sha256

REPOSITORY = "tensorflow-speedup-kit"
# Proxies are predefined build arguments: the engine keeps them out of an image's history.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class ImageBuilder:
    """Builds images on one engine from a chosen base and package index; the stack's own base where none is chosen."""

    engine: Docker
    index: PackageIndex
    base_image: str | None = None

    @staticmethod
    def tag(stack: str, installation: str) -> str:
        """The tag of an installation's newest image on this engine."""
        return f"{REPOSITORY}:{stack}-{installation}"

    def prepare(self, stack: Stack, installation: Installation, tell: Tell) -> Artifact:
        """Build an image, or find that the engine's cache has every step of it.

        Raises:
            HostError: no base, no disk, no network, or a step failed.
        """
        base = self.find_base(stack, tell)
        tag = self.tag(stack.name, installation.name)
        self._check_disk(stack, tag)
        tell(f"building the image {tag} from {self.base_image or stack.base_image}")
        arguments = {
            "BASE_IMAGE": self.base_image or stack.base_image,
            "LOCK_SHA256": installation.lock_sha256(),
            "WORKLOAD_SHA256": workload_sha256(),
            **{name: os.environ[name] for name in _PROXIES if os.environ.get(name)},
        }
        try:
            context = build_context(stack, installation, self.index)
            image_id = self.engine.build(
                context, "Dockerfile", tag, arguments, lambda line: _tell_milestone(line, tell)
            )
        except HostError as error:
            raise HostError(self.index.redact(str(error))) from error
        return Artifact(installation, image_id, self._provenance(stack, installation, image_id, base))

    def require_base(self, stack: Stack) -> None:
        """Check that the base image is on the engine or can be had, without fetching it.

        Raises:
            HostError: it cannot; the message names --base-image.
        """
        reference = self.base_image or stack.base_image
        if self.engine.find_image(reference) is None:
            try:
                self.engine.require_in_registry(reference)
            except HostError as error:
                raise HostError(f"{error}. {_other_base(stack)}") from error

    def find_base(self, stack: Stack, tell: Tell) -> Mapping[str, Any]:
        """The base image's attributes, pulled if the engine has it not.

        Raises:
            HostError: it is not here and cannot be pulled; the message names --base-image.
        """
        reference = self.base_image or stack.base_image
        found = self.engine.find_image(reference)
        if found is not None:
            return found
        tell(f"pulling the base image {reference}")
        try:
            return self.engine.pull(reference)
        except HostError as error:
            raise HostError(f"{error}. {_other_base(stack)}") from error

    def _check_disk(self, stack: Stack, tag: str) -> None:
        root = Path(self.engine.info().get("DockerRootDir") or "/var/lib/docker")
        if self.engine.find_image(tag) is not None or not root.exists():
            return  # most of it is there already, or the engine's disk is not ours to see
        try:
            disk.check({root: stack.image_bytes})
        except DiskError as error:
            raise DiskError(
                f"{error} This is the Docker engine's own folder; `docker system prune` frees room."
            ) from error

    def _provenance(
        self, stack: Stack, installation: Installation, image_id: str, base: Mapping[str, Any]
    ) -> dict[str, Any]:
        image = self.engine.find_image(image_id) or {}
        return {
            "wheel": installation.wheel,
            "lock_sha256": installation.lock_sha256(),
            "installer": stack.installer.requirement,
            "image_id": image_id,
            "image_digests": sorted(image.get("RepoDigests") or []),
            "image_bytes": image.get("Size"),
            "base_image": self.base_image or stack.base_image,
            "base_image_id": base.get("Id"),
            "package_index": self.index.redacted_url(),
            "ca_bundle": self.index.ca_bundle_sha256(),
        }


def build_context(stack: Stack, installation: Installation, index: PackageIndex) -> io.BytesIO:
    """The tar that an engine builds from: Dockerfile, lock, workload, and the index's settings if there are any.

    Times and owners are fixed, so that the same files make the same tar.
    """
    files = {
        "Dockerfile": render(stack, installation).encode(),
        f"locks/{stack.name}/{installation.name}.txt": installation.lock.read_bytes(),
        **{f"workload/{name}": path.read_bytes() for name, path in workload_files(WORKLOAD).items()},
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


def _tell_milestone(line: str, tell: Tell) -> None:
    """Pass on the lines that show a build's progress: its steps and its large downloads."""
    if line.startswith(("Step ", "Successfully built", "Installing collected packages")):
        tell(f"  {line[:110]}")
    elif line.startswith("Downloading ") and " MB)" in line:
        tell(f"  {line}")


def _other_base(stack: Stack) -> str:
    return (
        f"On a host without access to that registry, load a base image with Python {stack.python} on Debian by other "
        "means and name it with --base-image."
    )
