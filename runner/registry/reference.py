"""Names of images: a repository, a digest, and the kit's own tags. Pure text; asks no engine and no registry."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from runner.errors import UsageError

# As in Docker's own reading of names, the first part is a host if it contains a dot or a colon, or is localhost.
# Grammar: https://pkg.go.dev/github.com/distribution/reference
DOCKER_HUB = "docker.io"
_HOST = re.compile(r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
CONTENT_DIGITS = 12


@dataclass(frozen=True, order=True)
class Repository:
    """A repository of images: the registry's `host` with its port, and the `path` in it."""

    host: str
    path: str

    def __str__(self) -> str:
        """The name as an engine prints it: without the host if that is Docker Hub's."""
        return self.path if self.host == DOCKER_HUB else f"{self.host}/{self.path}"

    def tagged(self, tag: str) -> str:
        """The reference by a tag, which may later name another image."""
        return f"{self}:{tag}"

    def at(self, digest: str) -> str:
        """The reference by a digest, which always names the same image."""
        return f"{self}@{digest}"


def parse_repository(text: str) -> Repository:
    """Read HOST[:PORT]/PATH.

    Raises:
        UsageError: it is not such a name, or has a tag or a digest, which the kit chooses itself.
    """
    first, slash, rest = text.partition("/")
    is_host = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    host, path = (first, rest) if is_host else (DOCKER_HUB, text)
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        raise UsageError(
            f"{text!r} is not the name of an image repository. Expected HOST/PATH in lower case, without tag or "
            "digest, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/tf-kit or 127.0.0.1:5000/tf-kit."
        )
    return Repository(host, path)


def parse_pinned(text: str) -> tuple[Repository, str]:
    """Read REPOSITORY@sha256:DIGEST.

    Raises:
        UsageError: it is not such a reference.
    """
    name, _, digest = text.partition("@")
    if not _DIGEST.fullmatch(digest):
        raise UsageError(f"{text!r} is not a reference by digest. Expected REPOSITORY@sha256:<64 hexadecimal digits>.")
    return parse_repository(name), digest


def content_sha256(parts: Mapping[str, str]) -> str:
    """A SHA-256 of what an image is made from. `parts` has hashes and digests by name; their order does not matter."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def kit_tag(stack: str, installation: str, version: str, content: str) -> str:
    """The tag of an image: its stack and installation, the version of the kit, and the hash of its content.

    Raises:
        UsageError: the result is not a valid tag.
    """
    tag = f"{stack}-{installation}-{version.replace('+', '-')}-{content[:CONTENT_DIGITS]}"
    if not _TAG.fullmatch(tag):
        raise UsageError(f"{tag!r} cannot be a tag. A tag has at most 128 letters, digits, '_', '.' and '-'.")
    return tag
