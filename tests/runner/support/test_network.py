"""Redaction: no user name and no password of a URL gets into a record, a log or a message."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner.support.network import redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("https://user:pass@index.example/simple", "https://***@index.example/simple"),
        ("http://user:p@ss@proxy:3128/", "http://***@proxy:3128/"),
        ("http://user@proxy and http://u:p@other/x@y", "http://***@proxy and http://***@other/x@y"),
        ("PROXY%22%3A%22http%3A%2F%2Fuser%3Ap%40ss%40proxy%3A31%22", "PROXY%22%3A%22http%3A%2F%2F***%40proxy%3A31%22"),
        ("https%3a%2f%2fuser%3apass@proxy%2fpath%40x", "https%3a%2f%2f***@proxy%2fpath%40x"),
        ("https://registry.example:5000/kit@sha256:ab", "https://registry.example:5000/kit@sha256:ab"),
        ("python@sha256:ab", "python@sha256:ab"),
    ],
)  # fmt: skip
def test_credentials_of_urls_become_asterisks(text: str, redacted: str) -> None:
    """Whatever the password holds, and in a URL's own encoding too; digests and paths stay."""
    assert redact(text) == redacted


@pytest.mark.parametrize("name", ["pip.conf", "ca-bundle.pem"])
def test_files_of_an_index_that_a_user_puts_beside_the_dockerfiles_are_not_committed(name: str) -> None:
    """A build by hand takes them from images/, and they can hold a password."""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", f"images/{name}"], cwd=root)
    assert done.returncode == 0
