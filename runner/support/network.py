"""How packages are fetched: index, CA bundle and proxies, and the redaction of the secrets they may carry."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import UsageError

# Where the usual tools look for a CA bundle, in order of how specific they are to pip.
_BUNDLE_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
# Up to the last @ before the path: a password may hold one. The second is the same in a URL's own encoding.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]+@")
_ENCODED_CREDENTIALS = re.compile(r"(?<=%3a%2f%2f)(?:(?!%2f)[^/\s])+(%40|@)", re.IGNORECASE)


@dataclass(frozen=True)
class PackageIndex:
    """A pip index and CA bundle as a user chose them; empty means what pip itself is configured with."""

    url: str | None = None
    ca_bundle: Path | None = None
    base_environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def __post_init__(self) -> None:
        if self.ca_bundle is not None and not self.ca_bundle.is_file():
            raise UsageError(f"The CA bundle {self.ca_bundle} does not exist. Name a PEM file with --ca-bundle.")

    def environment(self) -> dict[str, str]:
        """The environment for pip: the caller's, with the chosen index and a CA bundle that pip understands."""
        environment = {key: value for key, value in self.base_environment.items() if not key.startswith("PYTHON")}
        if self.url:
            environment["PIP_INDEX_URL"] = self.url
        bundle = self.bundle()
        if bundle:
            environment["PIP_CERT"] = str(bundle)
        return environment

    def bundle(self) -> Path | None:
        """The CA bundle that was chosen, or that the caller's environment names; None for pip's own."""
        if self.ca_bundle is not None:
            return self.ca_bundle
        named = _first_set(self.base_environment)
        return Path(named) if named and Path(named).is_file() else None

    def ca_bundle_sha256(self) -> str | None:
        """Identify the CA bundle in use for the record."""
        bundle = self.bundle()
        return hashlib.sha256(bundle.read_bytes()).hexdigest() if bundle else None

    def redacted_url(self) -> str | None:
        """The index for the record, without user name and password."""
        return redact(self.url) if self.url else None

    def redact(self, text: str) -> str:
        """A log without the credentials of any URL in it."""
        return redact(text)


def redact(text: str) -> str:
    """Replace user names and passwords in URLs, percent-encoded ones too, by three asterisks."""
    return _ENCODED_CREDENTIALS.sub(r"***\1", _CREDENTIALS.sub("***@", text))


def _first_set(environment: Mapping[str, str]) -> str | None:
    return next((environment[name] for name in _BUNDLE_VARIABLES if environment.get(name)), None)
