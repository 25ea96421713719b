"""The kit's own images, pushed from one host and measured on another that builds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from runner.catalogue.stacks import find_stack
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.protocol import Artifact
from runner.registry import image_lock
from runner.storage import records, runs
from tests.runner.conftest import Build, base_of
from tests.runner.engines.containers import COMPARE, docker
from tests.runner.registry.servers import serve_other_engine

pytestmark = [pytest.mark.registry, pytest.mark.docker, pytest.mark.timeout(1200)]

# Its images are half as large as those of tf-2.14, and no other test looks at their digests, which a push adds to.
STACK = find_stack("tf-1.12")


@pytest.fixture
def base(request: pytest.FixtureRequest) -> str:
    """What the images are built on."""
    return base_of(request, STACK)


@pytest.fixture
def images(base: str, build: Build) -> dict[str, Artifact]:
    """The pair that is pushed."""
    return {name: build(STACK, name) for name in STACK.installations}


@pytest.fixture
def repository(registry: str) -> Iterator[str]:
    """Where the images go; this engine forgets the name afterwards and keeps the images."""
    name = f"{registry}/kit-{uuid4().hex[:8]}"
    yield name
    tagged = docker("images", "--format", "{{.Repository}}:{{.Tag}}", name).split()
    if tagged:
        docker("rmi", *tagged)


@pytest.fixture
def other_host() -> Iterator[str]:
    """A Docker engine that has no image at all."""
    try:
        with serve_other_engine() as address:
            yield address
    except OSError as error:
        pytest.skip(str(error))


def test_what_one_host_pushed_another_pulls_and_compares_by_digest(
    in_folder: Path, base: str, images: dict[str, Artifact], repository: str, other_host: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The same image ids run on the second host. Every record names repository and digest, and nothing is built."""
    assert main(["push", "--stack", STACK.name, "--to", repository], ENGINES) == 0
    lock = image_lock.read(Path("images.lock.json"))
    command = ["compare", *COMPARE, "--stack", STACK.name, "--images", "images.lock.json", "--out", "run"]
    with monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", other_host)
        assert docker("images", "--all", "--quiet") == ""
        assert main(["pull", "--images", "images.lock.json"], ENGINES) == 0
        capsys.readouterr()
        assert main(command, ENGINES) == 0
        assert "pulling" not in capsys.readouterr().out
        there = docker("images", "--all", "--quiet", "--no-trunc").split()
    for record in records.read(Path("run/records.jsonl")):
        assert record.error is None
        artifact = record.settings["artifact"]
        locked = lock.images[f"{STACK.name}/{record.case['variant']}"]
        assert artifact["image_reference"] == locked.reference
        assert artifact["image_id"] == images[record.case["installation"]].location
        assert artifact["base_image"] == base
    assert runs.load(Path("run")).header["images"] == lock.to_json()
    assert set(there) == {each.location for each in images.values()}
