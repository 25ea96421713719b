"""Compares an image's labels with this clone's files. Knows no registry."""

from __future__ import annotations

from collections.abc import Mapping

from runner.catalogue.stacks import Installation
from runner.catalogue.workload_files import workload_sha256
from runner.errors import UsageError

PREFIX = "tensorflow-speedup-kit."
STACK, INSTALLATION = f"{PREFIX}stack", f"{PREFIX}installation"
BASE_IMAGE = f"{PREFIX}base-image"
LOCK_SHA256, WORKLOAD_SHA256 = f"{PREFIX}lock-sha256", f"{PREFIX}workload-sha256"
REVISION = "org.opencontainers.image.revision"


def differences_from_clone(labels: Mapping[str, str], installation: Installation) -> list[str]:
    """A sentence for each label that shows an image to be built from other files than this clone's."""
    expected = {
        STACK: installation.stack,
        INSTALLATION: installation.name,
        LOCK_SHA256: installation.lock_sha256(),
        WORKLOAD_SHA256: workload_sha256(),
    }
    return [
        f"{name} is {labels.get(name)} in the image and {value} here"
        for name, value in expected.items()
        if labels.get(name) != value
    ]


def require_of_this_clone(reference: str, labels: Mapping[str, str], installation: Installation) -> None:
    """Refuse an image that was built from other files than those of this clone.

    Raises:
        UsageError: the image was built from other files; the message names each label that differs.
    """
    differences = differences_from_clone(labels, installation)
    if not differences:
        return
    revision = labels.get(REVISION)
    where = f"git revision {revision}" if revision else "the revision that the images lock states"
    raise UsageError(
        f"{reference} cannot be measured from this clone: {'; '.join(differences)}. Records of this image could not be "
        f"compared with records of this clone. Check out {where} of the kit, or build and push images from this clone."
    )
