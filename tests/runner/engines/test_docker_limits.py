"""What holds a container: what the engine is asked for, what it says of it, and what becomes of a difference."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from docker.errors import APIError

from runner.catalogue.stacks import find_stack
from runner.engines.container import ContainerSpec
from runner.engines.docker import LAUNCH_LABEL, RUN_LABEL, DockerEngine, differences_from_spec
from runner.engines.docker_images import ImageSource
from runner.engines.protocol import Artifact, LaunchFolders, Outcome
from runner.host.pin import Pin
from tests.runner.builders import PIN, plan
from tests.runner.engines.fake_client import FakeClient, FakeContainer, api_error, over

SPEC = ContainerSpec(
    image_id="sha256:image", command=("--version",), name="kit-1", labels={RUN_LABEL: "run"}, environment={"A": "1"},
    cpuset_cpus="0-1", cpuset_mems="0", memory_bytes=2**30, shm_bytes=1, tmpfs_bytes=2, user="1000:1000",
    read_only={Path("/a"): "/job"}, writable={Path("/b"): "/result"},
)  # fmt: skip
ONE_CPU = Pin(cores=((1,),), mems=(1,), nodes=1, sockets=1)


@dataclass
class Meddling(FakeClient):
    """An engine, or a wrapper of it, that holds containers to something else than it is asked for."""

    held: dict[str, Any] = field(default_factory=dict)

    def create(self, image: str, command: list[str] | None = None, **options: Any) -> FakeContainer:
        """Make a container with limits of its own."""
        made = super().create(image, command, **options)
        made.attrs["HostConfig"].update(self.held)
        return made


def launch(client: FakeClient, folder: Path, pin: Pin = PIN) -> Outcome:
    """Run a launch of the plan on the Docker engine."""
    engine = DockerEngine(over(client), cast(ImageSource, None))
    artifact = Artifact(find_stack("tf-2.14").installations["stock"], "sha256:image", {})
    folders = LaunchFolders("run", folder / "job", folder / "result", folder / "log.txt")
    return engine.run(plan().launches[0], pin, artifact, folders, 60)


def test_a_container_is_made_as_its_specification_says(tmp_path: Path) -> None:
    """Nothing that pins or hardens is lost on the way to the engine."""
    client = FakeClient()
    over(client).run(SPEC, 60, tmp_path / "log.txt")
    asked = {name: client.asked[name] for name in client.asked if name not in ("log_config", "use_config_proxy")}
    assert asked == {
        "image": "sha256:image", "name": "kit-1", "labels": {RUN_LABEL: "run"}, "environment": {"A": "1"},
        "cpuset_cpus": "0-1", "cpuset_mems": "0", "network_mode": "none", "read_only": True,
        "tmpfs": {"/tmp": "size=2,mode=1777"}, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"],
        "user": "1000:1000", "init": True, "shm_size": 1, "userns_mode": None,
        "volumes": {"/a": {"bind": "/job", "mode": "ro"}, "/b": {"bind": "/result", "mode": "rw"}},
        "mem_limit": 2**30, "memswap_limit": 2**30,
    }  # fmt: skip


def test_a_launch_asks_for_the_callers_user_its_labels_and_bounded_memory(tmp_path: Path) -> None:
    """What the specification leaves to the launch; without --memory there is no limit."""
    client = FakeClient()
    launch(client, tmp_path)
    assert client.asked["user"] == f"{os.getuid()}:{os.getgid()}"
    assert client.asked["labels"] == {RUN_LABEL: "run", LAUNCH_LABEL: plan().launches[0].launch_id}
    assert (client.asked["shm_size"], client.asked["tmpfs"]) == (2**30, {"/tmp": f"size={2**30},mode=1777"})
    assert not {"mem_limit", "memswap_limit"} & set(client.asked)


def test_what_the_engine_says_of_a_container_has_the_names_of_what_was_asked(tmp_path: Path) -> None:
    """Both sides can be held against each other, and are the same here."""
    assert over(FakeClient()).run(SPEC, 60, tmp_path / "log.txt").limits == SPEC.limits
    assert differences_from_spec(SPEC, SPEC.limits) == ()


@pytest.mark.parametrize(
    ("key", "held", "told"),
    [
        ("CpusetCpus", "", "cpuset_cpus  instead of 0-1"),
        ("CpusetMems", "0-1", "cpuset_mems 0-1 instead of 0"),
        ("Memory", 2**20, "memory_bytes 1048576 instead of None"),
        ("NetworkMode", "bridge", "network_mode bridge instead of none"),
        ("ReadonlyRootfs", False, "read_only_root False instead of True"),
        ("CapDrop", None, "cap_drop [] instead of ['ALL']"),
        ("SecurityOpt", None, "security_opt [] instead of ['no-new-privileges']"),
    ],
)
def test_a_launch_that_was_held_to_something_else_says_so(tmp_path: Path, key: str, held: object, told: str) -> None:
    """A wrapper that gives the network back, or a kernel that drops a limit: one launch's error, not the run's end."""
    assert launch(Meddling(held={key: held}), tmp_path).differences == (told,)


def test_a_container_that_is_gone_is_not_counted(tmp_path: Path) -> None:
    """Somebody removed it as it ended: what held it is not known, though a result may be there."""
    gone: APIError = api_error(404, "No such container")
    outcome = launch(FakeClient(fail={"reload": gone}), tmp_path)
    assert outcome.limits == {}
    (difference,) = outcome.differences
    assert "removed" in difference


def test_launches_that_differ_in_their_pins_alone_have_the_same_limits(tmp_path: Path) -> None:
    """The rungs of a ladder are divided: what is in their conditions beside the pin must be equal."""
    here, there = launch(FakeClient(), tmp_path), launch(FakeClient(), tmp_path, ONE_CPU)
    assert here.limits == there.limits
    assert here.limits == {
        "memory_bytes": None, "network_mode": "none", "read_only_root": True, "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }  # fmt: skip
    assert (here.differences, there.differences) == ((), ())
