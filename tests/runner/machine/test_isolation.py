"""CPUs that the scheduler leaves alone, as boot parameters and control groups make them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import HostError
from runner.machine import Machine, conditions, format_cpu_list, read_machine
from runner.storage.header_json import recorded
from tests.runner.sysroots import CPUS, Host, TreeRoot, isolated, partition, tree, write


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


def found(host: Host) -> str:
    """The isolated CPUs, as the kernel writes lists."""
    return format_cpu_list(read(host).isolated_cpus)


def test_isolcpus_are_isolated_whether_or_not_they_may_be_used() -> None:
    """The kernel's own list tells; an isolated CPU of the mask is no balanced one of its core."""
    assert found(isolated()) == found(isolated(allowed=None)) == "4-7"
    cores = read(isolated(allowed=None)).cores
    assert [core.balanced_cpus for core in cores] == [(0,), (1,), (2,), (3,), (), (), (), ()]


def test_a_list_of_cpus_that_could_exist_names_no_more_than_exist() -> None:
    """The kernel isolates possible CPUs."""
    assert found(Host(cores=4, extra={f"{CPUS}/isolated": "2-127"})) == "2-3"


@pytest.mark.parametrize(("text", "ticks"), [("2-3", (2, 3)), ("(null)", ()), ("", ()), (None, ())])
def test_nohz_full_alone_isolates_nothing(text: str | None, ticks: tuple[int, ...]) -> None:
    """nohz_full stops the timer tick only. A kernel that was given none writes (null)."""
    machine = read(Host(extra={f"{CPUS}/isolated": "", f"{CPUS}/nohz_full": text}))
    assert machine.isolated_cpus == ()
    assert machine.settings.nohz_full_cpus == ticks


def test_another_text_is_an_error_that_names_the_file() -> None:
    """Whatever is no list of CPUs is not taken for none."""
    with pytest.raises(HostError, match="cpu/isolated"):
        read(Host(extra={f"{CPUS}/isolated": "some"}))


@pytest.mark.parametrize(
    ("kind", "cpus"), [("isolated", "2-7"), ("root", ""), ("member", ""), ("isolated invalid (Cpu list empty)", "")]
)
def test_an_isolated_partition_isolates_its_cpus(kind: str, cpus: str) -> None:
    """So does cgroup version 2 without any boot parameter; a partition that is not valid is none."""
    assert found(partition(kind)) == cpus


def test_a_member_of_an_isolated_partition_is_in_it() -> None:
    """The nearest valid partition above counts."""
    below = {
        **partition("isolated").extra,
        "proc/self/cgroup": "0::/kit/job",
        "sys/fs/cgroup/kit/job/cpuset.cpus.effective": "2-7",
        "sys/fs/cgroup/kit/job/cpuset.cpus.partition": "member",
    }
    assert found(Host(cores=8, allowed=frozenset(range(2, 8)), extra=below)) == "2-7"


@pytest.mark.parametrize(("top", "own", "cpus"), [("0", "0", "2-3"), ("1", "0", ""), ("0", "1", ""), ("1", "1", "")])
def test_version_1_isolates_where_no_group_balances(top: str, own: str, cpus: str) -> None:
    """A group that balances does so for all CPUs below it."""
    files = {
        "proc/self/cgroup": "3:cpuset:/job",
        "sys/fs/cgroup/cpuset/cpuset.sched_load_balance": top,
        "sys/fs/cgroup/cpuset/job/cpuset.sched_load_balance": own,
        "sys/fs/cgroup/cpuset/job/cpuset.cpus": "2-3",
    }
    assert found(Host(allowed=frozenset({2, 3}), extra=files)) == cpus


def test_isolation_is_a_condition(tmp_path: Path) -> None:
    """Launches before and after a boot with other parameters are not divided. "Not told" is not "none"."""
    assert conditions(read(isolated()))["isolated_cpus"] == "4-7"
    silent, quiet = Host(), Host(extra={f"{CPUS}/isolated": "", f"{CPUS}/nohz_full": "1-3"})
    assert conditions(read(silent))["isolated_cpus"] is None
    assert conditions(read(quiet))["isolated_cpus"] == "none"
    assert conditions(read(quiet))["nohz_full_cpus"] == "1-3"
    assert conditions(read_machine(write(isolated(), tmp_path))) == conditions(read(isolated()))


@pytest.mark.parametrize("host", [isolated(), partition("isolated")], ids=["boot", "group"])
def test_it_survives_json_and_is_absent_from_the_json_of_earlier_versions(host: Host) -> None:
    """An earlier run has none of these fields, and reads as a host of which they are not known."""
    machine = read(host)
    data = json.loads(json.dumps(machine.to_json()))
    assert recorded(data, Machine, "a machine") == machine
    del data["isolated_cpus"], data["settings"]["isolation_visible"], data["settings"]["nohz_full_cpus"]
    del data["limits"]["is_unbalanced"], data["limits"]["memory_high_bytes"]
    for cpu in data["cpus"]:
        del cpu["isolated"]
    earlier = recorded(data, Machine, "a machine")
    assert earlier.isolated_cpus == ()
    assert conditions(earlier)["isolated_cpus"] is None
