"""Classifies a registry's refusals by their words: whether to try again, and what the user should do.

The engine passes on the registry's words but not its status codes, so that only the words can be used. They come from
the distribution specification (https://github.com/opencontainers/distribution-spec, error codes), from Amazon ECR, and
from Go's network library, which the engine uses.
"""

from __future__ import annotations

from typing import Literal

from runner.engines.docker_sdk import RegistryRefusalError
from runner.errors import RegistryError

Kind = Literal[
    "expired", "immutable", "unauthorized", "missing", "denied", "certificate", "unreachable", "temporary", "other"
]

# The first entry that fits counts. ECR's message on an expired token also contains "denied", and its message on a
# missing repository "not found".
_WORDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("expired", ("token has expired", "token expired", "reauthenticate")),
    ("immutable", ("immutable", "cannot be overwritten")),
    ("unauthorized", ("unauthorized", "no basic auth credentials", "authentication required", "incorrect username")),
    ("missing", ("manifest unknown", "name unknown", "not found", "does not exist", "no such manifest")),
    ("denied", ("denied", "forbidden", "not authorized")),
    ("certificate", ("x509", "certificate", "server gave http response to https client")),
    ("unreachable", ("connection refused", "no such host", "no route to host", "network is unreachable",
                     "i/o timeout", "client.timeout", "deadline exceeded", "tls handshake timeout")),
    ("temporary", ("eof", "connection reset", "broken pipe", "too many requests", "toomanyrequests", "rate exceeded",
                   "internal server error", "bad gateway", "service unavailable", "gateway timeout",
                   "status: 500", "status: 502", "status: 503", "status: 504", "unexpected http status: 5")),
)  # fmt: skip
_BY_STATUS: dict[int, Kind] = {401: "unauthorized", 403: "denied", 404: "missing", 429: "temporary"}
WORTH_ANOTHER_TRY: frozenset[Kind] = frozenset({"unreachable", "temporary"})


def kind_of(refusal: RegistryRefusalError) -> Kind:
    """The kind of a refusal, by its words; if these say nothing, by its HTTP status."""
    words = refusal.words.lower()
    for kind, known in _WORDS:
        if any(each in words for each in known):
            return kind
    return _BY_STATUS.get(refusal.status or 0, "other")


def explain(refusal: RegistryRefusalError, host: str, advice: str) -> RegistryError:
    """The refusal as one paragraph that says what to do. `advice` comes from the credentials in use."""
    head = f"{refusal.doing}: {refusal.words.rstrip('.')}."
    what_to_do: dict[Kind, str] = {
        "expired": f"The login for {host} has expired. {advice}",
        "immutable": "Tags of this repository never change. Push to another repository, or from a changed kit.",
        "unauthorized": f"Nobody is logged in to {host}, or the login is wrong. {advice}",
        "missing": f"{host} does not have it, or hides it from this login. Check the repository's name. {advice}",
        "denied": f"This login may not do that at {host}. {advice}",
        "certificate": f"The engine does not trust {host}. Give the engine its CA certificate "
        f"(/etc/docker/certs.d/{host}/ca.crt), or name the host in the engine's insecure-registries.",
        "unreachable": f"{host} does not answer the Docker engine. Check the name, the network and the engine's proxy.",
        "temporary": f"{host} kept failing. It keeps the layers it has received. Run the same command again later.",
        "other": "The same command can be run again: the registry keeps the layers that it has received.",
    }
    return RegistryError(f"{head} {what_to_do[kind_of(refusal)].strip()}")
