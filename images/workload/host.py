"""Copies files of /proc and /sys that describe the host into a folder, for hosts on which only the workload can run.

The copy keeps the files' paths, so that the kit can read it in place of the live trees. This module does not know what
the files mean. It copies no file that names the host, its users, its addresses or its serial numbers.
"""

import glob
import os
from typing import Dict, Iterator, List, Tuple

from workload.cgroup import hierarchies

_CPU = "sys/devices/system/cpu"
_NODE = "sys/devices/system/node"

# Each entry has alternatives, of which the first that exists is copied. An alternative may be a pattern for several
# files.
Alternatives = Tuple[str, ...]

# Files whose content changes from minute to minute.
READINGS: Tuple[Alternatives, ...] = (
    ("proc/loadavg",),
    ("proc/stat",),
    ("proc/uptime",),
    ("proc/meminfo",),
    ("proc/cpuinfo",),  # it has each CPU's clock, besides its model
    ("sys/class/hwmon/hwmon*/name",),
    ("sys/class/hwmon/hwmon*/temp*_input",),
)

# Files with the conditions: what must be equal before the figures of two launches are divided.
CONDITIONS: Tuple[Alternatives, ...] = (
    *READINGS,
    ("proc/version",),
    ("proc/sys/kernel/osrelease",),
    ("proc/self/status",),
    ("proc/self/cgroup",),
    ("proc/self/mountinfo",),
    (_CPU + "/online",),
    (_CPU + "/isolated",),
    (_CPU + "/nohz_full",),
    (_CPU + "/smt/active",),
    (_CPU + "/smt/control",),
    (_CPU + "/intel_pstate/no_turbo",),
    (_CPU + "/cpufreq/boost",),
    (_CPU + "/cpufreq/policy*/scaling_governor", _CPU + "/cpu[0-9]*/cpufreq/scaling_governor"),
    (_CPU + "/cpu[0-9]*/topology/thread_siblings_list", _CPU + "/cpu[0-9]*/topology/thread_siblings"),
    ("sys/kernel/mm/transparent_hugepage/enabled",),
)

HOST: Tuple[Alternatives, ...] = (
    *CONDITIONS,
    ("proc/sys/kernel/arch",),
    (_CPU + "/cpufreq/policy*/scaling_driver", _CPU + "/cpu[0-9]*/cpufreq/scaling_driver"),
    (_CPU + "/cpu[0-9]*/online",),
    (_CPU + "/cpu[0-9]*/cpu_capacity",),
    (_CPU + "/cpu[0-9]*/cpufreq/cpuinfo_max_freq",),
    (_CPU + "/cpu[0-9]*/topology/physical_package_id",),
    (_CPU + "/cpu[0-9]*/topology/core_id",),
    (_CPU + "/cpu[0-9]*/topology/die_id",),
    ("sys/devices/cpu_core/cpus",),
    ("sys/devices/cpu_atom/cpus",),
    ("sys/devices/cpu_lowpower/cpus",),
    (_NODE + "/has_memory",),
    (_NODE + "/node[0-9]*/cpulist", _NODE + "/node[0-9]*/cpumap"),
    (_NODE + "/node[0-9]*/meminfo",),
    ("sys/class/dmi/id/sys_vendor",),
    ("sys/class/dmi/id/product_name",),
)

CAPTURES: Dict[str, Tuple[Alternatives, ...]] = {"readings": READINGS, "conditions": CONDITIONS, "host": HOST}

# Files of the process's control groups, from its own upwards: limits, and whether the kernel killed for lack of memory.
_CGROUP_FILES = (
    "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us",
    "cpuset.cpus", "cpuset.cpus.effective", "cpuset.effective_cpus",
    "cpuset.mems", "cpuset.mems.effective", "cpuset.effective_mems",
    "cpuset.cpus.partition", "cpuset.sched_load_balance",
    "memory.max", "memory.high", "memory.limit_in_bytes", "memory.events", "memory.oom_control",
)  # fmt: skip


def capture(what: str, folder: str, root: str = "/") -> List[str]:
    """Copy the files that `what`, a key of `CAPTURES`, names from `root` to `folder`; return their names, sorted.

    A file that is absent or cannot be read is left out.

    Raises:
        OSError: the folder cannot be written.
    """
    names = sorted(set(_matching(what, root)) | set(_cgroup_names(root)))
    return [name for name in names if _copy(name, folder, root)]


def _matching(what: str, root: str) -> Iterator[str]:
    for alternatives in CAPTURES[what]:
        found = (glob.glob(os.path.join(glob.escape(root), pattern)) for pattern in alternatives)
        for path in next((paths for paths in found if paths), []):
            yield os.path.relpath(path, root)


def _cgroup_names(root: str) -> Iterator[str]:
    first, second = hierarchies(root)
    for folder in [folder for levels in first.values() for folder in levels] + second:
        for name in _CGROUP_FILES:
            yield os.path.relpath(os.path.join(folder, name), root)


def _copy(name: str, folder: str, root: str) -> bool:
    try:
        with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return False
    if name == "proc/self/mountinfo":  # the other mounts would reveal where this host keeps its files
        text = "".join(line for line in text.splitlines(True) if " - cgroup" in line)
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as copied:
        copied.write(text)
    return True
