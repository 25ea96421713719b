"""Fetches an image by digest and checks that it is the one in the images lock. Builds nothing."""

from __future__ import annotations

from runner.engines.docker_sdk import Auth, Docker, Image, RegistryRefusalError
from runner.errors import DigestError
from runner.registry.image_lock import LockedImage
from runner.registry.transfer import OnLayer, RegistryClient, follow


def obtain(docker: Docker, locked: LockedImage, registry_client: RegistryClient, on_layer: OnLayer) -> Image:
    """The image on this engine, pulled if it is not there.

    Raises:
        RegistryError: the image cannot be pulled.
        DigestError: it is not the image that the images lock describes.
    """
    found = docker.find_image(locked.reference)
    if found is None:
        registry_client.notify(f"pulling {locked.reference}")
        pull(docker, locked, registry_client, on_layer)
        found = docker.find_image(locked.reference)
    if found is None:
        raise DigestError(
            f"{locked.reference} was pulled, but the engine does not know it by that digest: the registry sent another "
            "image. Do not use it. Push the images again and use the images lock that `push` writes."
        )
    require_locked(locked, found)
    return found


def pull(docker: Docker, locked: LockedImage, registry_client: RegistryClient, on_layer: OnLayer) -> None:
    """Fetch an image by its digest.

    Raises:
        RegistryError: the registry does not have the image, cannot be reached, or refuses the login.
        DigestError: what the registry sent does not have that digest.
    """

    def fetch(auth: Auth) -> None:
        messages = docker.pull_by_digest(str(locked.repository), locked.digest, auth)
        follow(f"Pulling {locked.reference}", messages, on_layer)

    try:
        registry_client.ask(fetch)
    except RegistryRefusalError as refusal:
        if "verification failed" in refusal.words.lower():  # the engine checks the digest of what it receives
            raise DigestError(
                f"{locked.reference}: the registry sent something else under that digest ({refusal.words}). Do not use "
                "that registry. Push the images to another one and use the images lock that `push` writes."
            ) from refusal
        raise registry_client.explained(refusal) from refusal


def require_locked(locked: LockedImage, image: Image) -> None:
    """Compare an image's id and labels with the images lock.

    An engine's id of an image is the digest of the image's configuration or, with containerd's image store, of its
    manifest. The images lock has both.

    Raises:
        DigestError: the id or a label differs; the message has both values.
    """
    if image.image_id not in (locked.image_id, locked.digest):
        raise DigestError(
            f"{locked.reference} is image {image.image_id}, and the images lock says {locked.image_id}. The lock was "
            "changed by hand or belongs to another push. Use the images lock that `push` wrote."
        )
    for name in sorted({*image.labels, *locked.labels}):
        if image.labels.get(name) != locked.labels.get(name):
            raise DigestError(
                f"{locked.reference} has the label {name}={image.labels.get(name)}, and the images lock says "
                f"{locked.labels.get(name)}. Use the images lock that `push` wrote."
            )
