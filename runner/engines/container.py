"""What a launch's container is made from, including what hardens it. Plain data, independent of the Docker SDK."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The exit code that a container's init, a shell and `timeout` report for a process that SIGKILL ended.
KILLED = 128 + signal.SIGKILL


@dataclass(frozen=True)
class ContainerLimits:
    """The limits on a container: those that a specification requests, or those that the engine reports.

    `cpuset_cpus` and `cpuset_mems` are in the kernel's list format; `memory_bytes` is None without a limit.
    """

    cpuset_cpus: str
    cpuset_mems: str
    memory_bytes: int | None
    network_mode: str
    read_only_root: bool
    cap_drop: tuple[str, ...]
    security_opt: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Each limit by the name that it has in a record."""
        return {
            "cpuset_cpus": self.cpuset_cpus, "cpuset_mems": self.cpuset_mems, "memory_bytes": self.memory_bytes,
            "network_mode": self.network_mode, "read_only_root": self.read_only_root, "cap_drop": list(self.cap_drop),
            "security_opt": list(self.security_opt),
        }  # fmt: skip


@dataclass(frozen=True)
class ContainerSpec:
    """Everything that a container is made from. Paths are on this host; sizes are in bytes.

    The options that harden a container have their values here and nowhere else. Containers of the SDK, `docker run`
    lines and Compose files are all made from this specification.
    """

    image_id: str
    command: Sequence[str]
    name: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    cpuset_cpus: str
    cpuset_mems: str
    memory_bytes: int | None
    shm_bytes: int
    tmpfs_bytes: int
    user: str
    read_only: Mapping[Path, str] = field(default_factory=dict)
    writable: Mapping[Path, str] = field(default_factory=dict)
    network_mode: str = "none"
    read_only_root: bool = True
    cap_drop: tuple[str, ...] = ("ALL",)
    security_opt: tuple[str, ...] = ("no-new-privileges",)
    init: bool = True
    userns_mode: str = ""
    entrypoint: tuple[str, ...] | None = None  # None: the image's own

    @property
    def limits(self) -> ContainerLimits:
        """The limits that this specification requests."""
        return ContainerLimits(
            self.cpuset_cpus, self.cpuset_mems, self.memory_bytes, self.network_mode, self.read_only_root,
            self.cap_drop, self.security_opt,
        )  # fmt: skip

    @property
    def tmpfs(self) -> Mapping[str, str]:
        """The mount options of each folder that is kept in memory."""
        return {"/tmp": f"size={self.tmpfs_bytes},mode=1777"}
