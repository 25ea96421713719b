"""The limits that control groups set on this process: CPU quota, CPU set, memory. Versions 1, 2 and hybrid.

It reads the limits and does not decide what follows from them. Sources: cgroup-v2.rst and cgroup-v1/ in
the kernel's Documentation/admin-guide, proc_pid_mountinfo(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

from runner.machine.cpulist import format_cpu_list
from runner.machine.sysroot import Sysroot

#: cgroup v1 writes "no limit" as the largest page-aligned 63-bit number; a number near it means no limit.
UNLIMITED_BYTES = 1 << 60

#: Where the hierarchies are mounted when /proc/self/mountinfo does not say; "" is version 2.
USUAL_MOUNTS = {
    "cpu": ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"),
    "cpuset": ("/sys/fs/cgroup/cpuset",),
    "memory": ("/sys/fs/cgroup/memory",),
    "": ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
}

Mount = tuple[str, str]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Limits:
    """The tightest limits over the visible hierarchy. None means unlimited, not set, or not visible.

    The sets are those in effect in the nearest group that has one. Sets are not intersected with those of parents: a
    partition of version 2 takes its CPUs out of its parent's set, so that the two have no CPU in common.
    `memory_high_bytes` is the memory above which the kernel slows the group down. `is_unbalanced` means that the
    scheduler moves no threads between the group's CPUs.
    """

    cgroup_version: str | None
    cpu_quota_cpus: float | None
    cpuset_cpus: tuple[int, ...] | None
    cpuset_mems: tuple[int, ...] | None
    memory_limit_bytes: int | None
    memory_high_bytes: int | None = None
    is_unbalanced: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict, sets as the kernel writes them."""
        return {
            "cgroup_version": self.cgroup_version,
            "cpu_quota_cpus": self.cpu_quota_cpus,
            "cpuset_cpus": None if self.cpuset_cpus is None else format_cpu_list(self.cpuset_cpus),
            "cpuset_mems": None if self.cpuset_mems is None else format_cpu_list(self.cpuset_mems),
            "memory_limit_bytes": self.memory_limit_bytes,
            "memory_high_bytes": self.memory_high_bytes,
            "is_unbalanced": self.is_unbalanced,
        }


def read_limits(sysroot: Sysroot) -> Limits:
    """Read the limits of this process's control groups and of all their visible ancestors."""
    paths = _own_paths(sysroot)
    folders = tuple(dict.fromkeys(_visible_folders(paths, _mounts(sysroot))))
    return Limits(
        cgroup_version=_version(paths, sysroot),
        cpu_quota_cpus=min(_present(_cpu_quota(sysroot, folder) for folder in folders), default=None),
        cpuset_cpus=_nearest_set(sysroot, folders, "cpus"),
        cpuset_mems=_nearest_set(sysroot, folders, "mems"),
        memory_limit_bytes=min(_present(_memory_limit(sysroot, folder) for folder in folders), default=None),
        memory_high_bytes=min(_present(sysroot.integer(f"{folder}/memory.high") for folder in folders), default=None),
        is_unbalanced=_is_unbalanced(sysroot, folders),
    )


def _own_paths(sysroot: Sysroot) -> dict[str, str]:
    """Map each controller to this process's group; the group of version 2 is under ``""``."""
    lines = (line.split(":", 2) for line in (sysroot.text("proc/self/cgroup") or "").splitlines())
    fields = (line for line in lines if len(line) == 3)
    return {name: path for _, names, path in fields for name in names.split(",")}


def _mounts(sysroot: Sysroot) -> dict[str, list[Mount]]:
    """Map each controller to its mounts: the mounted group and the folder. Without mountinfo, the usual folders."""
    mounts: dict[str, list[Mount]] = {name: [] for name in USUAL_MOUNTS}
    for line in (sysroot.text("proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        where, kind = before.split(), after.split()
        if len(where) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        for name in [""] if kind[0] == "cgroup2" else set(kind[2].split(",")) & set(mounts):
            mounts[name].append((where[3], where[4]))
    return {name: found or [("/", point) for point in USUAL_MOUNTS[name]] for name, found in mounts.items()}


def _visible_folders(paths: Mapping[str, str], mounts: Mapping[str, Iterable[Mount]]) -> Iterator[str]:
    for controller, places in mounts.items():
        group = PurePosixPath(paths.get(controller, "/"))
        for point, below in _below(group, places):
            yield from _upwards(point, below)


def _below(group: PurePosixPath, places: Iterable[Mount]) -> list[tuple[str, PurePosixPath]]:
    """Return a group's path below each mount that contains the group; if none does, the top of every mount.

    A container without its own cgroup namespace sees the host's path of the group, and only its own group is mounted.
    If some mount contains the group, the other mounts belong to other groups, whose limits do not apply.
    """
    inside = [
        (point, group.relative_to(mounted))
        for mounted, point in places
        if ".." not in group.parts and group.is_relative_to(mounted)
    ]
    return inside or [(point, PurePosixPath(".")) for _, point in places]


def _upwards(point: str, below: PurePosixPath) -> Iterator[str]:
    for path in (below, *below.parents):
        yield str(PurePosixPath(point) / path)


def _version(paths: Mapping[str, str], sysroot: Sysroot) -> str | None:
    first = any(name in USUAL_MOUNTS and name for name in paths)
    second = "" in paths
    if not paths:
        first = bool(sysroot.entries("sys/fs/cgroup/memory"))
        second = sysroot.text("sys/fs/cgroup/cgroup.controllers") is not None
    return {(True, True): "hybrid", (True, False): "v1", (False, True): "v2"}.get((first, second))


def _cpu_quota(sysroot: Sysroot, folder: str) -> float | None:
    quota = sysroot.text(f"{folder}/cpu.max")
    if quota is None:
        quota = f"{sysroot.text(f'{folder}/cpu.cfs_quota_us')} {sysroot.text(f'{folder}/cpu.cfs_period_us')}"
    numbers = quota.split()
    if len(numbers) != 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        return None
    microseconds, period = map(int, numbers)
    return microseconds / period if microseconds and period else None


def _memory_limit(sysroot: Sysroot, folder: str) -> int | None:
    limits = _present(sysroot.integer(f"{folder}/{name}") for name in ("memory.max", "memory.limit_in_bytes"))
    return min((limit for limit in limits if 0 <= limit < UNLIMITED_BYTES), default=None)


def _nearest_set(sysroot: Sysroot, folders: Iterable[str], what: str) -> tuple[int, ...] | None:
    """Return the set in effect of the nearest group that has one, from this process's own group upwards."""
    found = next(filter(None, (_cpuset(sysroot, folder, what) for folder in folders)), None)
    return tuple(sorted(found)) if found else None


def _cpuset(sysroot: Sysroot, folder: str, what: str) -> frozenset[int] | None:
    # Version 2, and version 1 since Linux 3.17, have a file with the set in effect. `cpuset.cpus` is the requested set.
    # It is in effect only where that other file does not exist: on version 1 before Linux 3.17.
    names = (f"cpuset.{what}.effective", f"cpuset.effective_{what}", f"cpuset.{what}")
    return next(_present(sysroot.cpu_list(f"{folder}/{name}") for name in names), None)


def _is_unbalanced(sysroot: Sysroot, folders: Sequence[str]) -> bool:
    """Whether the group's CPUs are in no scheduling domain.

    Version 2: the nearest group that is a valid partition is an isolated partition. Version 1: load balancing is off in
    the group and in every group above it, because a group with load balancing balances all CPUs below it.
    """
    partitions = (sysroot.text(f"{folder}/cpuset.cpus.partition") for folder in folders)
    nearest = next((kind for kind in partitions if kind in ("root", "isolated")), None)
    switches = list(_present(sysroot.integer(f"{folder}/cpuset.sched_load_balance") for folder in folders))
    return nearest == "isolated" or (bool(switches) and not any(switches))


def _present(values: Iterable[_T | None]) -> Iterator[_T]:
    return (value for value in values if value is not None)
