"""Limits from control groups of either version."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.machine import Sysroot
from runner.machine.cgroups import Limits, read_limits
from runner.storage.header_json import recorded
from tests.runner.sysroots import GIB

ROOT = "sys/fs/cgroup"


def limits(folder: Path, files: dict[str, str]) -> Limits:
    """Write files below a folder and read the limits there."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")
    return read_limits(Sysroot(folder))


def test_no_control_groups_are_no_limits(tmp_path: Path) -> None:
    assert limits(tmp_path, {}) == Limits(None, None, None, None, None)


def test_version_2_takes_the_tightest_of_all_ancestors(tmp_path: Path) -> None:
    """A parent's tighter quota and memory limit hold for its children."""
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": "0::/outer/inner",
            f"{ROOT}/outer/cpu.max": "150000 100000",
            f"{ROOT}/outer/inner/cpu.max": "400000 100000",
            f"{ROOT}/outer/memory.max": str(8 * GIB),
            f"{ROOT}/outer/inner/memory.max": "max",
            f"{ROOT}/cpuset.cpus.effective": "0-7",
            f"{ROOT}/outer/inner/cpuset.cpus.effective": "2-3",
            f"{ROOT}/outer/inner/cpuset.cpus": "2-90",
        },
    )
    assert found == Limits("v2", 1.5, (2, 3), None, 8 * GIB)


def test_version_2_max_is_unlimited(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/", f"{ROOT}/cpu.max": "max 100000", f"{ROOT}/memory.max": "max"}
    assert limits(tmp_path, files) == Limits("v2", None, None, None, None)


def test_memory_high_is_the_tightest_of_all_ancestors(tmp_path: Path) -> None:
    """Whoever is above its mark is slowed down, whichever level set it; the word max sets none."""
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": "0::/outer/inner",
            f"{ROOT}/outer/memory.high": str(4 * GIB),
            f"{ROOT}/outer/inner/memory.high": str(6 * GIB),
            f"{ROOT}/memory.high": "max",
        },
    )
    assert (found.memory_high_bytes, found.memory_limit_bytes) == (4 * GIB, None)


def test_version_1_reads_each_controller_below_its_own_mount(tmp_path: Path) -> None:
    """Controllers have paths of their own, and the unlimited parents do not hide the limited child."""
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/job\n3:cpuset:/set\n2:cpu,cpuacct:/share\n1:name=systemd:/x",
            f"{ROOT}/cpu,cpuacct/share/cpu.cfs_quota_us": "50000",
            f"{ROOT}/cpu,cpuacct/share/cpu.cfs_period_us": "100000",
            f"{ROOT}/cpu,cpuacct/cpu.cfs_quota_us": "-1",
            f"{ROOT}/cpu,cpuacct/cpu.cfs_period_us": "100000",
            f"{ROOT}/cpuset/set/cpuset.cpus": "4-5",
            f"{ROOT}/cpuset/set/cpuset.mems": "1",
            f"{ROOT}/memory/memory.limit_in_bytes": "9223372036854771712",
            f"{ROOT}/memory/job/memory.limit_in_bytes": str(2 * GIB),
        },
    )
    assert found == Limits("v1", 0.5, (4, 5), (1,), 2 * GIB)


def test_version_1_unlimited_is_none(tmp_path: Path) -> None:
    found = limits(
        tmp_path,
        {
            f"{ROOT}/cpu/cpu.cfs_quota_us": "-1",
            f"{ROOT}/cpu/cpu.cfs_period_us": "100000",
            f"{ROOT}/memory/memory.limit_in_bytes": "9223372036854771712",
        },
    )
    assert found == Limits("v1", None, None, None, None)


def test_hybrid_takes_the_tighter_of_both(tmp_path: Path) -> None:
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": "2:cpu:/\n0::/unit",
            f"{ROOT}/cpu/cpu.cfs_quota_us": "300000",
            f"{ROOT}/cpu/cpu.cfs_period_us": "100000",
            f"{ROOT}/unified/unit/memory.max": str(GIB),
        },
    )
    assert found == Limits("hybrid", 3.0, None, None, GIB)


@pytest.mark.parametrize("path", ["/docker/abc", "/docker/abc/inner", "/../outside", "/elsewhere"])
def test_a_container_sees_its_own_group_at_the_mount(tmp_path: Path, path: str) -> None:
    """Without a cgroup namespace the path is the host's and the mount is the container's own group."""
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": f"0::{path}",
            "proc/self/mountinfo": "31 24 0:27 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw",
            f"{ROOT}/memory.max": str(3 * GIB),
            f"{ROOT}/cpu.max": "200000 100000",
            f"{ROOT}/inner/cpu.max": "100000 100000",
        },
    )
    assert found.memory_limit_bytes == 3 * GIB
    assert found.cpu_quota_cpus == (1.0 if path.endswith("inner") else 2.0)


def test_another_groups_limits_are_not_ours(tmp_path: Path) -> None:
    """A second mount shows a group beside ours. It limits that group, not this process."""
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": "0::/me",
            "proc/self/mountinfo": "1 2 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
            "1 2 0:1 /other /mnt/other rw - cgroup2 cgroup rw",
            f"{ROOT}/me/cpu.max": "max 100000",
            f"{ROOT}/me/memory.max": str(2 * GIB),
            "mnt/other/cpu.max": "50000 100000",
            "mnt/other/memory.max": str(GIB),
        },
    )
    assert (found.cpu_quota_cpus, found.memory_limit_bytes) == (None, 2 * GIB)


def test_each_controller_looks_for_its_own_group(tmp_path: Path) -> None:
    """Where the memory controller's mount contains our group and the CPU controller's does not, only it falls back."""
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/job\n2:cpu:/docker/abc",
            "proc/self/mountinfo": "1 2 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n"
            "1 2 0:1 /other /cg/other rw - cgroup cgroup rw,memory\n"
            "1 2 0:2 /docker/xyz /cg/cpu ro - cgroup cgroup rw,cpu",
            "cg/memory/job/memory.limit_in_bytes": str(3 * GIB),
            "cg/other/memory.limit_in_bytes": str(GIB),
            "cg/cpu/cpu.cfs_quota_us": "200000",
            "cg/cpu/cpu.cfs_period_us": "100000",
        },
    )
    assert (found.cpu_quota_cpus, found.memory_limit_bytes) == (2.0, 3 * GIB)


def test_a_hierarchy_mounted_elsewhere_is_found(tmp_path: Path) -> None:
    """The mount table, not the custom, says where a controller is."""
    found = limits(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/a",
            "proc/self/mountinfo": "40 31 0:35 / /cg/mem rw shared:5 - cgroup cgroup rw,memory\nbroken",
            "cg/mem/a/memory.limit_in_bytes": str(GIB),
        },
    )
    assert found.memory_limit_bytes == GIB


def test_limits_round_trip() -> None:
    for value in (
        Limits("v2", 1.5, (0, 1, 5), (0,), GIB, GIB // 2, is_unbalanced=True),
        Limits(None, None, None, None, None),
    ):
        assert recorded(value.to_json(), Limits, "limits") == value
