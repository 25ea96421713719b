"""Sends an image under a tag that never changes, then checks which image the registry has there. Knows no stack."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from runner.engines.docker_sdk import Auth, Docker, RegistryRefusalError
from runner.errors import DigestError
from runner.registry.reference import DOCKER_HUB, Repository
from runner.registry.refusals import kind_of
from runner.registry.transfer import Layer, OnLayer, RegistryClient, follow


@dataclass(frozen=True)
class Push:
    """One image of this engine, and the repository and tag to push it to."""

    image_id: str
    repository: Repository
    tag: str

    @property
    def target(self) -> str:
        """The reference under which the image is pushed."""
        return self.repository.tagged(self.tag)


def push(docker: Docker, wanted: Push, registry_client: RegistryClient, on_layer: OnLayer) -> str:
    """Send an image unless the registry has it. Return the digest of its manifest, as the registry reports it.

    Raises:
        RegistryError: the registry cannot be reached or refuses.
        DigestError: the registry has another image under that tag, or reports another digest than was sent.
    """
    try:
        present = remote_digest(docker, wanted, registry_client)
        if present is not None:
            _require_same(docker, wanted, present, registry_client)
            registry_client.notify(f"{wanted.target} is there already, as {present}: nothing is sent")
            return present
        registry_client.notify(f"pushing {wanted.target}")
        return _send(docker, wanted, registry_client, on_layer)
    except RegistryRefusalError as refusal:
        raise registry_client.explained(refusal) from refusal


def remote_digest(docker: Docker, wanted: Push, registry_client: RegistryClient) -> str | None:
    """The digest that the registry has under the tag; None if it has nothing there."""
    try:
        return registry_client.ask(lambda auth: docker.registry_digest(wanted.target, auth))
    except RegistryRefusalError as refusal:
        kind = kind_of(refusal)
        # Docker Hub answers "denied" for a repository that does not exist yet. A push makes it or fails.
        if kind == "missing" or (wanted.repository.host == DOCKER_HUB and kind in ("denied", "unauthorized")):
            return None
        raise


def _send(docker: Docker, wanted: Push, registry_client: RegistryClient, on_layer: OnLayer) -> str:
    docker.tag(wanted.image_id, str(wanted.repository), wanted.tag)

    def send(auth: Auth) -> str | None:
        messages = docker.push(str(wanted.repository), wanted.tag, auth)
        return follow(f"Pushing {wanted.target}", messages, on_layer)

    try:
        sent = registry_client.ask(send)
    except RegistryRefusalError as refusal:
        docker.untag(wanted.target)
        if kind_of(refusal) == "immutable":  # somebody else has just pushed this tag
            raise _another(docker, wanted, remote_digest(docker, wanted, registry_client) or "an image") from refusal
        raise
    reported = remote_digest(docker, wanted, registry_client)
    if reported is None or reported != sent:
        raise DigestError(
            f"{wanted.target} was sent as {sent}, and the registry reports {reported or 'nothing'} under that tag. "
            "Somebody else pushes there, or the registry changes images. Nothing was written to the images lock."
        )
    return reported


def _require_same(docker: Docker, wanted: Push, present: str, registry_client: RegistryClient) -> None:
    """Check that the registry's image is the one to be pushed.

    Raises:
        DigestError: it is another image; the message has both digests.
    """
    if present == wanted.image_id or present in known_digests(docker, wanted):
        return
    if not _is_this_image(docker, wanted, present, registry_client):
        raise _another(docker, wanted, present)


def known_digests(docker: Docker, wanted: Push) -> list[str]:
    """The digests of the manifests under which this engine has pushed or pulled the image in this repository."""
    image = docker.find_image(wanted.image_id)
    named = (each.partition("@") for each in (() if image is None else image.digests))
    return sorted(digest for name, _, digest in named if name == str(wanted.repository))


def _is_this_image(docker: Docker, wanted: Push, digest: str, registry_client: RegistryClient) -> bool:
    """Whether the registry's image under `digest` is the one to be pushed.

    The engine is asked to pull it, and stopped at the first layer that it would have to fetch. It reads the manifest
    and the configuration first. For an image that it has, it needs nothing more, and the pull costs two small requests.
    There is no other way: an engine knows the digest of an image's manifest only after a push or a pull.
    """
    reference = wanted.repository.at(digest)
    here = docker.find_image(reference)
    if here is None:
        if not registry_client.ask(lambda auth: _pull_what_needs_no_layer(docker, wanted.repository, digest, auth)):
            return False
        here = docker.find_image(reference)
        if here is None or here.image_id != wanted.image_id:
            docker.untag(reference)
    return here is not None and here.image_id == wanted.image_id


def _pull_what_needs_no_layer(docker: Docker, repository: Repository, digest: str, auth: Auth) -> bool:
    """Pull an image if the engine has all of its layers. False if it lacks one; then nothing is fetched."""
    with closing(docker.pull_by_digest(str(repository), digest, auth)) as messages:
        try:
            follow(f"Asking the registry for {repository.at(digest)}", messages, _stop_at_a_missing_layer)
        except _MissingLayerError:
            return False
    return True


class _MissingLayerError(Exception):
    """The registry's image has a layer that this engine does not have."""


def _stop_at_a_missing_layer(layer: Layer) -> None:
    if layer.state.startswith(("Pulling fs layer", "Downloading", "Waiting")):
        raise _MissingLayerError


def _another(docker: Docker, wanted: Push, present: str) -> DigestError:
    known = known_digests(docker, wanted)
    ours = known[0] if known else f"{wanted.image_id} (its id; it has a manifest's digest only after a push)"
    return DigestError(
        f"{wanted.target} is taken: the registry has {present}, and this engine's image is {ours}. A tag of the kit "
        "never changes: it carries the hash of what the image is made from, and somebody has pushed another build of "
        "the same. Take those images (pull and compare with the images lock of that push), or push to another "
        "repository."
    )
