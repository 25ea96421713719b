"""Pushes and pulls against a real registry: digests, refusals, expired tokens, forged images."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from runner.engines.docker_sdk import Docker
from runner.errors import DigestError, RegistryError
from runner.registry.credentials import Login
from runner.registry.image_lock import LockedImage
from runner.registry.pull import obtain
from runner.registry.push import Push, push
from runner.registry.reference import Repository
from runner.registry.transfer import Layer
from tests.runner.registry.conftest import MakeImage, forget, given, registry_client
from tests.runner.registry.servers import Front, free_port

pytestmark = [pytest.mark.registry, pytest.mark.docker]

LABELS = {"tensorflow-speedup-kit.stack": "tf-2.14"}


def nobody(_layer: Layer) -> None:
    """Ignore the layer."""


def a_push(host: str, image: str) -> Push:
    """To a repository of its own."""
    return Push(image, Repository(host, f"kit-{uuid4().hex[:8]}/images"), "tf-2.14-stock-0.1.0-0123456789ab")


def locked(wanted: Push, digest: str, **changes: Any) -> LockedImage:
    """What the lock would say of it."""
    image = LockedImage("tf-2.14", "stock", wanted.repository, digest, wanted.tag, wanted.image_id, LABELS)
    return replace(image, **changes)


def test_an_image_goes_there_and_comes_back_as_itself(docker: Docker, registry: str, make_image: MakeImage) -> None:
    """Pushed, removed, pulled by digest: the same id and labels, and every layer was heard of."""
    wanted = a_push(registry, make_image("kit-test:1", LABELS))
    heard: list[Layer] = []
    digest = push(docker, wanted, registry_client(registry), heard.append)
    assert [layer.state for layer in heard if layer.has_ended] == ["Pushed"]
    forget(wanted.image_id)
    assert docker.find_image(wanted.image_id) is None
    image = obtain(docker, locked(wanted, digest), registry_client(registry), heard.append)
    assert image.image_id == wanted.image_id
    assert heard[-1].state == "Pull complete"


def test_the_same_image_is_not_sent_again(docker: Docker, registry: str, make_image: MakeImage) -> None:
    wanted = a_push(registry, make_image("kit-test:1"))
    digest = push(docker, wanted, registry_client(registry), nobody)
    heard: list[Layer] = []
    said: list[str] = []
    assert push(docker, wanted, registry_client(registry, said=said), heard.append) == digest
    assert heard == []
    assert "nothing is sent" in said[0]


def test_the_same_image_is_known_where_the_engine_has_forgotten_the_push(
    docker: Docker, registry: str, make_image: MakeImage
) -> None:
    """Without its tag an engine knows no digest; the registry's manifest is asked for, and no layer is fetched."""
    wanted = a_push(registry, make_image("kit-test:1"))
    digest = push(docker, wanted, registry_client(registry), nobody)
    docker.untag(wanted.target)
    found = docker.find_image(wanted.image_id)
    assert found is not None
    assert found.digests == ()
    assert push(docker, wanted, registry_client(registry), nobody) == digest


def test_another_image_under_the_same_tag_is_refused_with_both_digests(
    docker: Docker, registry: str, make_image: MakeImage
) -> None:
    """What the registry has stays, and nothing of it is left on this engine."""
    first = a_push(registry, make_image("kit-test:1"))
    digest = push(docker, first, registry_client(registry), nobody)
    forget(first.image_id)
    other = replace(first, image_id=make_image("kit-test:2"))
    with pytest.raises(DigestError) as error:
        push(docker, other, registry_client(registry), nobody)
    assert digest in str(error.value)
    assert other.image_id in str(error.value)
    assert docker.registry_digest(first.target, None) == digest
    assert docker.find_image(first.repository.at(digest)) is None


def test_an_image_of_the_same_layers_is_another_image(docker: Docker, registry: str, make_image: MakeImage) -> None:
    """Two images that differ in a label only have all layers in common, and are told apart."""
    first = a_push(registry, make_image("kit-test:1", {"a": "1"}, b"same"))
    digest = push(docker, first, registry_client(registry), nobody)
    other = replace(first, image_id=make_image("kit-test:2", {"a": "2"}, b"same"))
    forget(first.image_id)
    with pytest.raises(DigestError, match=digest):
        push(docker, other, registry_client(registry), nobody)
    assert docker.find_image(first.image_id) is None


def test_a_digest_that_was_pushed_elsewhere_is_in_the_refusal(
    docker: Docker, registry: str, make_image: MakeImage
) -> None:
    """Where this engine knows its own image by a manifest's digest, that is the one which is shown."""
    first = a_push(registry, make_image("kit-test:1"))
    push(docker, first, registry_client(registry), nobody)
    other = replace(first, image_id=make_image("kit-test:2"), tag="another-tag")
    known = push(docker, other, registry_client(registry), nobody)
    with pytest.raises(DigestError, match=known):
        push(docker, replace(other, tag=first.tag), registry_client(registry), nobody)


def test_a_name_and_a_password_let_in(docker: Docker, closed_registry: str, make_image: MakeImage) -> None:
    wanted = a_push(closed_registry, make_image("kit-test:1", LABELS))
    digest = push(docker, wanted, registry_client(closed_registry, given()), nobody)
    forget(wanted.image_id)
    assert obtain(docker, locked(wanted, digest), registry_client(closed_registry, given()), nobody)


def test_nobody_logged_in_is_told_with_the_command(docker: Docker, closed_registry: str, make_image: MakeImage) -> None:
    wanted = a_push(closed_registry, make_image("kit-test:1"))
    with pytest.raises(RegistryError, match=f"docker login {closed_registry}") as error:
        push(docker, wanted, registry_client(closed_registry), nobody)
    assert "--username" in str(error.value)
    assert docker.find_image(wanted.target) is None


def test_a_wrong_password_is_told_and_not_shown(docker: Docker, closed_registry: str, make_image: MakeImage) -> None:
    wanted = a_push(closed_registry, make_image("kit-test:1"))
    with pytest.raises(RegistryError, match="does not accept this password for tester") as error:
        push(docker, wanted, registry_client(closed_registry, given("hunter2")), nobody)
    assert "hunter2" not in str(error.value)


def test_a_registry_that_does_not_answer_is_tried_again_and_told(docker: Docker, make_image: MakeImage) -> None:
    """Each failed attempt is a line; the end is a paragraph that names the host."""
    host = f"127.0.0.1:{free_port()}"
    said: list[str] = []
    with pytest.raises(RegistryError, match=f"{host} does not answer"):
        push(docker, a_push(host, make_image("kit-test:1")), registry_client(host, said=said), nobody)
    assert [line.partition("; ")[2] for line in said] == [
        "trying again (attempt 1 of 3 failed)",
        "trying again (attempt 2 of 3 failed)",
    ]


class Tokens:
    """Credentials that begin with a token and get another when it has expired."""

    def __init__(self) -> None:
        self.number = 1

    def login(self) -> Login:
        """The token of now."""
        return Login("AWS", f"token-{self.number}")

    def renew(self) -> bool:
        """The next one."""
        self.number += 1
        return True

    def advice(self) -> str:
        """None."""
        return "None."


Expires = Callable[[str, str], bool]


@pytest.mark.parametrize(
    "expires_before",
    [
        lambda method, path: method == "PATCH",
        lambda method, path: method == "PUT" and "/manifests/" in path,
        lambda method, path: method == "PUT" and "/uploads/" in path,
    ],
    ids=["in a layer", "before the manifest", "at a layer's end"],
)
def test_a_token_that_expires_in_mid_push_is_renewed(
    docker: Docker, front: tuple[str, Front], make_image: MakeImage, expires_before: Expires
) -> None:
    """The push goes on with a new token, and the registry has the image in the end."""
    host, state = front
    state.expires_before = expires_before
    tokens, said = Tokens(), list[str]()
    wanted = a_push(host, make_image("kit-test:1"))
    digest = push(docker, wanted, registry_client(host, tokens, said), nobody)
    assert tokens.number == 2
    assert any("again with a new login" in line for line in said)
    assert docker.registry_digest(wanted.target, tokens.login().auth()) == digest
    assert not any("token-" in line for line in said)


def test_a_network_that_fails_for_a_moment_is_tried_again(
    docker: Docker, front: tuple[str, Front], make_image: MakeImage
) -> None:
    """A registry that comes back finds the push going on."""
    host, state = front
    behind, state.behind = state.behind, f"127.0.0.1:{free_port()}"
    said: list[str] = []

    def notify(line: str) -> None:
        said.append(line)
        state.behind = behind

    wanted = a_push(host, make_image("kit-test:1"))
    assert push(docker, wanted, replace(registry_client(host, Tokens()), notify=notify), nobody)
    assert any("trying again" in line for line in said)


def test_a_digest_that_the_registry_has_not_is_told(docker: Docker, registry: str, make_image: MakeImage) -> None:
    wanted = a_push(registry, make_image("kit-test:1"))
    absent = "sha256:" + "0" * 64
    with pytest.raises(RegistryError, match="does not have it") as error:
        obtain(docker, locked(wanted, absent), registry_client(registry), nobody)
    assert absent in str(error.value)


def test_an_image_that_is_not_what_the_lock_says_is_refused(
    docker: Docker, registry: str, make_image: MakeImage
) -> None:
    wanted = a_push(registry, make_image("kit-test:1", LABELS))
    digest = push(docker, wanted, registry_client(registry), nobody)
    other = "sha256:" + "1" * 64
    with pytest.raises(DigestError, match=other) as error:
        obtain(docker, locked(wanted, digest, image_id=other), registry_client(registry), nobody)
    assert wanted.image_id in str(error.value)
    labels = {"tensorflow-speedup-kit.stack": "tf-1.12"}
    with pytest.raises(DigestError, match=r"tf-1\.12"):
        obtain(docker, locked(wanted, digest, labels=labels), registry_client(registry), nobody)


def test_a_registry_that_sends_something_else_under_a_digest_is_caught(
    docker: Docker, front: tuple[str, Front], make_image: MakeImage
) -> None:
    """The engine hashes the manifest that it was sent; the image is not taken."""
    host, state = front
    wanted = a_push(host, make_image("kit-test:1", LABELS))
    digest = push(docker, wanted, registry_client(host, Tokens()), nobody)
    forget(wanted.image_id)
    path = f"/v2/{wanted.repository.path}/manifests/{digest}"
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2,
                           "digest": "sha256:" + "2" * 64}, "layers": []}  # fmt: skip
    state.forged[path] = json.dumps(manifest).encode()
    with pytest.raises(DigestError, match="something else under that digest"):
        obtain(docker, locked(wanted, digest), registry_client(host, Tokens()), nobody)
    assert docker.find_image(wanted.repository.at(digest)) is None
