"""Registries' words: which case each is, and what the user is told to do. The words are those that were seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from runner.engines.docker_sdk import RegistryRefusalError
from runner.errors import EXIT_HOST
from runner.registry.refusals import Kind, explain, kind_of
from runner.registry.transfer import Layer, follow

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("words", "status", "kind"),
    [
        ("manifest unknown: manifest unknown", 404, "missing"),
        ("name unknown: The repository with name 'a' does not exist in the registry with id '1'", None, "missing"),
        ("no basic auth credentials", None, "unauthorized"),
        ('Head "http://h/v2/a/manifests/x": no basic auth credentials', 500, "unauthorized"),
        ("unauthorized: authentication required", 401, "unauthorized"),
        ("denied: Your authorization token has expired. Reauthenticate and try again.", None, "expired"),
        ("denied: requested access to the resource is denied", None, "denied"),
        ("denied: User: arn:aws:iam::1:user/a is not authorized to perform: ecr:InitiateLayerUpload", None, "denied"),
        ("tag invalid: The image tag 'x' already exists in the 'a' repository and cannot be overwritten because the "
         "repository is immutable.", None, "immutable"),
        ('Get "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused', 500, "unreachable"),
        ('Get "https://a.invalid/v2/": dial tcp: lookup a.invalid on 10.0.0.2:53: no such host', 500, "unreachable"),
        ('Get "https://h/v2/": net/http: TLS handshake timeout', 500, "unreachable"),
        ('Get "https://h/v2/": x509: certificate signed by unknown authority', 500, "certificate"),
        ("http: server gave HTTP response to HTTPS client", 500, "certificate"),
        ("unexpected EOF", None, "temporary"),
        ("received unexpected HTTP status: 503 Service Unavailable", None, "temporary"),
        ("toomanyrequests: Rate exceeded", None, "temporary"),
        ("something new", 429, "temporary"),
        ("something new", 500, "other"),
    ],
)  # fmt: skip
def test_a_refusal_is_known_by_its_words(words: str, status: int | None, kind: Kind) -> None:
    """The error is one paragraph that keeps these words, with exit code 3."""
    refusal = RegistryRefusalError("Pushing h/a:x", words, status)
    assert kind_of(refusal) == kind
    error = explain(refusal, "h", "Log in.")
    assert words.rstrip(".") in str(error)
    assert "\n" not in str(error)
    assert error.exit_code == EXIT_HOST


def test_a_push_tells_of_its_layers_and_its_digest() -> None:
    """The digest is the one in the stream's last message."""
    heard: list[Layer] = []
    messages: list[dict[str, Any]] = [
        {"status": "The push refers to repository [h/a]"},
        {"status": "Preparing", "progressDetail": {}, "id": "abc"},
        {"status": "Pushing", "progressDetail": {"current": 5, "total": 10}, "id": "abc"},
        {"status": "Pushed", "progressDetail": {}, "id": "abc"},
        {"progressDetail": {}, "aux": {"Tag": "x", "Digest": "sha256:1", "Size": 526}},
    ]
    assert follow("pushing", messages, heard.append) == "sha256:1"
    assert heard == [Layer("abc", "Preparing"), Layer("abc", "Pushing", 5, 10), Layer("abc", "Pushed")]


def test_an_error_in_the_stream_is_a_refusal() -> None:
    """A transfer that the engine accepted can still fail in the middle."""
    with pytest.raises(RegistryRefusalError, match="pushing: denied"):
        follow("pushing", [{"errorDetail": {"message": "denied"}, "error": "denied"}], lambda layer: None)


def test_only_one_place_knows_each_sdk() -> None:
    found: dict[str, set[str]] = {"boto": set(), "docker": set()}
    for path in (ROOT / "runner").rglob("*.py"):
        for name in re.findall(r"^\s*(?:from|import) (boto|docker)", path.read_text(encoding="utf-8"), re.MULTILINE):
            found[name].add(path.name if path.name == "ecr.py" else path.parent.name)
    assert found == {"boto": {"ecr.py"}, "docker": {"docker_sdk"}}
