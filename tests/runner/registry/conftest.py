"""Real registries, tiny images, and clients of both."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from runner.engines.docker_sdk import Docker
from runner.engines.docker_sdk.address import DockerUnavailableError
from runner.registry.credentials import Credentials, DockerLogin, GivenLogin, Login
from runner.registry.transfer import RegistryClient, RetryPolicy
from tests.runner.registry.servers import PASSWORD, USER, Front, serve_front, serve_registry

MakeImage = Callable[..., str]
IMPATIENT = RetryPolicy(attempts=3, first_wait=0.01, longest_wait=0.01)


@pytest.fixture(scope="session")
def docker() -> Docker:
    """A connection to the engine; skips where there is none."""
    try:
        return Docker.connect()
    except DockerUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def registry(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that lets everybody in."""
    _require_binary()
    with serve_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture(scope="session")
def closed_registry(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that asks for a name and a password."""
    _require_binary()
    with serve_registry(tmp_path_factory.mktemp("closed"), with_password=True) as host:
        yield host


@pytest.fixture
def front(registry: str) -> Iterator[tuple[str, Front]]:
    """A registry that behaves as ECR's does, with its state."""
    with serve_front(registry) as served:
        yield served


@pytest.fixture
def make_image(docker: Docker, tmp_path: Path) -> Iterator[MakeImage]:
    """Make images of one small layer; what is left of them on the engine goes with the test."""
    made: list[str] = []

    def make(name: str, labels: Mapping[str, str] | None = None, content: bytes | None = None) -> str:
        changes = [word for key, value in (labels or {}).items() for word in ("--change", f'LABEL {key}="{value}"')]
        layer = _tar(os.urandom(100_000) if content is None else content)
        done = subprocess.run(["docker", "import", *changes, "-", name], input=layer, capture_output=True, check=True)
        made.append(done.stdout.decode().strip())
        return made[-1]

    yield make
    for image in made:
        subprocess.run(["docker", "rmi", "--force", image], capture_output=True)


def registry_client(host: str, credentials: Credentials | None = None, said: list[str] | None = None) -> RegistryClient:
    """A conversation that does not wait long."""
    heard: list[str] = [] if said is None else said
    return RegistryClient(host, credentials or DockerLogin(host), heard.append, IMPATIENT)


def given(password: str = PASSWORD) -> GivenLogin:
    """The closed registry's login."""
    return GivenLogin(Login(USER, password))


def forget(*references: str) -> None:
    """Remove images from the engine, whatever they are called."""
    subprocess.run(["docker", "rmi", "--force", *references], capture_output=True, check=True)


def _tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("file")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _require_binary() -> None:
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not on PATH (Debian: apt-get install docker-registry)")
