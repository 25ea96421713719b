"""The copy of a host's files says what the host says, to whoever reads hosts, and nothing about who owns it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from workload.cli import main
from workload.host import CAPTURES, capture

from runner.machine import Sysroot, conditions, facts, read_machine
from tests.images.workload.proc_tree import write_tree
from tests.runner import sysroots

CONTAINER = sysroots.container_with_quota()
MOUNTED = {"proc/self/mountinfo": "2 1 0:30 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw"}
HOSTS = [
    sysroots.ec2_c5_18xlarge(), sysroots.hybrid_laptop(), sysroots.amd_with_gaps(), sysroots.vm_without_numa(),
    replace(CONTAINER, extra={**CONTAINER.extra, **MOUNTED}),
    sysroots.Host(siblings_file="thread_siblings", nodes_file="cpumap"),
    sysroots.isolated(), sysroots.partition("isolated"), sysroots.lxcfs(), sysroots.throttled(),
    sysroots.compact_cores_by_clock(),
]  # fmt: skip
# The container's own system and C library are not the host's, so they are left out.
NOT_CAPTURED = ("operating_system", "libc")


def copied(what: str, source: Sysroot, folder: Path) -> Sysroot:
    """A copy of a host's files."""
    assert capture(what, str(folder), str(source.path))
    return Sysroot(folder)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.model)
def test_a_copy_is_read_as_the_host_itself(host: sysroots.Host, tmp_path: Path) -> None:
    """Cores, nodes, limits, settings and readings of the copy are those of the original."""
    source = sysroots.write(host, tmp_path / "source")
    original, copy = (read_machine(each).to_json() for each in (source, copied("host", source, tmp_path / "copy")))
    for name in NOT_CAPTURED:
        del original["platform"][name], copy["platform"][name]
    assert copy == original


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.model)
def test_conditions_and_readings_need_fewer_files(host: sysroots.Host, tmp_path: Path) -> None:
    """Before a launch its conditions and readings are kept, after it only readings; each set is within the next."""
    source = sysroots.write(host, tmp_path / "source")
    before = copied("conditions", source, tmp_path / "before")
    assert conditions(read_machine(before)) == conditions(read_machine(source))
    assert facts(before) == facts(copied("readings", source, tmp_path / "after")) == facts(source)
    assert set(CAPTURES["readings"]) < set(CAPTURES["conditions"]) < set(CAPTURES["host"])


def test_this_host_is_copied_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--capture host` gives the conditions that are read from the running kernel."""
    assert main(["--capture", "host", "--result-dir", str(tmp_path)]) == 0
    assert "files of this host's host copied" in capsys.readouterr().out
    assert conditions(read_machine(Sysroot(tmp_path))) == conditions(read_machine(Sysroot()))


def test_nothing_private_is_copied(tmp_path: Path) -> None:
    """Neither the host's name nor the places of its files are in the copy."""
    root = write_tree(
        tmp_path / "source",
        {
            "proc/sys/kernel/hostname": "private-name\n",
            "etc/hostname": "private-name\n",
            "sys/class/dmi/id/product_serial": "private-serial\n",
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": "1 0 8:1 /home/private-name /runs rw - ext4 /dev/sda rw\n"
            "2 0 0:30 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "sys/fs/cgroup/memory.max": "max\n",
        },
    )
    names = capture("host", str(tmp_path / "copy"), root)
    assert names == ["proc/self/cgroup", "proc/self/mountinfo", "sys/fs/cgroup/memory.max"]
    assert "private" not in "".join((tmp_path / "copy" / name).read_text() for name in names)
