"""The library of an allocator: from a locked Debian package into the run, and from there into each launch."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.catalogue.debian_libraries import DebianLibrary, find_allocator
from runner.engines.debian_package import library_of
from runner.errors import HostError, UsageError
from runner.session import allocators
from runner.session.allocators import fetch, keep, kept
from runner.support.network import PackageIndex
from runner.vocabulary import Cell, Launch, Steps

CONTENT = b"\x7fELG, a library of odd length"
LIBRARY = "usr/lib/libtiny.so.1"


def mirror_at(address: str) -> PackageIndex:
    """A package index that has this Debian mirror."""
    return PackageIndex(debian_mirror=address, base_environment={})


def member(name: str, content: bytes) -> bytes:
    """A member of an ar archive; those of odd length are padded."""
    header = f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
    return header + content + b"\n" * (len(content) % 2)


def package(*files: tuple[str, bytes], data: str = "data.tar.xz") -> bytes:
    """A Debian package with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return b"!<arch>\n" + member("debian-binary", b"2.0") + member(data, buffer.getvalue())


PACKAGE = package(("usr/share/doc", b"a text"), (LIBRARY, CONTENT))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> DebianLibrary:
    """An allocator that is one small file."""
    made = DebianLibrary(
        "tiny", "libtiny1", "1-1", "pool/tiny.deb", sha256(PACKAGE), LIBRARY, sha256(CONTENT), "r", "s"
    )
    monkeypatch.setattr(allocators, "find_allocator", lambda name: made)
    return made


@pytest.fixture
def launches(tiny: DebianLibrary) -> list[Launch]:
    """One launch with that allocator, and one without."""
    plain = Launch(
        "a", 1, 1, Cell("tf-2.14", "stock", "alexnet", 1), "stock", "NHWC", Steps(1, 1), 1, 1, {}, 1, 60.0
    )  # fmt: skip
    return [plain, Launch(**{**vars(plain), "launch_id": "b", "allocator": tiny.as_allocator})]


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """A mirror on this host that has the package."""
    (tmp_path / "mirror/pool").mkdir(parents=True)
    (tmp_path / "mirror/pool/tiny.deb").write_bytes(PACKAGE)
    handler = functools.partial(Quiet, directory=str(tmp_path / "mirror"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def test_a_library_is_fetched_once_and_kept_in_the_run(
    launches: list[Launch], mirror: str, tiny: DebianLibrary, tmp_path: Path
) -> None:
    told: list[str] = []
    libraries = fetch(launches, mirror_at(f"{mirror}/"), tmp_path / "cache", told.append)
    assert libraries == {tiny.as_allocator: CONTENT}
    assert fetch(launches, mirror_at("http://127.0.0.1:9"), tmp_path / "cache", told.append) == libraries
    assert told == [f"fetching tiny: {mirror}/pool/tiny.deb"]
    keep(libraries, tmp_path / "run")
    assert kept(tmp_path / "run", tiny.as_allocator) == CONTENT


def test_launches_of_the_c_librarys_malloc_need_no_mirror(launches: list[Launch], tmp_path: Path) -> None:
    assert fetch(launches[:1], mirror_at("http://127.0.0.1:9"), tmp_path, print) == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (package((LIBRARY, b"another")), "its sha256 is"),
        (b"<html>", "its sha256 is"),
        (None, "404"),
    ],
    ids=["another", "no-package", "missing"],
)
def test_another_package_than_the_locked_one_is_refused(
    launches: list[Launch], mirror: str, tmp_path: Path, content: bytes | None, words: str
) -> None:
    served = tmp_path / "mirror/pool/tiny.deb"
    if content is None:
        served.unlink()
    else:
        served.write_bytes(content)
    address = mirror.replace("://", "://someone:hunter2@")
    with pytest.raises(HostError, match=rf"libtiny1 1-1.*{words}.*--debian-mirror") as error:
        fetch(launches, mirror_at(address), tmp_path / "cache", print)
    assert "hunter2" not in str(error.value)
    assert not (tmp_path / "cache").exists()


def test_a_spoiled_library_in_the_cache_is_fetched_again(
    launches: list[Launch], mirror: str, tiny: DebianLibrary, tmp_path: Path
) -> None:
    fetch(launches, mirror_at(mirror), tmp_path / "cache", print)
    (found,) = (tmp_path / "cache").rglob("libtiny.so.1")
    found.write_bytes(CONTENT[:5])
    assert fetch(launches, mirror_at(mirror), tmp_path / "cache", print) == {tiny.as_allocator: CONTENT}


def test_a_runs_copy_that_changed_or_is_gone_is_refused(tiny: DebianLibrary, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read.*sha256"):
        kept(tmp_path, tiny.as_allocator)
    keep({tiny.as_allocator: b"another"}, tmp_path)
    with pytest.raises(UsageError, match="was changed since the run began"):
        kept(tmp_path, tiny.as_allocator)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK", "no ar archive"),
        (b"!<arch>\n" + member("debian-binary", b"2.0"), "no data.tar"),
        (package(("usr/share/doc", b"a text")), "not found"),
        (package((LIBRARY, CONTENT), data="control.tar.xz"), "no data.tar"),
        (b"!<arch>\n" + member("data.tar.xz", b"no tar"), "could not be opened"),
        (b"!<arch>\n" + b"x" * 60, "invalid literal"),
    ],
    ids=["zip", "empty", "no-library", "no-data", "no-tar", "torn"],
)
def test_what_is_no_package_is_told(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        library_of(content, LIBRARY)


@pytest.mark.parametrize("name", ["jemalloc", "tcmalloc"])
def test_each_allocators_package_and_file_are_named_alike(name: str) -> None:
    found = find_allocator(name)
    assert f"/{found.package}_{found.version}_" in found.path
    assert name in found.file
    assert {len(found.package_sha256), len(found.library_sha256)} == {64}
