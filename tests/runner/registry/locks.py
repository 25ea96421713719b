"""Images locks of this clone's own files, made by hand."""

from __future__ import annotations

from runner.catalogue.stacks import Installation, find_stack
from runner.catalogue.workload_files import workload_sha256
from runner.registry.image_lock import ImageLock, LockedImage
from runner.registry.labels import BASE_IMAGE, INSTALLATION, LOCK_SHA256, STACK, WORKLOAD_SHA256
from runner.registry.reference import parse_repository

TF = find_stack("tf-2.14")


def labels(installation: Installation, **changes: str) -> dict[str, str]:
    """What `build` would write into an image of this clone."""
    own = {
        STACK: installation.stack,
        INSTALLATION: installation.name,
        BASE_IMAGE: TF.base_image,
        LOCK_SHA256: installation.lock_sha256(),
        WORKLOAD_SHA256: workload_sha256(),
    }
    return {**own, **changes}


def lock(repository: str = "127.0.0.1:9/tf-kit") -> ImageLock:
    """All variants of tf-2.14, with digests that no image has."""
    digests = {name: "sha256:" + f"{number}" * 64 for number, name in enumerate(TF.installations)}
    images = {
        f"{TF.name}/{variant.name}": LockedImage(
            TF.name,
            variant.installation,
            parse_repository(repository),
            digests[variant.installation],
            f"{TF.name}-{variant.installation}-0.1.0-0123456789ab",
            digests[variant.installation],
            labels(TF.installations[variant.installation]),
        )
        for variant in TF.variants.values()
    }
    return ImageLock({"version": "0.1.0", "revision": None}, images)
