"""What a container of a launch is made from, hardening included. Plain data; knows no SDK."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a container's init, a shell and `timeout` give for a process that was ended with SIGKILL.
KILLED = 128 + signal.SIGKILL


@dataclass(frozen=True)
class ContainerLimits:
    """What holds a container: as it is asked for in a specification, and as the engine says that it was.

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
        """Each limit under the name that a record has for it."""
        return {
            "cpuset_cpus": self.cpuset_cpus, "cpuset_mems": self.cpuset_mems, "memory_bytes": self.memory_bytes,
            "network_mode": self.network_mode, "read_only_root": self.read_only_root, "cap_drop": list(self.cap_drop),
            "security_opt": list(self.security_opt),
        }  # fmt: skip


@dataclass(frozen=True)
class ContainerSpec:
    """Everything a container is made from. Paths are of this host; sizes are bytes.

    What hardens a container has its value here and nowhere else: whoever makes one, this SDK, a `docker run` line or a
    Compose file, takes it from the specification.
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
        """What is to hold the container."""
        return ContainerLimits(
            self.cpuset_cpus, self.cpuset_mems, self.memory_bytes, self.network_mode, self.read_only_root,
            self.cap_drop, self.security_opt,
        )  # fmt: skip

    @property
    def tmpfs(self) -> Mapping[str, str]:
        """The folders that are kept in memory, with their mount options."""
        return {"/tmp": f"size={self.tmpfs_bytes},mode=1777"}
