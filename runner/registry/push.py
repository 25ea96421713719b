"""Sends an image under a tag that never changes, and checks what the registry then has. Knows no stack."""

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
    """One image of this engine and where it goes."""

    image_id: str
    repository: Repository
    tag: str

    @property
    def target(self) -> str:
        """The reference that it is pushed as."""
        return self.repository.tagged(self.tag)


def push(docker: Docker, wanted: Push, registry_client: RegistryClient, on_layer: OnLayer) -> str:
    """Send an image unless the registry has it; return the digest of its manifest, as the registry reports it.

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
    """What the registry has under the tag; None for nothing."""
    try:
        return registry_client.ask(lambda auth: docker.registry_digest(wanted.target, auth))
    except RegistryRefusalError as refusal:
        kind = kind_of(refusal)
        # Docker Hub calls a repository that does not exist yet "denied"; a push makes it, or is told why not.
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
        if kind_of(refusal) == "immutable":  # somebody else was faster
            raise _another(docker, wanted, remote_digest(docker, wanted, registry_client) or "an image") from refusal
        raise
    reported = remote_digest(docker, wanted, registry_client)
    if reported is None or reported != sent:
        raise DigestError(
            f"{wanted.target} was sent as {sent}, and the registry reports {reported or 'nothing'} under that tag: "
            "somebody else pushes there, or the registry changes images. Nothing was written to the images lock."
        )
    return reported


def _require_same(docker: Docker, wanted: Push, present: str, registry_client: RegistryClient) -> None:
    """Check that what the registry has is this very image.

    Raises:
        DigestError: it is another one; the message has both digests.
    """
    if present == wanted.image_id or present in known_digests(docker, wanted):
        return
    if not _is_this_image(docker, wanted, present, registry_client):
        raise _another(docker, wanted, present)


def known_digests(docker: Docker, wanted: Push) -> list[str]:
    """The manifests' digests under which this engine has pushed or pulled the image, in this repository."""
    image = docker.find_image(wanted.image_id)
    named = (each.partition("@") for each in (() if image is None else image.digests))
    return sorted(digest for name, _, digest in named if name == str(wanted.repository))


def _is_this_image(docker: Docker, wanted: Push, digest: str, registry_client: RegistryClient) -> bool:
    """Ask the engine to pull the registry's image, and stop it at the first layer that it would have to fetch.

    An engine reads manifest and configuration first and needs nothing more for an image that it has, which costs two
    small requests. That is the only way to learn whose manifest it is: an engine knows a manifest's digest only
    after a push or a pull.
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
    """Pull an image of which the engine has every layer; false, and nothing fetched, if it has not."""
    with closing(docker.pull_by_digest(str(repository), digest, auth)) as messages:
        try:
            follow(f"Asking the registry for {repository.at(digest)}", messages, _stop_at_a_missing_layer)
        except _MissingLayerError:
            return False
    return True


class _MissingLayerError(Exception):
    """The registry's image has a layer that this engine has not."""


def _stop_at_a_missing_layer(layer: Layer) -> None:
    if layer.state.startswith(("Pulling fs layer", "Downloading", "Waiting")):
        raise _MissingLayerError


def _another(docker: Docker, wanted: Push, present: str) -> DigestError:
    known = known_digests(docker, wanted)
    ours = known[0] if known else f"{wanted.image_id} (its image id: it has no manifest's digest before it is pushed)"
    return DigestError(
        f"{wanted.target} is taken: the registry has {present}, and this engine's image is {ours}. A tag of the kit "
        "never changes: it carries the hash of what the image is made from, and somebody has pushed another build of "
        "the same. Take those images (pull and compare with the images lock of that push), or push to another "
        "repository."
    )
