"""Starts one container, follows it to its end or its deadline, and keeps its log. Knows no images."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import LogConfig

from runner.engines.container import KILLED, ContainerLimits, ContainerSpec
from runner.engines.docker_sdk.failures import FAILURES, explained, words
from runner.errors import HostError

KILL_GRACE_SECONDS = 30.0
# The engine learns of an out-of-memory kill separately from the container's end, and perhaps later.
OUT_OF_MEMORY_SECONDS = 2.0
# The log driver is set, because a daemon may keep no logs by default, and then a failure could not be explained.
LOG_DRIVER = "json-file"


@dataclass(frozen=True)
class Ended:
    """How a container ended, and the limits that it had, both as the engine reports them.

    `limits` is None if somebody else removed the container.
    """

    exit_code: int
    out_of_memory: bool
    stopped_by_deadline: bool
    limits: ContainerLimits | None = None


def start(client: docker.DockerClient, spec: ContainerSpec) -> Container:
    """Create a container and start it.

    Raises:
        HostError: it could not be created or not be started.
    """
    mounts = {str(path): {"bind": target, "mode": "ro"} for path, target in spec.read_only.items()}
    mounts |= {str(path): {"bind": target, "mode": "rw"} for path, target in spec.writable.items()}
    optional: dict[str, Any] = {}
    if spec.memory_bytes is not None:
        optional = {"mem_limit": spec.memory_bytes, "memswap_limit": spec.memory_bytes}
    if spec.entrypoint is not None:
        optional["entrypoint"] = list(spec.entrypoint)
    with explained("A container could not be started", "Run the same command again, or look at `docker info`."):
        container = client.containers.create(
            spec.image_id, list(spec.command), name=spec.name, labels=dict(spec.labels),
            environment=dict(spec.environment), cpuset_cpus=spec.cpuset_cpus, cpuset_mems=spec.cpuset_mems,
            network_mode=spec.network_mode, read_only=spec.read_only_root, tmpfs=dict(spec.tmpfs),
            cap_drop=list(spec.cap_drop), security_opt=list(spec.security_opt), user=spec.user, init=spec.init,
            shm_size=spec.shm_bytes, volumes=mounts, userns_mode=spec.userns_mode or None,
            # Without this the SDK passes the client's proxy settings, passwords included, to the container.
            use_config_proxy=False, log_config=LogConfig(type=LOG_DRIVER), **optional,
        )  # fmt: skip
        container.start()
        return container


def follow(container: Container, deadline_seconds: float, log: Path) -> Ended:
    """Wait for a container's end, or kill it at the deadline. Write its log to `log`.

    Raises:
        HostError: the container goes on running after it was killed.
    """
    try:
        late = not _wait(container, deadline_seconds)
        if late:
            _kill(container)
        container.reload()
        out_of_memory = _was_out_of_memory(container, late)
    except NotFound:
        return Ended(-9, out_of_memory=False, stopped_by_deadline=False)  # somebody else removed it
    _keep_log(container, log)
    limits = _limits(container.attrs["HostConfig"])
    return Ended(int(container.attrs["State"]["ExitCode"]), out_of_memory, late, limits)


def _was_out_of_memory(container: Container, late: bool) -> bool:
    """Whether a container that has ended was killed for lack of memory.

    The engine may report it late. If the container was killed and has a memory limit, it is therefore asked repeatedly.
    """
    may_be = not late and container.attrs["HostConfig"]["Memory"] and container.attrs["State"]["ExitCode"] == KILLED
    end = time.monotonic() + (OUT_OF_MEMORY_SECONDS if may_be else 0)
    while not container.attrs["State"]["OOMKilled"] and time.monotonic() < end:
        time.sleep(0.1)
        container.reload()
    return bool(container.attrs["State"]["OOMKilled"])


def _limits(host_config: Mapping[str, Any]) -> ContainerLimits:
    return ContainerLimits(
        cpuset_cpus=host_config["CpusetCpus"],
        cpuset_mems=host_config["CpusetMems"],
        memory_bytes=host_config["Memory"] or None,  # 0 means no limit
        network_mode=host_config["NetworkMode"],
        read_only_root=host_config["ReadonlyRootfs"],
        cap_drop=tuple(host_config["CapDrop"] or ()),
        security_opt=tuple(host_config["SecurityOpt"] or ()),
    )


def _kill(container: Container) -> None:
    """Kill a container.

    Raises:
        HostError: it goes on running, and would disturb the launches that follow.
    """
    with suppress(APIError):  # it may just have ended by itself
        container.kill()
    if not _wait(container, KILL_GRACE_SECONDS):
        raise HostError(
            f"The container {container.name} was killed at its deadline, and still runs {KILL_GRACE_SECONDS:.0f} s "
            "later. Nothing can be measured while it runs. End it (docker rm --force), then go on with --resume."
        )


def _keep_log(container: Container, log: Path) -> None:
    """Write a container's log to a file, or why the log cannot be read. A failure to write is ignored."""
    try:
        text = container.logs()
    except FAILURES as error:
        text = f"the engine could not read this container's log: {words(error)}\n".encode()
    with suppress(OSError):  # on a full disk the record, which is written next, fails with a message about the disk
        log.write_bytes(text)


def _wait(container: Container, seconds: float) -> bool:
    """Wait for a container's end; false if it has not come after `seconds`.

    The SDK's own timeout is that of one HTTP answer.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            container.wait(timeout=max(0.1, left))
        except APIError:  # the engine has answered, perhaps with NotFound
            raise
        except requests.exceptions.RequestException as error:
            if "timed out" not in str(error):  # the timeout of one answer; the SDK raises it as one of two classes
                raise
            continue
        return True
    return False
