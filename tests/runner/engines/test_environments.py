"""Environments: made once from hash-checked locks, never half, never twice at once; from an index on this host."""

from __future__ import annotations

import base64
import dataclasses
import fcntl
import functools
import hashlib
import http.server
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from maintenance.lock_dependencies import lock_installation
from runner.catalogue.stacks import Disk, Installation, Installer, Stack, every_installation, find_stack
from runner.engines import environments
from runner.engines.environments import MARKER, EnvironmentCache, environment_name
from runner.engines.interpreters import find_interpreter
from runner.engines.venv import VenvEngine
from runner.errors import DiskError, HostError
from runner.support import disk
from runner.support.network import PackageIndex

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def make_wheel(folder: Path, name: str, version: str) -> tuple[Path, str]:
    """Write a minimal wheel; return its path and sha256."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(text)}")
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,"]) + "\n")
    return wheel, hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """A package index on this host, with one package and the pip that the interpreter brings."""
    served = tmp_path / "served"
    handler = functools.partial(QuietHandler, directory=str(served))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def stack(tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack of one tiny wheel, for the Python that runs the tests, served by the local index."""
    digests = {}
    for name, version in (("tiny", "1.0"), ("installer", "1.0")):
        folder = tmp_path / "served" / "simple" / name
        folder.mkdir(parents=True)
        wheel, digests[name] = make_wheel(folder, name, version)
        (folder / "index.html").write_text(f'<a href="{wheel.name}#sha256={digests[name]}">{wheel.name}</a>')
    lock = tmp_path / "lock.txt"
    lock.write_text(f"tiny==1.0 --hash=sha256:{digests['tiny']}\n")
    monkeypatch.setattr(Installation, "lock", property(lambda self: lock))
    return dataclasses.replace(
        find_stack("tf-2.14"), python=PYTHON, installer=Installer("installer==1.0", digests["installer"]),
        disk=Disk(download_bytes=1, environment_bytes=1, image_bytes=1),
        installations={"tiny": Installation("tf-2.14", "tiny", "tiny==1.0")},
    )  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path, index: str) -> EnvironmentCache:
    """An empty cache that installs from the local index alone."""
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    return EnvironmentCache(tmp_path / "cache", PackageIndex(index, base_environment=clean))


def test_an_environment_is_made_once_and_found_again(
    cache: EnvironmentCache, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call finds what the first has made, and the package is importable in it.

    Everything was on disk before the marker: after a power failure it must not vouch for files never written.
    """
    marked_when_synced: list[bool] = []
    folder = Path(cache.location(stack, stack.installations["tiny"]))
    monkeypatch.setattr(os, "sync", lambda: marked_when_synced.append((folder / MARKER).exists()))
    told: list[str] = []
    first = cache.prepare(stack, stack.installations["tiny"], told.append)
    assert any("installing tiny==1.0" in line for line in told)
    told.clear()
    second = cache.prepare(stack, stack.installations["tiny"], told.append)
    assert (first, told) == (second, [])
    printed = subprocess.check_output([f"{first.location}/bin/python", "-c", "import tiny; print(tiny.VERSION)"])
    assert printed == b"1.0\n"
    assert first.provenance["lock_sha256"] == stack.installations["tiny"].lock_sha256()
    assert marked_when_synced == [False]


def test_a_library_that_no_wheel_has_is_put_in_its_place(
    cache: EnvironmentCache, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to what the hash of the lock stands for, and the provenance names its Debian package."""
    plain = stack.installations["tiny"]
    monkeypatch.setattr("runner.engines.debian_package.fetched", lambda library, *_: library.name.encode())
    needy = dataclasses.replace(plain, libraries={"libgomp": "tiny-1.0.dist-info/libgomp.so.1"})
    assert needy.lock_sha256() != plain.lock_sha256()
    stack = dataclasses.replace(stack, installations={"tiny": needy})
    made = cache.prepare(stack, needy, print)
    (found,) = Path(made.location).rglob("libgomp.so.1")
    assert (found.read_bytes(), found.parent.name) == (b"libgomp", "tiny-1.0.dist-info")
    assert made.provenance["debian_libraries"]["libgomp"].startswith("libgomp1=12.2.0-14+deb12u1 sha256:")
    assert (
        "debian_libraries"
        not in cache.prepare(dataclasses.replace(stack, installations={"tiny": plain}), plain, print).provenance
    )


def test_where_the_stacks_python_is_missing_another_that_it_is_locked_for_is_taken(
    cache: EnvironmentCache, stack: Stack
) -> None:
    stack = dataclasses.replace(stack, python="3.99", other_pythons=("3.98", PYTHON))
    installation = stack.installations["tiny"]
    assert cache.find(stack, installation) is None
    made = cache.prepare(stack, installation, print)
    assert made.installation.other_python == PYTHON
    assert made.provenance["python"].startswith(f"{PYTHON}.")
    assert cache.find(stack, installation) == made
    assert cache.location(stack, installation) == made.location
    assert set(cache.room(every_installation((stack,))).values()) == {0}


def test_a_half_made_environment_is_made_anew(cache: EnvironmentCache, stack: Stack) -> None:
    """Without its last file an environment counts as torn, whatever it holds."""
    folder = Path(cache.location(stack, stack.installations["tiny"]))
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / "left-over").touch()
    assert Path(cache.prepare(stack, stack.installations["tiny"], print).location) == folder
    assert (folder / MARKER).exists()
    assert not (folder / "left-over").exists()


def test_a_package_with_another_hash_is_refused_and_nothing_is_left(
    cache: EnvironmentCache, stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "lock.txt").write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(HostError, match="not the one that was locked"):
        cache.prepare(stack, stack.installations["tiny"], print)
    assert not list((tmp_path / "cache").glob("*/" + MARKER))


def test_a_requirement_without_a_hash_is_refused(cache: EnvironmentCache, stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text("tiny==1.0\n")
    with pytest.raises(HostError, match="ended with exit code"):
        cache.prepare(stack, stack.installations["tiny"], print)


def test_an_index_that_cannot_be_reached_is_told_with_what_to_do(
    cache: EnvironmentCache, stack: Stack, tmp_path: Path
) -> None:
    clean = dict(cache.index.base_environment) | {"PIP_RETRIES": "1"}
    unreachable = PackageIndex("http://someone:hunter2@127.0.0.1:9/simple", base_environment=clean)
    with pytest.raises(HostError, match=r"cannot be reached.*--pip-index") as error:
        EnvironmentCache(tmp_path / "cache", unreachable).prepare(stack, stack.installations["tiny"], print)
    assert "hunter2" not in str(error.value)
    assert not any("hunter2" in log.read_text() for log in (tmp_path / "cache").glob("*.log"))


def test_two_makers_of_the_same_environment_do_not_collide(cache: EnvironmentCache, stack: Stack) -> None:
    """The second waits for the first and takes what it made."""
    told: list[str] = []
    errors: list[Exception] = []

    def make() -> None:
        try:
            cache.prepare(stack, stack.installations["tiny"], told.append)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must show it
            errors.append(error)

    makers = [threading.Thread(target=make) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert not errors
    assert sum("installing" in line for line in told) == 1


def test_disk_is_checked_for_all_environments_before_anything_is_fetched(
    cache: EnvironmentCache, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _path: 10)
    monkeypatch.setattr(environments, "run_logged", lambda *_: pytest.fail("something was run"))
    large = dataclasses.replace(stack, disk=dataclasses.replace(stack.disk, environment_bytes=1_400_000_000))
    room = VenvEngine(cache).room(every_installation((large,)))
    assert room[cache.root] == 1_400_000_000
    assert (
        room[environments.pip_cache(cache.index.base_environment)]
        == room[disk.temporary_folder()]
        == large.disk.download_bytes
    )
    with pytest.raises(DiskError, match=r"Too little disk: 1\.4 GB will be written"):
        disk.check(room)


def test_an_environment_that_is_made_needs_no_more_room(
    cache: EnvironmentCache, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the cache already is not asked for again."""
    folder = Path(cache.location(stack, stack.installations["tiny"]))
    folder.mkdir(parents=True)
    (folder / MARKER).write_text("{}")
    monkeypatch.setattr(disk, "free_bytes", lambda _path: 0)
    room = VenvEngine(cache).room(every_installation((stack,)))
    assert set(room.values()) == {0}
    disk.check(room)


def test_what_is_written_to_one_filesystem_is_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alone would fit, both together do not; a folder to which nothing is written is not looked at."""
    monkeypatch.setattr(disk, "free_bytes", lambda _path: 100)
    disk.check({tmp_path / "a": 60, tmp_path / "b": 0})
    with pytest.raises(DiskError, match=r"below .*/a and .*/b"):
        disk.check({tmp_path / "a": 60, tmp_path / "b": 60})


def test_the_name_changes_with_the_lock_and_the_installer(stack: Stack, tmp_path: Path) -> None:
    """An environment made from other inputs is another environment."""
    interpreter = find_interpreter([PYTHON])
    installation = stack.installations["tiny"]
    names = {environment_name(stack, installation, interpreter)}
    names.add(
        environment_name(dataclasses.replace(stack, installer=Installer("pip==1", "0")), installation, interpreter)
    )
    (tmp_path / "lock.txt").write_text("changed")
    names.add(environment_name(stack, installation, interpreter))
    assert len(names) == 3


def test_a_step_keeps_the_lock_when_the_runner_is_killed(tmp_path: Path) -> None:
    """The step goes on writing after the runner was killed.

    Nobody may begin in that folder before the step has ended.
    """
    path, step = tmp_path / "lock", "import time; print('begun', flush=True); time.sleep(60)"
    script = f"""
import fcntl, sys
from pathlib import Path
from runner.engines.environments import run_logged
from runner.support.network import PackageIndex
with open({str(path)!r}, "a") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    run_logged([sys.executable, "-c", {step!r}], PackageIndex(), Path({str(tmp_path / "log")!r}), lock.fileno())
"""
    root = Path(__file__).resolve().parents[3]
    runner = subprocess.Popen([sys.executable, "-c", script], cwd=root, start_new_session=True)
    try:
        end = time.monotonic() + 20
        while not (tmp_path / "log").exists() or b"begun" not in (tmp_path / "log").read_bytes():
            assert time.monotonic() < end, "the step did not begin"
            time.sleep(0.02)
        runner.kill()
        runner.wait(20)
        with path.open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.killpg(runner.pid, signal.SIGKILL)


def test_the_record_has_the_index_and_the_bundle_that_pip_was_given(stack: Stack, index: str, tmp_path: Path) -> None:
    """Both may come from the caller's environment. A password is never recorded."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(ssl.get_default_verify_paths().cafile or certifi.where()).read_bytes())
    secret = index.replace("http://", "http://user:secret@")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null",
                   "PIP_INDEX_URL": secret, "SSL_CERT_FILE": str(bundle)}  # fmt: skip
    cache = EnvironmentCache(tmp_path / "cache", PackageIndex(base_environment=environment))
    made = cache.prepare(stack, stack.installations["tiny"], print)
    assert made.provenance["package_index"] == index.replace("http://", "http://***@")
    assert made.provenance["ca_bundle"] == hashlib.sha256(bundle.read_bytes()).hexdigest()


def test_a_lock_of_an_old_installer_is_fetched_with_the_systems_index_and_bundle(
    stack: Stack, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make locks` reaches pip through the same variables as an installation, and writes each wheel's hash."""
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", index)
    monkeypatch.setenv("SSL_CERT_FILE", ssl.get_default_verify_paths().cafile or certifi.where())
    expected = Installation("tf-2.14", "tiny", "tiny==1.0").lock.read_text().split("sha256:")[1].strip()
    lock_installation(dataclasses.replace(stack, locked_by="installer", shared_requirements=()),
                      stack.installations["tiny"])  # fmt: skip
    assert stack.installations["tiny"].lock.read_text() == f"tiny==1.0 \\\n    --hash=sha256:{expected}\n"
