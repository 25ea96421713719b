"""Names of repositories, tags and digests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.registry.reference import Repository, content_sha256, kit_tag, parse_pinned, parse_repository

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = "sha256:" + "ab" * 32
PARTS = {"base": "b", "dockerfile_sha256": "d", "lock_sha256": "l", "workload_sha256": "w"}


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        (f"{ECR}/tf-kit", ECR, "tf-kit"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b"),
        ("localhost/tf-kit", "localhost", "tf-kit"),
        ("someone/tf-kit", "docker.io", "someone/tf-kit"),
        ("[::1]:5000/tf-kit", "[::1]:5000", "tf-kit"),
    ],
)  # fmt: skip
def test_a_repository_is_read_as_docker_reads_it(text: str, host: str, path: str) -> None:
    """The first part is a host if it looks like one; the name is written back as it came."""
    assert parse_repository(text) == Repository(host, path)
    assert str(parse_repository(text)) == text


@pytest.mark.parametrize("text", ["", "host.example/", "h.example/Upper", "h.example/a:tag",
                                  f"h.example/a@{DIGEST}", "-h.example/../a",
                                  "https://h.example/a", "h.example/a//b", "h.example/a b"])  # fmt: skip
def test_what_is_no_repository_is_told_with_an_example(text: str) -> None:
    """The user may give neither a tag nor a digest."""
    with pytest.raises(UsageError, match="Expected HOST/PATH"):
        parse_repository(text)


def test_a_reference_by_digest_is_read_and_written() -> None:
    """Only a whole sha256 digest is accepted."""
    repository, digest = parse_pinned(f"127.0.0.1:5000/tf-kit@{DIGEST}")
    assert repository.at(digest) == f"127.0.0.1:5000/tf-kit@{DIGEST}"
    for wrong in ("127.0.0.1:5000/tf-kit:tag", f"a@{DIGEST[:-1]}", f"a@{DIGEST.upper()}", f"a@{DIGEST}\n"):
        with pytest.raises(UsageError, match="not a reference by digest"):
            parse_pinned(wrong)


def test_a_tag_says_whose_it_is_which_version_and_of_what() -> None:
    """Stack, installation, version of the kit, and twelve digits of the content's hash."""
    assert kit_tag("tf-2.14", "intel", "0.1.0", "0123456789abcdef") == "tf-2.14-intel-0.1.0-0123456789ab"
    assert kit_tag("tf-2.14", "intel", "0.2.0+local", "f" * 64) == "tf-2.14-intel-0.2.0-local-ffffffffffff"
    with pytest.raises(UsageError, match="cannot be a tag"):
        kit_tag("a stack", "intel", "0.1.0", "f" * 64)


@given(st.sampled_from(sorted(PARTS)), st.text(min_size=1))
def test_another_part_is_another_content(name: str, value: str) -> None:
    """Every part counts, and their order does not."""
    changed = {**PARTS, name: PARTS[name] + value}
    assert content_sha256(changed) != content_sha256(PARTS)
    assert content_sha256(dict(reversed(PARTS.items()))) == content_sha256(PARTS)
