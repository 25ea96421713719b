"""What a launch's container has and has not, and that the printed line makes the same one. Needs an engine."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from docker import from_env

from runner.engines.container import ContainerSpec
from runner.engines.docker import SHM_BYTES, TMPFS_BYTES, container_spec, docker_run_line
from runner.engines.docker_sdk import Docker
from runner.engines.docker_sdk.containers import start
from runner.engines.protocol import Artifact
from tests.runner.engines.containers import LAST_CPU, docker, folders_for, launch_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

# Stands where the workload is, so that the image's own entry point runs it.
LOOK_AROUND = """
import errno, json, os

def refusal(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return errno.errorcode[error.errno]

def size(path):
    folder = os.statvfs(path)
    return folder.f_blocks * folder.f_frsize

status = dict(line.rstrip().split(":\\t", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "capabilities": any(int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")),
    "may gain privileges": status["NoNewPrivs"] != "1",
    "CPUs": status["Cpus_allowed_list"],
    "memory nodes": status["Mems_allowed_list"],
    "interfaces": os.listdir("/sys/class/net"),
    "user": [os.getuid(), os.getgid()],
    "first process": os.getpid() == 1,
    "refusals": {path: refusal(path + "/x") for path in ("", "/opt", "/job", "/result", "/tmp", "/dev/shm")},
    "bytes": [size(path) for path in ("/tmp", "/dev/shm")],
}))
"""


def spec_of(variant: str, image: str, folder: Path) -> ContainerSpec:
    """The container of a short launch on the last CPU."""
    launch = launch_of(variant)
    return container_spec(
        launch, image=image, cpuset_cpus=LAST_CPU, cpuset_mems="0", memory_bytes=None,
        folders=folders_for(launch, folder),
    )  # fmt: skip


def test_a_container_has_nothing_that_a_launch_does_not_need(images: dict[str, Artifact], tmp_path: Path) -> None:
    """One CPU, no capability, no way to new privileges, no network but the loopback, a root that nobody writes to."""
    looking = tmp_path / "workload"
    looking.mkdir()
    (looking / "__main__.py").write_text(LOOK_AROUND)
    made = spec_of("stock", images["stock"].location, tmp_path)
    spec = dataclasses.replace(made, read_only={**made.read_only, looking: "/opt/workload"})
    ended = Docker.connect().run(spec, 60, tmp_path / "log.txt")
    assert json.loads((tmp_path / "log.txt").read_text()) == {
        "capabilities": False, "may gain privileges": False, "CPUs": LAST_CPU, "memory nodes": "0",
        "interfaces": ["lo"], "user": [os.getuid(), os.getgid()], "first process": False,
        "refusals": {"": "EROFS", "/opt": "EROFS", "/job": "EROFS", "/result": None, "/tmp": None, "/dev/shm": None},
        "bytes": [TMPFS_BYTES, SHM_BYTES],
    }  # fmt: skip
    assert ended.limits == spec.limits


# A terminal's, the engine's own, or worded otherwise by the two clients: no restart, and the targets of the mounts.
NOT_ASKED_FOR = (
    "AttachStdout", "AttachStderr", "AutoRemove", "ConsoleSize", "Hostname", "RestartPolicy", "Volumes",
)  # fmt: skip


def settings_of(container: str) -> dict[str, Any]:
    """How a container was made, as the engine tells it, without what is empty."""
    (told,) = json.loads(docker("inspect", container))
    settings = {**told["HostConfig"], **told["Config"]}
    for unordered in ("Binds", "Env"):  # the Docker client sends its volumes as they come out of a hash map
        settings[unordered] = sorted(settings[unordered])
    return {name: value for name, value in settings.items() if value and name not in NOT_ASKED_FOR}


def test_a_pasted_line_makes_the_container_that_the_engine_makes(images: dict[str, Artifact], tmp_path: Path) -> None:
    made = spec_of("stock", images["stock"].location, tmp_path)
    spec = dataclasses.replace(made, command=("--version",), memory_bytes=1 << 30)
    pasted = docker("create", *shlex.split(docker_run_line(spec))[2:])
    try:
        with closing(from_env()) as client:
            assert settings_of(pasted) == settings_of(str(start(client, spec).id))
    finally:
        docker("rm", "--force", pasted, spec.name)
