"""Control-group limits on captured trees: version 1, version 2, hybrid, containers and no limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from workload import launch
from workload.cgroup import read_limits, read_memory_high_events, read_memory_peak_bytes

from tests.images.workload.proc_tree import write_tree

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = (
    "33 32 0:30 {group} /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
    "34 32 0:31 {group} /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
)
V1_GROUPS = "4:memory:{path}\n2:cpu,cpuacct:{path}\n1:name=systemd:/\n"
UNLIMITED = {"cpu_quota_cpus": None, "memory_limit_bytes": None, "memory_high_bytes": None}
UNLIMITED_V1 = "9223372036854771712\n"


def test_version_2_takes_the_smallest_limit_of_all_levels(tmp_path: Path) -> None:
    """A parent's tighter quota and a child's tighter memory limit both count."""
    root = write_tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/kit/run\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/kit/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/kit/memory.max": "8589934592\n",
            "sys/fs/cgroup/kit/memory.high": "3221225472\n",
            "sys/fs/cgroup/kit/run/memory.high": "max\n",
            "sys/fs/cgroup/kit/run/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/kit/run/memory.max": "4294967296\n",
        },
    )
    assert read_limits(root) == {
        "version": 2,
        "cpu_quota_cpus": 1.5,
        "memory_limit_bytes": 4294967296,
        "memory_high_bytes": 3221225472,
    }


def test_version_2_without_limits(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/cpu.max": "max 100000\n",
            "sys/fs/cgroup/memory.max": "max\n",
        },
    )
    assert read_limits(root) == {"version": 2, **UNLIMITED}


def test_version_1_inside_a_container(tmp_path: Path) -> None:
    """A container sees its own group mounted at the top, although its path is the host's."""
    group = "/docker/0123abcd"
    root = write_tree(
        tmp_path,
        {
            "proc/self/cgroup": V1_GROUPS.format(path=group),
            "proc/self/mountinfo": V1_MOUNTS.format(group=group),
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "6442450944\n",
        },
    )
    assert read_limits(root) == {**UNLIMITED, "version": 1, "cpu_quota_cpus": 2.0, "memory_limit_bytes": 6442450944}


def test_version_1_unlimited_is_null(tmp_path: Path) -> None:
    """A quota of -1 and version 1's huge default are no limits."""
    root = write_tree(
        tmp_path,
        {
            "proc/self/cgroup": V1_GROUPS.format(path="/user"),
            "proc/self/mountinfo": V1_MOUNTS.format(group="/"),
            "sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/user/memory.limit_in_bytes": UNLIMITED_V1,
            "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_V1,
        },
    )
    assert read_limits(root) == {"version": 1, **UNLIMITED}


def test_hybrid_reads_version_1_beside_an_empty_version_2(tmp_path: Path) -> None:
    """Where version 2 is mounted without controllers, the limits and the version are version 1's."""
    root = write_tree(
        tmp_path,
        {
            "proc/self/cgroup": V1_GROUPS.format(path="/job") + "0::/job\n",
            "proc/self/mountinfo": V1_MOUNTS.format(group="/") + V2_MOUNT.replace("cgroup rw", "cgroup/unified rw", 1),
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": UNLIMITED_V1,
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
            "sys/fs/cgroup/unified/job/cgroup.procs": "1\n",
        },
    )
    assert read_limits(root) == {**UNLIMITED, "version": 1, "cpu_quota_cpus": 0.5, "memory_limit_bytes": 1073741824}


def test_no_control_groups(tmp_path: Path) -> None:
    """A kernel without control groups gives nulls."""
    assert read_limits(str(tmp_path)) == {"version": None, **UNLIMITED}


THROTTLED = {
    "proc/self/cgroup": "0::/kit/run\n",
    "proc/self/mountinfo": V2_MOUNT,
    "sys/fs/cgroup/kit/memory.high": "3221225472\n",
    "sys/fs/cgroup/kit/memory.events": "low 0\nhigh 17\nmax 2\noom 0\noom_kill 0\n",
    "sys/fs/cgroup/kit/run/memory.high": "max\n",
    "sys/fs/cgroup/kit/run/memory.events": "low 0\nhigh 5\nmax 0\noom 0\noom_kill 0\n",
}


def test_what_memory_high_held_up_is_counted_where_it_is_set(tmp_path: Path) -> None:
    """The level with the limit counts for all below it; a limit that was taken away since counts no more."""
    assert read_memory_high_events(write_tree(tmp_path, THROTTLED)) == 17


@pytest.mark.parametrize("files", [{"sys/fs/cgroup/kit/memory.high": "max\n"}, {"sys/fs/cgroup/kit/memory.events": ""}])
def test_nothing_is_counted_without_a_limit_or_a_count(tmp_path: Path, files: dict[str, str]) -> None:
    """Null is no zero: nobody looked."""
    assert read_memory_high_events(write_tree(tmp_path, {**THROTTLED, **files})) is None


def test_the_peak_is_that_of_the_innermost_group(tmp_path: Path) -> None:
    """A container's own group counts, not what others in its parents used."""
    root = write_tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/kit/run\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/kit/memory.peak": "9000000000\n",
            "sys/fs/cgroup/kit/run/memory.peak": "2000000000\n",
        },
    )
    assert read_memory_peak_bytes(root) == 2_000_000_000


def test_the_peak_of_version_1_inside_a_container(tmp_path: Path) -> None:
    """The container's group is mounted at the top."""
    root = write_tree(
        tmp_path,
        {
            "proc/self/cgroup": V1_GROUPS.format(path="/docker/ab"),
            "proc/self/mountinfo": V1_MOUNTS.format(group="/docker/ab"),
            "sys/fs/cgroup/memory/memory.max_usage_in_bytes": "1500000000\n",
        },
    )
    assert read_memory_peak_bytes(root) == 1_500_000_000


def test_no_peak_where_the_kernel_does_not_tell(tmp_path: Path) -> None:
    """Version 2 before Linux 5.19 has no memory.peak."""
    files = {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2_MOUNT}
    assert read_memory_peak_bytes(write_tree(tmp_path, files)) is None


@pytest.mark.parametrize(("counts", "during"), [([17, 26], 9), ([17, 17], 0), ([None, None], None), ([None, 3], None)])
def test_a_launch_records_what_was_counted_while_it_ran(
    monkeypatch: pytest.MonkeyPatch, counts: list[int | None], during: int | None
) -> None:
    """A group can have been held up long before; a job that is refused is a launch as well, without TensorFlow."""
    monkeypatch.setattr(launch, "read_memory_high_events", iter(counts).__next__)
    result = launch.carry_out({})
    assert result["error"]["kind"] == "invalid_job"
    assert result["observed"]["cgroup"]["memory_high_events"] == during
