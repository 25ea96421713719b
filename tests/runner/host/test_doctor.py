"""Whether a host is judged fit to measure on."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.host.check import PinRequest
from runner.host.doctor import GIB, Check, examine, has_problem
from runner.host.notes import WHY_ISOLATED, WHY_ONE_KIND
from runner.host.pin import choose_pin
from runner.machine import Machine, format_cpu_list, read_machine
from runner.support.disk import Filesystem
from tests.runner.host.drawn_hosts import hosts
from tests.runner.sysroots import (
    CPUS,
    ZEN_FLAGS,
    Host,
    TreeRoot,
    amd_with_gaps,
    container_with_quota,
    ec2_c5_18xlarge,
    hybrid_laptop,
    isolated,
    partition,
    throttled,
    tree,
    write,
)
from tests.runner.told import tells

ROOM = Filesystem((Path("/data"), Path("/other")), needed=10_000_000_000, free=20_000_000_000)


def examined(machine: Machine, cpus: frozenset[int] | None = None) -> dict[str, Check]:
    """Return the checks of a machine by name."""
    return {check.name: check for check in examine(machine, choose_pin(machine, cpus=cpus), disks=[ROOM])}


def with_files(folder: Path, files: dict[str, str | None]) -> Machine:
    """Read a plain host with files added."""
    return read_machine(write(Host(extra=files), folder))


def test_a_quiet_bare_host_has_nothing_to_do(tmp_path: Path) -> None:
    """One node, performance governor, no load: every check is ok."""
    checks = examined(read_machine(write(Host(), tmp_path)))
    assert {name for name, check in checks.items() if check.status != "ok"} == set()
    assert not has_problem(list(checks.values()))


@pytest.mark.parametrize(
    "host",
    [ec2_c5_18xlarge(), hybrid_laptop(), amd_with_gaps(), container_with_quota()],
    ids=lambda host: host.model,
)
def test_whatever_is_not_ok_says_why_and_what_to_do(tmp_path: Path, host: Host) -> None:
    """Advice and problems always come with a reason and a next step, and every check says what it found."""
    for check in examined(read_machine(write(host, tmp_path))).values():
        assert check.found
        assert check.status == "ok" or (check.why and check.what_to_do)


def test_the_article_host_gets_advice_only(tmp_path: Path) -> None:
    """A c5.18xlarge is fit, with advice on its nodes, its turbo and its being virtual."""
    checks = examined(read_machine(write(ec2_c5_18xlarge(), tmp_path)))
    assert {name: check.status for name, check in checks.items() if check.status != "ok"} == {
        "memory nodes": "advice",
        "turbo": "advice",
        "virtual machine": "advice",
    }
    assert "--cores 18" in checks["memory nodes"].what_to_do
    assert "c5.18xlarge" in checks["virtual machine"].found


@pytest.mark.parametrize(
    ("files", "name", "status"),
    [
        ({"proc/sys/kernel/arch": "aarch64"}, "architecture", "problem"),
        ({"etc/alpine-release": "3.20"}, "C library", "problem"),
        ({"sys/fs/cgroup/cpu.max": "350000 100000"}, "CPU quota", "problem"),
        ({"sys/fs/cgroup/cpu.max": "400000 100000"}, "CPU quota", "ok"),
        ({"sys/fs/cgroup/memory.max": str(GIB)}, "memory", "problem"),
        ({"sys/fs/cgroup/memory.max": str(4 * GIB)}, "memory", "advice"),
        ({"proc/meminfo": None}, "memory", "advice"),
        ({"sys/fs/cgroup/memory.high": str(4 * GIB)}, "memory.high", "advice"),
        ({f"{CPUS}/cpu1/cpufreq/scaling_governor": "powersave"}, "governor", "advice"),
        ({f"{CPUS}/cpufreq/boost": "1"}, "turbo", "advice"),
        ({f"{CPUS}/cpufreq/boost": "0"}, "turbo", "ok"),
        (
            {"sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]"},
            "transparent huge pages",
            "advice",
        ),
        ({"proc/loadavg": "0.25 0 0 1/1 1"}, "load", "advice"),
        ({"proc/loadavg": "0.20 0 0 1/1 1"}, "load", "ok"),
        ({"proc/loadavg": None}, "load", "ok"),
        ({"proc/stat": "cpu 100 0 0 800 0 0 0 100 0 0"}, "stolen time", "advice"),
        ({"proc/stat": None}, "stolen time", "ok"),
    ],
)
def test_one_change_to_a_fit_host_changes_one_check(
    tmp_path: Path, files: dict[str, str | None], name: str, status: str
) -> None:
    """Each fault is found by its own check and by no other."""
    checks = examined(with_files(tmp_path, files))
    assert checks[name].status == status
    assert {other for other, check in checks.items() if check.status != "ok"} <= {name}


@pytest.mark.parametrize(
    ("flags", "status"),
    [("sse4_2", "problem"), ("sse4_2 avx", "advice"), (ZEN_FLAGS, "advice"), (f"{ZEN_FLAGS} avx512f", "ok")],
)
def test_avx_is_required_and_avx_512_expected(tmp_path: Path, flags: str, status: str) -> None:
    """Without AVX TensorFlow does not start; without AVX-512 Intel's kernels gain less."""
    assert examined(read_machine(write(Host(flags=flags), tmp_path)))["instruction sets"].status == status


def test_the_quota_check_names_a_count_that_fits(tmp_path: Path) -> None:
    """Three CPUs under a quota of 2.5 are a problem that two cores solve."""
    check = examined(read_machine(write(container_with_quota(), tmp_path)))["CPU quota"]
    assert check.status == "problem"
    assert tells(check.found, "2.5 CPUs", "3")
    assert tells(check.what_to_do, "--cores 2")


@st.composite
def limited_hosts(draw: st.DrawFn) -> Host:
    """Draw hosts whose cores may be of two kinds or isolated, and whose CPU time may be limited."""
    host = draw(hosts())
    extra = {**host.extra, "sys/fs/cgroup/cpu.max": f"{draw(st.integers(5, 80))}0000 100000"}
    fast = draw(st.frozensets(st.sampled_from(host.cpus)))
    fast = frozenset(cpu for cpu in host.cpus if host.core_of(cpu) in {host.core_of(each) for each in fast})
    if fast and fast != frozenset(host.cpus):
        extra["sys/devices/cpu_core/cpus"] = format_cpu_list(fast)
        extra["sys/devices/cpu_atom/cpus"] = format_cpu_list(frozenset(host.cpus) - fast)
    isolated_cpus = draw(st.frozensets(st.sampled_from(host.cpus)))
    if host.usable - isolated_cpus:
        extra[f"{CPUS}/isolated"] = format_cpu_list(isolated_cpus)
    return replace(host, extra=extra)


@given(limited_hosts(), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_number_of_cores_that_is_advised_can_be_had_and_answers_the_advice(
    host: Host, data: st.DataObject
) -> None:
    """Whatever --cores a check names, it is accepted beside the headroom, and the check is then content."""
    machine = read_machine(TreeRoot(files=tree(host)))
    cpus = data.draw(st.none() | st.frozensets(st.sampled_from(sorted(host.usable)), min_size=1))
    cores = choose_pin(machine).threads
    headroom = data.draw(st.integers(0, cores - 1)) if cpus is None else 0
    pin_request = PinRequest(headroom, listed=cpus is not None)
    for check in examine(machine, choose_pin(machine, cpus=cpus, headroom=headroom), pin_request=pin_request):
        for count in re.findall(r"--cores (\d+)", check.what_to_do):
            pin = choose_pin(machine, cores=int(count), headroom=headroom)
            again = {each.name: each for each in examine(machine, pin, pin_request=pin_request)}
            assert again[check.name].status == "ok"
            assert ("instead of --cpus" in check.what_to_do) == (cpus is not None)


def test_advice_on_nodes_counts_the_cores_that_may_be_used(tmp_path: Path) -> None:
    """With five cores allowed on each node, five stay on one, and not the node's eighteen."""
    allowed = frozenset({*range(5), *range(18, 23)})
    machine = read_machine(write(replace(ec2_c5_18xlarge(), allowed=allowed), tmp_path))
    assert tells(examined(machine)["memory nodes"].what_to_do, "--cores 5")


def test_memory_of_another_node_is_advised_against_on_one_node_too(tmp_path: Path) -> None:
    """CPUs of node 0 alone, with memory of node 1 alone, compute on remote memory."""
    machine = read_machine(write(replace(ec2_c5_18xlarge(), mems_allowed=frozenset({1})), tmp_path / "one"))
    check = examined(machine, frozenset(range(4)))["memory nodes"]
    assert check.status == "advice"
    assert re.search(r"memory from 1\b.* from 0\b", check.found)
    assert tells(check.what_to_do, "--cores 4")
    nowhere = replace(ec2_c5_18xlarge(), mems_allowed=frozenset({1}), allowed=frozenset(range(4)))
    check = examined(read_machine(write(nowhere, tmp_path / "none")))["memory nodes"]
    assert (check.status, "--cores" in check.what_to_do) == ("advice", False)


def test_a_quota_with_siblings_names_the_cores_that_there_are(tmp_path: Path) -> None:
    """Four CPUs of two cores under a quota of three allow two cores instead of the list."""
    files: dict[str, str | None] = {"sys/fs/cgroup/cpu.max": "300000 100000"}
    machine = read_machine(write(Host(cores=2, smt=2, extra=files), tmp_path))
    check = examined(machine, frozenset(range(4)))["CPU quota"]
    assert tells(check.what_to_do, "--cores 2", "--cpus")


def test_advice_on_kinds_of_cores_leaves_the_headroom(tmp_path: Path) -> None:
    """With one core left free, five performance cores are left to take."""
    machine = read_machine(write(hybrid_laptop(), tmp_path))
    checks = examine(machine, choose_pin(machine, cores=8, headroom=1), pin_request=PinRequest(headroom=1))
    assert tells(next(check.what_to_do for check in checks if check.name == "kinds of cores"), "--cores 5")


def test_a_core_shared_with_strangers_is_named(tmp_path: Path) -> None:
    """CPU 3 is the other half of the core of which only CPU 7 is ours."""
    check = examined(read_machine(write(container_with_quota(), tmp_path)))["cores"]
    assert check.status == "advice"
    assert tells(check.why, "CPUs 3")


def test_siblings_in_the_pin_are_advised_against(tmp_path: Path) -> None:
    """Only a pin that holds both threads of a core gets the advice, not a host with SMT."""
    machine = read_machine(write(ec2_c5_18xlarge(), tmp_path))
    assert examined(machine)["SMT"].status == "ok"
    assert examined(machine, frozenset({0, 36}))["SMT"].status == "advice"


def test_mixed_kinds_of_cores_are_advised_against(tmp_path: Path) -> None:
    """A pin over both kinds of cores is told how many performance cores there are; the default is on these."""
    machine = read_machine(write(hybrid_laptop(), tmp_path))
    mixed = examined(machine, frozenset(range(14)))["kinds of cores"]
    assert (mixed.status, mixed.why) == ("advice", WHY_ONE_KIND)
    assert tells(mixed.what_to_do, "--cores 6")
    assert "--cpus" not in mixed.what_to_do
    default = examined(machine)["kinds of cores"]
    assert (default.status, default.why) == ("ok", WHY_ONE_KIND)
    assert tells(default.found, "performance", "efficiency", "CPUs 6-13")
    slow = examined(read_machine(write(replace(hybrid_laptop(), allowed=frozenset({8, 9})), tmp_path / "slow")))
    assert tells(slow["kinds of cores"].found, "efficiency", "no performance core")


@pytest.mark.parametrize(
    ("host", "cpus", "status", "found", "explains"),
    [
        (isolated(), None, "ok", ("CPUs 4-7", "left out"), True),
        (isolated(None), None, "ok", ("CPUs 4-7", "left out"), True),
        (isolated(None), frozenset({3, 4, 5}), "advice", ("CPUs 4-5",), True),
        (isolated(None), frozenset({4}), "ok", ("CPUs 4-7", "one"), True),
        (partition("isolated"), frozenset({2, 3}), "advice", ("CPUs 2-3",), True),
        (Host(extra={f"{CPUS}/isolated": "", f"{CPUS}/nohz_full": "2-3"}), None, "ok",
         ("none", "nohz_full", "CPUs 2-3"), False),
        (Host(), None, "ok", ("not visible",), False),
    ],
)  # fmt: skip
def test_a_pin_on_isolated_cpus_is_advised_against(
    tmp_path: Path, host: Host, cpus: frozenset[int] | None, status: str, found: tuple[str, ...], explains: bool
) -> None:
    """Where threads are not spread for those who do not bind them; one CPU alone has nothing to spread over."""
    check = examined(read_machine(write(host, tmp_path)), cpus)["isolated CPUs"]
    assert check.status == status
    assert tells(check.found, *found)
    assert (check.why == WHY_ISOLATED) is explains


@pytest.mark.parametrize(
    ("high", "limit", "status"),
    [
        (4 * GIB, 8 * GIB, "advice"),
        (4 * GIB, "max", "advice"),
        (GIB, 8 * GIB, "problem"),
        (8 * GIB, 8 * GIB, "ok"),
        (900 * GIB, "max", "ok"),
    ],
)
def test_a_group_that_is_slowed_down_before_it_is_ended_is_told(
    tmp_path: Path, high: int, limit: int | str, status: str
) -> None:
    """memory.high below memory.max, or below the memory there is, throttles and lets nothing fail."""
    check = examined(read_machine(write(throttled(high, limit), tmp_path)))["memory.high"]
    assert check.status == status
    assert ("MemoryHigh=infinity" in check.what_to_do) == (status != "ok")
    assert examined(read_machine(write(Host(), tmp_path / "none")))["memory.high"].found == "none"


def test_a_full_disk_is_a_problem(tmp_path: Path) -> None:
    """Less room than needed is a problem that names the place; no figures, no check."""
    machine = read_machine(write(Host(), tmp_path))
    pin = choose_pin(machine)
    full = examine(machine, pin, disks=[ROOM, replace(ROOM, free=1_000_000_000)])
    assert (full[-1].name, full[-1].status) == ("disk", "problem")
    assert tells(full[-1].found, "1.0 GB", "/data", "/other", "10.0 GB")
    assert full[-1].why
    assert full[-1].what_to_do
    assert has_problem(full)
    assert "disk" not in {check.name for check in examine(machine, pin)}


def test_a_host_without_glibc_can_measure_in_containers_only(tmp_path: Path) -> None:
    """TensorFlow's wheels need glibc, which an image has; the advice must be one that can be followed."""
    machine = with_files(tmp_path, {"etc/alpine-release": "3.20"})
    pin = choose_pin(machine)
    bare, contained = ({check.name: check for check in examine(machine, pin, contained=each)} for each in (False, True))
    assert bare["C library"].status == "problem"
    assert tells(bare["C library"].what_to_do, "docker")
    assert contained["C library"].status == "ok"
    assert tells(contained["C library"].found, "musl", "container")
