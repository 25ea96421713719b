"""Finished runs of the fake engine, and for tests that run containers the Docker engine and the kit's own images."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from runner.catalogue.stacks import Stack, find_stack, load_stacks
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.cli.values import base_images as parse_base_images
from runner.engines.protocol import Artifact, Engine
from runner.matching.snapshot import Snapshot
from runner.session.options import EngineOptions
from runner.support.machine_lock import LOCK_FILE as MACHINE_LOCK
from tests.conftest import working_in
from tests.runner.fake_engine import FakeEngine, only

STACK = find_stack("tf-2.14")
FinishedRun = Callable[..., Path]


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """Put what a command line leaves on the fake engine, the run and the cache, into the working folder; return that.

    It is carried out once for all tests that ask for the same one, since drawing a report takes a second.
    """
    made: dict[tuple[str, ...], Path] = {}

    def put(*arguments: str) -> Path:
        if arguments not in made:
            made[arguments] = tmp_path_factory.mktemp("finished")
            with working_in(made[arguments]):
                assert main(arguments, only(FakeEngine())) == 0
        shutil.copytree(made[arguments], Path.cwd(), symlinks=True, dirs_exist_ok=True)
        return Path.cwd()

    return put


def base_images(config: pytest.Config) -> dict[str, str]:
    """The bases that were named for the tests, as the command line takes them."""
    given = config.getoption("--base-image")
    return parse_base_images(given) if given else {}


@pytest.fixture(scope="session")
def no_measurement() -> Iterator[None]:
    """Keep measurements off this machine while containers are tested: a test would end theirs as an earlier run's.

    The lock is the machine's own, shared among the tests' processes; skips where a measurement has it.
    """
    if not MACHINE_LOCK.exists():
        MACHINE_LOCK.touch(0o666)
    with MACHINE_LOCK.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.skip(f"a run measures on this machine, and its containers would be ended: {file.read().strip()}")
        with suppress(OSError):  # another user's: the lock itself holds all the same
            MACHINE_LOCK.write_text(f"the tests of containers, process {os.getpid()}\n")
        yield


def base_of(request: pytest.FixtureRequest, stack: Stack) -> str:
    """The base image of a stack, if it is on the engine."""
    named = base_images(request.config)
    reference = named.get(stack.name) or named.get("") or stack.base_image
    try:
        subprocess.run(["docker", "image", "inspect", reference], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no Docker engine with the base image {reference}: {error}")
    request.getfixturevalue("no_measurement")
    return reference


@pytest.fixture(scope="session")
def base_image(request: pytest.FixtureRequest) -> str:
    """The base of tf-2.14, on which most tests run."""
    return base_of(request, STACK)


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest, base_image: str) -> Engine:
    """The engine as the command line makes it."""
    bases = base_images(request.config)
    return ENGINES["docker"](EngineOptions(base_image=bases))


OnlyBuilder = Callable[[], AbstractContextManager[None]]
Build = Callable[[Stack, str], Artifact]


@pytest.fixture(scope="session")
def only_builder(tmp_path_factory: pytest.TempPathFactory) -> OnlyBuilder:
    """Hold while building images: another process of the tests that builds the same then finds it in the cache."""
    file = tmp_path_factory.getbasetemp().parent / "builds.lock"

    @contextmanager
    def hold() -> Iterator[None]:
        with file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    return hold


@pytest.fixture(scope="session")
def build(engine: Engine, only_builder: OnlyBuilder) -> Build:
    """Build the image of an installation, or find it built."""

    def prepare(stack: Stack, installation: str) -> Artifact:
        with only_builder():
            return engine.prepare(stack, stack.installations[installation], print)

    return prepare


@pytest.fixture(scope="session")
def images(build: Build) -> dict[str, Artifact]:
    """Both images of tf-2.14, built once."""
    return {name: build(STACK, name) for name in STACK.installations}


# Those with two builds to compare. The newest first: most tests need it, those in other processes too.
STACKS = sorted((name for name, stack in load_stacks().items() if stack.vendors_build), reverse=True)


@pytest.fixture(scope="session", params=[(stack, name) for stack in STACKS for name in ("stock", "intel")])
def image(request: pytest.FixtureRequest, build: Build) -> tuple[Stack, Artifact]:
    """Each image of each stack, built once."""
    stack = find_stack(request.param[0])
    base_of(request, stack)
    return stack, build(stack, request.param[1])


@pytest.fixture(scope="session", params=STACKS)
def pair(
    request: pytest.FixtureRequest, engine: Engine, build: Build
) -> tuple[Stack, dict[str, Artifact], dict[str, Snapshot]]:
    """Both images of each stack with what is in them."""
    stack = find_stack(request.param)
    base_of(request, stack)
    made = {name: build(stack, name) for name in stack.installations}
    return stack, made, {name: engine.snapshot(artifact) for name, artifact in made.items()}
