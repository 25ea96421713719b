"""The Docker engine's pure parts: addresses, messages, contexts, command lines. No engine is needed."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import pytest
from jinja2 import UndefinedError

from runner.catalogue.stacks import Installation, every_installation, find_stack, load_stacks
from runner.engines.container import ContainerSpec
from runner.engines.docker import RUN_LABEL, docker_run_line, require_cpusets
from runner.engines.docker_images import ImageBuilder, build_context
from runner.engines.docker_sdk import Docker, EngineInfo, Image, digest_for
from runner.engines.docker_sdk.address import DockerUnavailableError, engine_address
from runner.engines.docker_streams import follow_build
from runner.engines.dockerfile import render
from runner.engines.protocol import Artifact, Notify
from runner.errors import HostError
from runner.support.network import PackageIndex

STACK = find_stack("tf-2.14")
INSTALLATIONS = [each for _, each in every_installation(load_stacks().values())]


@pytest.mark.parametrize("installation", INSTALLATIONS, ids=lambda each: f"{each.stack}-{each.name}")
def test_a_dockerfile_takes_its_base_by_digest_and_its_packages_by_hash(installation: Installation) -> None:
    """Nothing that is built today can be another thing tomorrow."""
    text = render(load_stacks()[installation.stack], installation)
    assert "@sha256:" in text.split("ARG BASE_IMAGE=", 1)[1].splitlines()[0]
    assert "--require-hashes" in text
    assert "--mount" not in text, "BuildKit-only syntax"


@pytest.mark.parametrize("installation", INSTALLATIONS, ids=lambda each: f"{each.stack}-{each.name}")
def test_the_workload_comes_last_of_the_files_and_labels_last_of_all(installation: Installation) -> None:
    """What changes most often is followed by the fewest steps."""
    text = render(load_stacks()[installation.stack], installation)
    after = text.partition("COPY workload /opt/workload\n")[2].splitlines()
    steps = [line.split()[0] for line in after if not line.startswith(" ")]
    assert steps == ["ARG"] * 7 + ["LABEL"]


def test_a_template_that_names_what_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt name would else leave a hole in a Dockerfile."""
    (tmp_path / "Dockerfile.j2").write_text("FROM {{ stack.base_imagee }}\n")
    monkeypatch.setattr("runner.engines.dockerfile.IMAGES", tmp_path)
    with pytest.raises(UndefinedError, match="base_imagee"):
        render(STACK, STACK.installations["intel"])


@pytest.fixture
def docker_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The docker command's own folder of a user who has set nothing."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".docker"
    folder.mkdir()
    return folder


def add_context(folder: Path, name: str, host: str) -> None:
    """What `docker context create NAME --docker host=HOST` and `docker context use NAME` leave."""
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}))
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


def test_the_engine_is_where_the_docker_command_looks(docker_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting comes before those above it: the usual socket, the current context, DOCKER_CONTEXT, DOCKER_HOST."""
    assert engine_address() == "unix:///var/run/docker.sock"
    add_context(docker_folder, "far", "ssh://someone@far")
    add_context(docker_folder, "near", "unix:///run/user/1000/docker.sock")
    assert engine_address() == "unix:///run/user/1000/docker.sock"
    monkeypatch.setenv("DOCKER_CONTEXT", "far")
    assert engine_address() == "ssh://someone@far"
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert engine_address() == "unix:///var/run/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    assert engine_address() == "tcp://10.0.0.1:2375"


def test_contexts_are_read_from_the_folder_that_is_set(
    docker_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOCKER_CONFIG takes the place of ~/.docker."""
    add_context(docker_folder, "far", "ssh://someone@far")
    other = tmp_path / "other"
    add_context(other, "near", "unix:///run/user/1000/docker.sock")
    monkeypatch.setenv("DOCKER_CONFIG", str(other))
    assert engine_address() == "unix:///run/user/1000/docker.sock"


@pytest.mark.parametrize("config", ["", "not JSON", "{}", '{"currentContext": ""}'])
def test_without_a_current_context_it_is_the_usual_socket(docker_folder: Path, config: str) -> None:
    """The configuration may name no context, or be empty."""
    (docker_folder / "config.json").write_text(config)
    assert engine_address() == "unix:///var/run/docker.sock"


def test_a_context_that_is_not_known_is_told(docker_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (docker_folder / "config.json").write_text('{"currentContext": "gone"}')
    with pytest.raises(DockerUnavailableError, match="'gone'"):
        engine_address()
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    with pytest.raises(DockerUnavailableError, match="'elsewhere'"):
        engine_address()


@pytest.mark.parametrize(
    "content",
    ["not JSON", "{}", '{"Name": "far", "Metadata": {}, "Endpoints": {"kubernetes": {"Host": "https://far"}}}'],
)
def test_a_context_without_an_address_is_told(docker_folder: Path, content: str) -> None:
    """The file is broken, or it describes an orchestrator and no engine."""
    add_context(docker_folder, "far", "ssh://someone@far")
    next(docker_folder.rglob("meta.json")).write_text(content)
    with pytest.raises(DockerUnavailableError, match="'far'"):
        engine_address()


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:2375", "ssh://someone@far"])
def test_a_remote_engine_is_refused_with_the_reason(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pins and files belong to this host."""
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(DockerUnavailableError, match="is remote"):
        Docker.connect()


def test_no_daemon_is_told_with_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that does not exist means that no engine runs."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    with pytest.raises(DockerUnavailableError, match="No Docker engine answers at unix"):
        Docker.connect()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be refused what root is not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_permission_denied_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        path.chmod(0)
        with as_nobody(), pytest.raises(DockerUnavailableError, match="usermod -aG docker"):
            Docker.connect()


@pytest.mark.parametrize(
    ("info", "words"),
    [(EngineInfo(can_pin=False), "This Docker engine"), (EngineInfo(can_pin=False, is_rootless=True), "rootless")],
)
def test_an_engine_without_cpusets_is_refused(info: EngineInfo, words: str) -> None:
    """Without cpusets there is no pin, and without a pin no measurement."""
    with pytest.raises(HostError, match=words):
        require_cpusets(info)
    require_cpusets(EngineInfo(can_pin=True))


def test_a_failed_build_names_its_step_and_last_lines() -> None:
    heard: list[str] = []
    stream = [
        {"stream": "Step 1/3 : FROM base\n"}, {"stream": " earlier line\n"},
        {"stream": "Step 2/3 : RUN pip install\n"}, {"stream": "ERROR: No matching distribution\n"},
        {"error": "The command returned a non-zero code: 1"},
    ]  # fmt: skip
    with pytest.raises(HostError, match=r"failed in Step 2/3 : RUN pip install.*No matching distribution") as error:
        follow_build(iter(stream), heard.append)
    assert "earlier line" not in str(error.value)
    assert "ERROR: No matching distribution" in heard


def names_in(index: PackageIndex) -> dict[str, bytes]:
    """The files of a build context."""
    with tarfile.open(fileobj=build_context(STACK, STACK.installations["intel"], index)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def test_a_library_that_no_wheel_has_is_copied_to_its_place() -> None:
    stack = find_stack("tf-2.21-zentf")
    (place,) = stack.installations["zentf"].libraries.values()
    context = build_context(stack, stack.installations["zentf"], PackageIndex(), {place: b"a library"})
    with tarfile.open(fileobj=context) as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    assert files[f"libraries/{place}"] == b"a library"
    assert b"COPY libraries /opt/environment/lib/python3.11/site-packages" in files["Dockerfile"]
    assert not any(name.startswith("libraries/") for name in names_in(PackageIndex()))


def test_the_same_files_make_the_same_context() -> None:
    """Neither clock nor owner gets into the tar."""
    one, other = (build_context(STACK, STACK.installations["intel"], PackageIndex()).getvalue() for _ in range(2))
    assert one == other


def test_index_and_ca_bundle_reach_the_build_only_when_there_are_any(tmp_path: Path) -> None:
    """Both are files of the stage that is thrown away; without them the context has neither."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    plain = names_in(PackageIndex(base_environment={}))
    chosen = names_in(PackageIndex("https://user:secret@index.example/simple", bundle, base_environment={}))
    assert {"Dockerfile", "locks/tf-2.14/intel.txt", "workload/__main__.py"} <= set(plain)
    assert set(chosen) - set(plain) == {"pip.conf", "ca-bundle.pem"}
    assert b"user:secret@index.example" in chosen["pip.conf"]
    assert chosen["ca-bundle.pem"] == b"certificates"


def test_the_systems_ca_bundle_is_found_by_its_usual_variables(tmp_path: Path) -> None:
    """SSL_CERT_FILE and friends reach pip without an option."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    index = PackageIndex(base_environment={"SSL_CERT_FILE": str(bundle)})
    assert index.bundle() == bundle
    assert index.environment()["PIP_CERT"] == str(bundle)


@dataclass
class OnABase:
    """An engine that has one base and builds an image of anything; it keeps the arguments."""

    base: Image
    arguments: dict[str, str] = field(default_factory=dict)
    lines: Sequence[str] = ()

    def find_image(self, reference: str) -> Image:
        """The base, or what was built."""
        built = Image("sha256:image", ("a@sha256:22", "b@sha256:22"), 5)
        return self.base if reference == STACK.base_image else built

    def build(
        self,
        context: IO[bytes],
        dockerfile: str,
        tag: str,
        arguments: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> str:
        """The image's id, after the lines that a test has chosen."""
        self.arguments = dict(arguments)
        for line in self.lines:
            on_line(line)
        return "sha256:image"

    def artifact(self, notify: Notify = lambda line: None) -> Artifact:
        """What the kit makes of a build on it."""
        builder = ImageBuilder(cast(Docker, self), PackageIndex(base_environment={}))
        return builder.prepare(STACK, STACK.installations["intel"], notify)


@pytest.mark.parametrize(
    ("digests", "recorded", "label"),
    [(("python@sha256:11",), "sha256:11", "sha256:11"), ((), None, "sha256:base")],
)
def test_a_record_has_the_image_and_its_base_by_digest(
    digests: tuple[str, ...], recorded: str | None, label: str
) -> None:
    """A base that was imported here has no digest: null in the record, its id in the image's label."""
    engine = OnABase(Image("sha256:base", digests))
    provenance = engine.artifact().provenance
    assert (provenance["base_image_id"], provenance["base_image_digest"]) == ("sha256:base", recorded)
    assert engine.arguments["BASE_DIGEST"] == label
    assert (provenance["image_id"], provenance["image_digests"]) == ("sha256:image", ["a@sha256:22", "b@sha256:22"])
    assert provenance["lock_sha256"] == STACK.installations["intel"].lock_sha256()


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("python:3.11", "sha256:22"),
        ("mirror.example:5000/python", "sha256:11"),
        ("python:3.11@sha256:33", "sha256:33"),
        ("sha256:base", "sha256:11"),
    ],
)
def test_a_base_that_is_known_by_several_digests_is_recorded_by_that_of_its_reference(
    reference: str, expected: str
) -> None:
    """The same image from a mirror has another digest there, and may come first in the engine's list."""
    known = ("mirror.example:5000/python@sha256:11", "python@sha256:22", "python@sha256:33")
    assert digest_for(Image("sha256:base", known), reference) == expected


def test_a_build_shows_how_far_it_is() -> None:
    """It shows each step and what pip installs while it runs, and not every line."""
    lines = ["Step 1/2 : FROM base", "Collecting a", "Step 2/2 : RUN pip", "Installing collected packages: a"]
    told: list[str] = []
    OnABase(Image("sha256:base"), lines=lines).artifact(told.append)
    assert [line.strip() for line in told[1:]] == [lines[0], lines[2], lines[3]]


def test_a_build_is_given_the_callers_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are passed as arguments that the engine keeps out of an image's history, and only if they are set."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.invalid")
    monkeypatch.delenv("NO_PROXY", raising=False)
    engine = OnABase(Image("sha256:base"))
    engine.artifact()
    assert engine.arguments["HTTPS_PROXY"] == "http://user:secret@proxy.invalid"
    assert "NO_PROXY" not in engine.arguments


def test_the_printed_command_is_hardened_and_pinned() -> None:
    spec = ContainerSpec(
        image_id="image", command=("--job", "/job/job.json"), name="name", labels={RUN_LABEL: "run"},
        environment={"A": "1 2"},
        cpuset_cpus="0-1", cpuset_mems="0", memory_bytes=1024, shm_bytes=1, tmpfs_bytes=2, user="1000:1000",
        read_only={Path("/host/job"): "/job"}, writable={Path("/host/result"): "/result"},
    )  # fmt: skip
    assert docker_run_line(spec) == (
        "docker run --rm --label tensorflow-speedup-kit.run=run --log-driver json-file --init "
        "--network none --read-only --cap-drop ALL --security-opt no-new-privileges "
        "--user 1000:1000 --cpuset-cpus 0-1 --cpuset-mems 0 --shm-size 1 --tmpfs /tmp:size=2,mode=1777 "
        "--memory 1024 --memory-swap 1024 --env 'A=1 2' --volume /host/job:/job:ro --volume /host/result:/result:rw "
        "image --job /job/job.json"
    )
