"""An engine whose containers run on another machine than this host, as with Docker Desktop, is refused."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from runner.catalogue.stacks import find_stack
from runner.cli.engines import Engines, choose_engine
from runner.engines.docker import RUN_LABEL, DockerEngine
from runner.engines.docker_images import ImageBuilder
from runner.errors import HostError
from runner.machine import Sysroot
from runner.machine.identity import read_identity
from runner.session.options import EngineOptions
from runner.support.network import PackageIndex
from tests.runner.conftest import STACKS, Build, base_of
from tests.runner.engines.containers import RUNNER
from tests.runner.engines.containers import docker as docker_command
from tests.runner.engines.fake_client import FakeClient, over
from tests.runner.fake_engine import FakeEngine

ROOT = Path(__file__).resolve().parents[3]
STACK = find_stack("tf-2.14")
HERE = read_identity(Sysroot())
ELSEWHERE = f"{uuid.UUID(int=1)}\nmodel name\t: {HERE.cpu_model}\n".encode()


class WithBase(FakeClient):
    """An engine that has the base image; what its containers print a test has chosen."""

    def get(self, reference: str) -> object:  # type: ignore[override]
        """Every image is here."""
        return argparse.Namespace(attrs={"Id": "sha256:base"}, id="sha256:base")


def engine_of(client: FakeClient) -> DockerEngine:
    """The docker engine over a client."""
    docker = over(client)
    return DockerEngine(docker, ImageBuilder(docker, PackageIndex()))


def test_an_engine_on_another_machine_is_refused_before_anything_is_built() -> None:
    """Its container is of the base image, without network, and removed; what is said names a way out."""
    client = WithBase(printed=ELSEWHERE, fail={"build": AssertionError("something was built")})
    with pytest.raises(HostError, match=r"another machine than this host.*--engine venv") as refused:
        engine_of(client).prerequisites((STACK,))
    assert str(uuid.UUID(int=1)) in str(refused.value)
    assert client.asked["image"] == STACK.base_image
    assert (client.asked["network_mode"], client.asked["cap_drop"]) == ("none", ["ALL"])
    assert client.asked["labels"] == {RUN_LABEL: "question"}
    assert client.here == {}


def test_auto_falls_to_venv_and_says_why() -> None:
    engines: Engines = {"docker": lambda _arguments: engine_of(WithBase(printed=ELSEWHERE)),
                        "venv": lambda _arguments: FakeEngine(name="venv")}  # fmt: skip
    engine, why = choose_engine(EngineOptions(), engines, (STACK,))
    assert engine.name == "venv"
    assert "another machine than this host" in why
    assert "\n" not in why


def test_an_engine_of_this_host_is_asked_once() -> None:
    """A second call, as before a build, starts no container."""
    printed = f"{HERE.boot_id}\nmodel name\t: {HERE.cpu_model}\n".encode()
    client = WithBase(printed=printed)
    engine = engine_of(client)
    engine.prerequisites((STACK,))
    client.fail["create"] = AssertionError("asked again")
    engine.prerequisites((STACK,))


def test_a_container_that_tells_nothing_is_no_proof() -> None:
    """The message shows what the container printed."""
    with pytest.raises(HostError, match="cat: not found"):
        engine_of(WithBase(printed=b"cat: not found\n")).prerequisites((STACK,))


def test_an_engine_that_tells_of_another_kernel_needs_no_container() -> None:
    """The engine is refused also where no image is present yet."""
    client = FakeClient(kernel="6.6.12-linuxkit", fail={"create": AssertionError("a container was made")})
    with pytest.raises(HostError, match=r"6\.6\.12-linuxkit"):
        engine_of(client).prerequisites((STACK,))
    engine_of(WithBase(kernel=os.uname().release, printed=b"%s\n" % str(HERE.boot_id).encode())).prerequisites((STACK,))


def test_where_the_base_is_pulled_first_the_check_comes_before_the_build() -> None:
    """Nothing is pulled for the sake of the check alone."""

    class Pulling(FakeClient):
        pulled = False

        def get(self, reference: str) -> object:  # type: ignore[override]
            if not self.pulled:
                return super().get(reference)
            return argparse.Namespace(attrs={"Id": "sha256:base"}, id="sha256:base")

        def pull(self, reference: str, stream: bool = False, decode: bool = False) -> object:  # type: ignore[override]
            self.pulled = True
            return iter(())

        def get_registry_data(self, reference: str) -> None:
            """The registry has it."""

    client = Pulling(printed=ELSEWHERE, fail={"build": AssertionError("something was built")})
    engine = engine_of(client)
    engine.prerequisites((STACK,))
    assert not client.pulled
    with pytest.raises(HostError, match="another machine than this host"):
        engine.prepare(STACK, STACK.installations["stock"], lambda _line: None)


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_the_real_engine_is_refused_where_the_boot_ids_differ(base_image: str, tmp_path: Path) -> None:
    """`build --engine docker` ends with 3 and builds nothing; no container is left.

    In the runner's own mount namespace the host's boot id is another; the engine's containers have the real one.
    """
    if os.geteuid() != 0:
        pytest.skip("mounting in a namespace of one's own needs root")
    other = tmp_path / "boot_id"
    other.write_text(f"{uuid.uuid4()}\n")
    options = ["--engine", "docker", "--stack", "tf-2.14", "--base-image", base_image]
    build = [sys.executable, "-c", RUNNER, str(tmp_path / "machine.lock"), "build", *options]
    mounted = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
    before = docker_command("ps", "--all", "--quiet")
    done = subprocess.run(["unshare", "--mount", "sh", "-ec", mounted, str(other), *build], cwd=ROOT,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "another machine than this host" in done.stderr
    assert other.read_text().strip() in done.stderr
    assert "Step " not in done.stdout
    assert docker_command("ps", "--all", "--quiet") == before


@pytest.mark.docker
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stack", STACKS)
def test_the_byte_code_of_an_image_is_its_sources(
    engine: DockerEngine, build: Build, request: pytest.FixtureRequest, stack: str
) -> None:
    """Compiled again by the image's own Python, of whatever release, every file of it is the same."""
    found = find_stack(stack)
    base_of(request, found)
    assert engine.wrong_bytecode(build(found, "stock")) == ()
