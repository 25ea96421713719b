"""Reads the CPU quota and memory limits of this process's control groups: version 1, version 2 and both at once.

It must not know which limits were requested. Format: the kernel's cgroup-v1 and cgroup-v2 documents, proc(5).
"""

import os
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

# Version 1 writes "unlimited" as the largest multiple of the page size. No machine has an exbibyte of memory.
UNLIMITED_BYTES = 2**60

Group = NamedTuple("Group", [("version", int), ("controllers", List[str]), ("path", str)])
Mount = NamedTuple("Mount", [("version", int), ("controllers", List[str]), ("group", str), ("folder", str)])


def read_limits(root: str = "/") -> Dict[str, Any]:
    """Return {"version", "cpu_quota_cpus", "memory_limit_bytes", "memory_high_bytes"}; None: not found or unlimited.

    Above `memory_high_bytes`, which only version 2 has, the kernel slows a group down instead of killing a process.
    Each limit is the smallest over all visible levels of the hierarchy. If version 1 has a controller, the version is
    1, whether or not an empty tree of version 2 is mounted as well.
    """
    v1, unified = hierarchies(root)
    quotas = _smallest(_quota_v1, v1.get("cpu", [])) + _smallest(_quota_v2, unified)
    memory = _smallest(_memory_v1, v1.get("memory", [])) + _smallest(_memory_v2, unified)
    high = _smallest(_memory_high, unified)
    version = 1 if "cpu" in v1 or "memory" in v1 else 2 if unified else None
    return {
        "version": version,
        "cpu_quota_cpus": min(quotas) if quotas else None,
        "memory_limit_bytes": int(min(memory)) if memory else None,
        "memory_high_bytes": int(min(high)) if high else None,
    }


def read_memory_high_events(root: str = "/") -> Optional[int]:
    """Return how often memory.high has slowed down processes of the groups that limit this process, since they exist.

    The numbers are summed over the levels that have such a limit. None if no level has one, or if the kernel does not
    count.
    """
    _, unified = hierarchies(root)
    limited = [folder for folder in unified if _memory_high(folder) is not None]
    counts = [count for count in map(_high_events, limited) if count is not None]
    return sum(counts) if counts else None


def read_memory_peak_bytes(root: str = "/") -> Optional[int]:
    """Return the largest amount of memory that this process's own group ever had, in bytes; None if it is not known.

    In a container the group is the container; elsewhere other processes may share it. Version 2 reports it since
    Linux 5.19.
    """
    v1, unified = hierarchies(root)
    files = [os.path.join(folder, "memory.max_usage_in_bytes") for folder in v1.get("memory", [])[:1]]
    files += [os.path.join(folder, "memory.peak") for folder in unified[:1]]
    peaks = [peak for peak in map(_integer, files) if peak is not None]
    return peaks[0] if peaks else None


def hierarchies(root: str) -> Tuple[Dict[str, List[str]], List[str]]:
    """Return the folders from this process's group upwards, for each controller of version 1 and for version 2."""
    folders: Dict[int, Dict[str, List[str]]] = {1: {}, 2: {}}
    for group in _read_groups(root):
        for mount in _read_mounts(root):
            if mount.version == group.version and set(mount.controllers) == set(group.controllers):
                for controller in group.controllers:
                    folders[group.version][controller] = list(_levels(root, mount, group.path))
    return folders[1], folders[2].get("", [])


def _read_groups(root: str) -> Iterator[Group]:
    """Yield this process's groups, from lines like `4:memory:/path`; version 2 has number 0 and no controllers."""
    for line in _lines(os.path.join(root, "proc/self/cgroup")):
        number, controllers, path = line.split(":", 2)
        yield Group(2 if number == "0" and not controllers else 1, controllers.split(","), path)


def _read_mounts(root: str) -> Iterator[Mount]:
    """Yield the mounts of groups, from lines like `35 31 0:32 /group /sys/fs/cgroup/memory rw - cgroup cgroup rw`."""
    known = {controller for group in _read_groups(root) for controller in group.controllers}
    for line in _lines(os.path.join(root, "proc/self/mountinfo")):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2":
            yield Mount(2, [""], fields[3], fields[4])
        elif kind[0] == "cgroup":
            yield Mount(1, [name for name in kind[2].split(",") if name in known], fields[3], fields[4])


def _levels(root: str, mount: Mount, path: str) -> Iterator[str]:
    """Yield the folders from the process's group up to the mounted group; a container may see only the mounted one."""
    if mount.group != "/" and (path + "/").startswith(mount.group + "/"):
        path = path[len(mount.group) :]
    top = os.path.join(root, mount.folder.lstrip("/"))
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for length in range(len(parts), -1, -1):
        yield os.path.join(top, *parts[:length])


def _smallest(read: Callable[[str], Optional[float]], folders: Iterable[str]) -> List[float]:
    limits = [limit for limit in map(read, folders) if limit is not None]
    return [min(limits)] if limits else []


def _quota_v1(folder: str) -> Optional[float]:
    quota = _integer(os.path.join(folder, "cpu.cfs_quota_us"))
    period = _integer(os.path.join(folder, "cpu.cfs_period_us"))
    return quota / period if quota and period and quota > 0 else None


def _quota_v2(folder: str) -> Optional[float]:
    fields = (_lines(os.path.join(folder, "cpu.max")) or [""])[0].split()
    return int(fields[0]) / int(fields[1]) if len(fields) == 2 and fields[0] != "max" else None


def _memory_v1(folder: str) -> Optional[float]:
    limit = _integer(os.path.join(folder, "memory.limit_in_bytes"))
    return limit if limit is not None and limit < UNLIMITED_BYTES else None


def _memory_v2(folder: str) -> Optional[float]:
    return _integer(os.path.join(folder, "memory.max"))


def _memory_high(folder: str) -> Optional[float]:
    return _integer(os.path.join(folder, "memory.high"))


def _high_events(folder: str) -> Optional[int]:
    events = dict(line.split(" ", 1) for line in _lines(os.path.join(folder, "memory.events")) if " " in line)
    return int(events["high"]) if events.get("high", "").isdigit() else None


def _integer(path: str) -> Optional[int]:
    text = (_lines(path) or [""])[0]
    return int(text) if text.lstrip("-").isdigit() else None


def _lines(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except OSError:
        return []
