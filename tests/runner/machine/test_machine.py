"""The machine as a whole: identity, settings, readings, and this very host."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from runner.machine import Machine, Sysroot, conditions, facts, read_machine
from runner.storage.header_json import recorded
from tests.runner.sysroots import (
    CPUS,
    Host,
    TreeRoot,
    amd_with_gaps,
    container_with_quota,
    ec2_c5_18xlarge,
    hybrid_laptop,
    tree,
    vm_without_numa,
    write,
)

HOSTS = {
    make.__name__: make
    for make in (ec2_c5_18xlarge, hybrid_laptop, amd_with_gaps, vm_without_numa, container_with_quota)
}


def machine_with(folder: Path, **files: str | None) -> Machine:
    """Read a plain host with files added; double underscores stand for slashes."""
    extra = {name.replace("__", "/"): text for name, text in files.items()}
    return read_machine(write(Host(extra=extra), folder))


@pytest.mark.parametrize("name", HOSTS)
def test_json_round_trips(tmp_path: Path, name: str) -> None:
    machine = read_machine(write(HOSTS[name](), tmp_path))
    assert recorded(json.loads(json.dumps(machine.to_json())), Machine, "a machine") == machine


@pytest.mark.parametrize("name", HOSTS)
def test_a_tree_in_memory_reads_as_the_same_files_do(tmp_path: Path, name: str) -> None:
    """Tests that read hosts from memory say the same as files would."""
    host = HOSTS[name]()
    assert read_machine(TreeRoot(files=tree(host))) == read_machine(write(host, tmp_path))


@pytest.mark.parametrize("name", HOSTS)
def test_the_host_name_is_never_recorded(tmp_path: Path, name: str) -> None:
    sysroot = write(HOSTS[name](), tmp_path)
    assert sysroot.text("etc/hostname") == "private-name"
    assert "private-name" not in json.dumps(read_machine(sysroot).to_json())


def test_recognises_the_article_host(tmp_path: Path) -> None:
    machine = read_machine(write(ec2_c5_18xlarge(), tmp_path))
    assert machine.processor.model_name == "Intel(R) Xeon(R) Platinum 8124M CPU @ 3.00GHz"
    assert (machine.processor.family, machine.processor.model, machine.processor.stepping) == (6, 85, 4)
    assert {"avx2", "fma", "avx512f"} <= set(machine.processor.isa)
    assert "avx512_vnni" not in machine.processor.isa
    assert machine.platform.instance_type == "c5.18xlarge"
    assert machine.platform.virtual
    assert machine.settings.turbo is True
    assert machine.settings.smt_active
    assert machine.settings.governors == ()


def test_an_instance_type_is_claimed_only_on_ec2(tmp_path: Path) -> None:
    """Another vendor's product name is no instance type."""
    files = {"sys/class/dmi/id/sys_vendor": "QEMU", "sys/class/dmi/id/product_name": "c5.18xlarge"}
    platform = read_machine(write(Host(extra=files), tmp_path)).platform
    assert (platform.vendor, platform.instance_type) == ("QEMU", None)


def test_an_empty_tree_is_a_machine_without_cpus(tmp_path: Path) -> None:
    """Absent files never raise: an empty folder reads as a host of which nothing is known."""
    machine = read_machine(Sysroot(tmp_path))
    assert machine.cpus == ()
    assert machine.processor.isa == ()
    assert machine.platform.architecture == "x86_64"
    assert set(facts(Sysroot(tmp_path)).values()) == {None}
    assert recorded(machine.to_json(), Machine, "a machine") == machine


def test_a_captured_architecture_is_taken_from_the_tree(tmp_path: Path) -> None:
    """The kernel's own file names the architecture; failing that, ARM's cpuinfo gives it away."""
    assert machine_with(tmp_path / "a", proc__sys__kernel__arch="aarch64").platform.architecture == "aarch64"
    arm = machine_with(tmp_path / "b", proc__cpuinfo="processor : 0\nCPU implementer : 0x41")
    assert arm.platform.architecture == "aarch64"


@pytest.mark.parametrize(
    ("files", "libc"),
    [
        ({}, "glibc"),
        ({"lib/ld-musl-x86_64.so.1": ""}, "musl"),
        ({"lib/ld-musl-x86_64.so.1": "", "lib64/ld-linux-x86-64.so.2": ""}, "glibc"),
        ({"etc/alpine-release": "3.20", "lib64/ld-linux-x86-64.so.2": ""}, "musl"),
    ],
)
def test_names_the_c_library(tmp_path: Path, files: dict[str, str], libc: str) -> None:
    """Alpine is musl even with a glibc loader beside it; elsewhere musl alone makes a musl host."""
    assert read_machine(write(Host(extra=files), tmp_path)).platform.libc == libc


@pytest.mark.parametrize(
    ("files", "turbo"),
    [
        ({"intel_pstate/no_turbo": "1"}, False),
        ({"intel_pstate/no_turbo": "0"}, True),
        ({"cpufreq/boost": "0"}, False),
        ({"cpufreq/boost": "1"}, True),
        ({}, None),
    ],
)
def test_reads_turbo_from_either_driver(tmp_path: Path, files: dict[str, str], turbo: bool | None) -> None:
    """Intel's file says whether turbo is forbidden, the general one whether it is on."""
    extra = {f"{CPUS}/{name}": text for name, text in files.items()}
    assert read_machine(write(Host(extra=extra), tmp_path)).settings.turbo is turbo


def test_smt_follows_the_topology_on_old_kernels(tmp_path: Path) -> None:
    assert read_machine(write(Host(smt=2), tmp_path / "two")).settings.smt_active
    assert not read_machine(write(Host(), tmp_path / "one")).settings.smt_active


def test_differing_governors_are_all_named(tmp_path: Path) -> None:
    machine = read_machine(write(Host(extra={f"{CPUS}/cpu2/cpufreq/scaling_governor": "powersave"}), tmp_path))
    assert machine.settings.governors == ("performance", "powersave")


def test_huge_pages_are_the_chosen_word(tmp_path: Path) -> None:
    assert machine_with(tmp_path).settings.transparent_huge_pages == "madvise"


def test_readings_come_with_their_units(tmp_path: Path) -> None:
    """Ticks become seconds, kibibytes bytes, millidegrees degrees; only processor sensors count."""
    sensors = {"hwmon0/name": "coretemp", "hwmon0/temp1_input": "61500", "hwmon0/temp2_input": "59000"}
    other = {"hwmon1/name": "nvme", "hwmon1/temp1_input": "90000"}
    extra = {f"sys/class/hwmon/{name}": text for name, text in {**sensors, **other}.items()}
    assert facts(write(Host(extra=extra), tmp_path)) == {
        "load_1_minute": 0.1,
        "load_5_minutes": 0.2,
        "load_15_minutes": 0.3,
        "cpu_seconds": 1000.0,
        "steal_seconds": 1.0,
        "cpu_mhz": 3000.0,
        "cpu_temperature_celsius": 61.5,
        "memory_available_bytes": 134217728 * 1024,
        "swap_total_bytes": 0,
        "swap_free_bytes": 0,
    }


def test_available_memory_is_summed_on_old_kernels(tmp_path: Path) -> None:
    """Without MemAvailable, free memory, buffers and page cache are what can be had."""
    text = "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 2 kB\nCached: 30 kB"
    assert machine_with(tmp_path, proc__meminfo=text).readings.memory_available_bytes == 42 * 1024


def test_conditions_hold_what_changes_speed_and_nothing_that_drifts(tmp_path: Path) -> None:
    """Load may differ between two records that are compared; the governor may not."""
    base = machine_with(tmp_path / "base")
    assert conditions(machine_with(tmp_path / "load", proc__loadavg="9 9 9 1/1 1")) == conditions(base)
    changes = {
        "kernel_release": {"proc/sys/kernel/osrelease": "6.1.0"},
        "transparent_huge_pages": {"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never"},
        "turbo": {f"{CPUS}/cpufreq/boost": "1"},
        "smt_active": {f"{CPUS}/smt/active": "1"},
        "governors": {f"{CPUS}/cpu0/cpufreq/scaling_governor": "powersave"},
        "cpu_quota_cpus": {"sys/fs/cgroup/cpu.max": "100000 100000"},
        "memory_high_bytes": {"sys/fs/cgroup/memory.high": "4294967296"},
        "isolated_cpus": {f"{CPUS}/isolated": "3"},
        "nohz_full_cpus": {f"{CPUS}/nohz_full": "3"},
    }
    for name, files in changes.items():
        other = conditions(read_machine(write(Host(extra=files), tmp_path / name)))
        assert {key for key, value in other.items() if value != conditions(base)[key]} == {name}


@pytest.mark.skipif(sys.platform != "linux", reason="reads this host's /proc and /sys")
def test_reads_this_host() -> None:
    """The running host reads without error and allows exactly the CPUs of this process's affinity mask."""
    machine = read_machine(Sysroot())
    assert set(machine.allowed_cpus) == os.sched_getaffinity(0)
    assert set(machine.allowed_mems) <= {node.id for node in machine.nodes}
    assert machine.platform.architecture == os.uname().machine
    assert os.uname().nodename not in json.dumps(machine.to_json())
