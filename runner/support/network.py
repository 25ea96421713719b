"""How packages are downloaded: index, CA bundle and proxies. Also removes the credentials that URLs may contain."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import UsageError

# The variables in which common tools look for a CA bundle; those that are more specific to pip come first.
_BUNDLE_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
# A match ends at the last @ before the path, because a password may contain one. The second pattern is for
# percent-encoded URLs.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]+@")
_ENCODED_CREDENTIALS = re.compile(r"(?<=%3a%2f%2f)(?:(?!%2f)[^/\s])+(%40|@)", re.IGNORECASE)


@dataclass(frozen=True)
class PackageIndex:
    """A pip index, a CA bundle and a Debian mirror as the user chose them.

    None means what pip itself is configured with, or Debian's own mirror.
    """

    url: str | None = None
    ca_bundle: Path | None = None
    debian_mirror: str | None = None
    base_environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def __post_init__(self) -> None:
        if self.ca_bundle is not None and not self.ca_bundle.is_file():
            raise UsageError(f"The CA bundle {self.ca_bundle} does not exist. Name a PEM file with --ca-bundle.")

    def environment(self) -> dict[str, str]:
        """The environment variables for pip: the caller's without PYTHON..., with the chosen index and CA bundle."""
        environment = {key: value for key, value in self.base_environment.items() if not key.startswith("PYTHON")}
        if self.url:
            environment["PIP_INDEX_URL"] = self.url
        bundle = self.bundle()
        if bundle:
            environment["PIP_CERT"] = str(bundle)
        return environment

    def bundle(self) -> Path | None:
        """The CA bundle that the user chose, else the one that the environment names; None for pip's own."""
        if self.ca_bundle is not None:
            return self.ca_bundle
        named = _first_set(self.base_environment)
        return Path(named) if named and Path(named).is_file() else None

    def ca_bundle_sha256(self) -> str | None:
        """The sha256 of the CA bundle in use, for the record; None for pip's own."""
        bundle = self.bundle()
        return hashlib.sha256(bundle.read_bytes()).hexdigest() if bundle else None

    def redacted_url(self) -> str | None:
        """The index's URL for the record, without user name and password; None if none was chosen."""
        return redact(self.url) if self.url else None

    def redact(self, text: str) -> str:
        """A text, such as a log, without the credentials of the URLs in it."""
        return redact(text)


def redact(text: str) -> str:
    """Replace user names and passwords in URLs, percent-encoded ones too, by three asterisks."""
    return _ENCODED_CREDENTIALS.sub(r"***\1", _CREDENTIALS.sub("***@", text))


def _first_set(environment: Mapping[str, str]) -> str | None:
    return next((environment[name] for name in _BUNDLE_VARIABLES if environment.get(name)), None)
