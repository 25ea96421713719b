"""Which CPUs run and may be used, where masks, control groups and the list of online CPUs contradict one another."""

from __future__ import annotations

from dataclasses import replace

from runner.machine import Machine, format_cpu_list, read_machine
from tests.runner.sysroots import CPUS, Host, TreeRoot, lxcfs, partition, tree


def read(host: Host) -> Machine:
    """Read a described host as a machine."""
    return read_machine(TreeRoot(files=tree(host)))


def allowed(host: Host) -> str:
    """The CPUs that may be used, as the kernel writes lists."""
    return format_cpu_list(read(host).allowed_cpus)


def changed(host: Host, **files: str | None) -> Host:
    """A host with files added or, with None, removed; double underscores stand for slashes."""
    return replace(host, extra={**host.extra, **{name.replace("__", "/"): text for name, text in files.items()}})


def without_topology(host: Host) -> Host:
    """A host whose CPUs show nothing of where they are, as where /sys is hidden but for the list of online CPUs."""
    names = [name for name in tree(host) if name.startswith(f"{CPUS}/cpu")]
    return replace(host, extra={**host.extra, **dict.fromkeys(names)})


def test_in_a_partition_the_own_group_counts_and_not_its_parent() -> None:
    """The parent has 0-1, the own group and the mask 2-7. A partition takes its CPUs out of its parent's set."""
    machine = read(partition())
    assert format_cpu_list(machine.allowed_cpus) == "2-7"
    assert machine.limits.cpuset_cpus == (2, 3, 4, 5, 6, 7)


def test_in_a_partition_without_a_mask_the_own_group_counts() -> None:
    """The nearest set in effect is the group's own also where /proc/self/status tells nothing."""
    assert allowed(changed(partition(), proc__self__status=None)) == "2-7"


def test_a_group_with_nothing_in_effect_is_passed_over_for_its_parent() -> None:
    """An empty set is none; what was only asked for does not stand in for it."""
    files = {"sys/fs/cgroup/kit/cpuset.cpus.effective": "", "sys/fs/cgroup/cpuset.cpus.effective": "2-5"}
    host = changed(partition(), **{**files, "proc/self/status": None})
    assert allowed(host) == "2-5"
    assert allowed(changed(partition(), **files)) == "2-5"


def test_a_set_that_has_nothing_of_the_mask_is_another_groups() -> None:
    """A container can see a group at the mount that is not its own; the mask is this process's."""
    host = Host(cores=8, allowed=frozenset({6, 7}), extra={"sys/fs/cgroup/cpuset.cpus.effective": "0-3"})
    assert allowed(host) == "6-7"


def test_a_virtual_list_of_online_cpus_gives_way_to_the_mask() -> None:
    """The list says 0; mask and effective set say 24. The container's one CPU is the host's CPU 24."""
    machine = read(lxcfs())
    assert machine.allowed_cpus == (24,)
    assert machine.online_cpus == tuple(range(32))  # what shows a topology runs
    assert next(core.cpus for core in machine.cores if core.allowed_cpus) == (24,)


def test_a_virtual_list_that_shares_cpus_with_the_mask_is_found_out_too() -> None:
    """The list says 0-3; mask and effective set say 2-5.

    All four may be used, not only the two that both lists name.
    """
    assert allowed(lxcfs(frozenset({2, 3, 4, 5}))) == "2-5"


def test_a_virtual_list_is_found_out_without_control_groups() -> None:
    """A topology is shown by CPUs that run alone."""
    assert allowed(lxcfs(frozenset({2, 3, 4, 5}), **{"sys/fs/cgroup/cpuset.cpus.effective": None})) == "2-5"


def test_a_virtual_list_is_found_out_without_any_topology() -> None:
    """The control group vouches for its CPUs; each is then a core of its own."""
    machine = read(without_topology(lxcfs(frozenset({2, 3, 4, 5}))))
    assert machine.allowed_cpus == machine.online_cpus == (2, 3, 4, 5)
    assert len(machine.cores) == 4


def test_with_nothing_else_to_go_by_the_mask_counts() -> None:
    """Some CPU of a running process's mask runs, whatever a list says that has none of them."""
    bare = {"sys/fs/cgroup/cpuset.cpus.effective": None, "proc/self/cgroup": None}
    assert allowed(changed(without_topology(lxcfs()), **bare)) == "24"


def test_version_1_of_control_groups_vouches_as_well() -> None:
    """The same container on a host of version 1, whose kernel names the set in effect otherwise."""
    files = {
        "sys/fs/cgroup/cpuset.cpus.effective": None,
        "proc/self/cgroup": "3:cpuset:/lxc/one",
        "proc/self/mountinfo": "33 32 0:30 /lxc/one /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset",
        "sys/fs/cgroup/cpuset/cpuset.effective_cpus": "2-5",
    }
    assert allowed(without_topology(lxcfs(frozenset({2, 3, 4, 5}), **files))) == "2-5"


def test_virtual_processors_of_cpuinfo_place_no_cpu() -> None:
    """/proc/cpuinfo numbered from 0 tells of other CPUs: it neither lists nor groups those of the mask."""
    two = "processor : 0\nphysical id : 1\ncore id : 3\n\nprocessor : 1\nphysical id : 1\ncore id : 3"
    host = changed(without_topology(lxcfs(frozenset({1, 2}))), proc__cpuinfo=two)
    machine = read(host)
    assert [(core.cpus, core.socket) for core in machine.cores] == [((1,), 0), ((2,), 0)]


def test_a_mask_wider_than_the_host_proves_nothing() -> None:
    """A kernel allows CPUs that could exist, and a request can name any: neither makes a CPU."""
    asked = {"sys/fs/cgroup/cpuset.cpus": "2-90", "sys/fs/cgroup/cpuset.cpus.effective": "0-3"}
    wide = Host(cores=4, allowed=frozenset(range(128)), extra=asked)
    assert read(wide).online_cpus == (0, 1, 2, 3)


def test_a_cpu_that_is_switched_off_is_not_brought_back_by_a_mask() -> None:
    """Old version 1 groups keep naming an offline CPU; its own file says that it is off."""
    off = Host(cores=4, offline=frozenset({2}), extra={"sys/fs/cgroup/cpuset.cpus": "0-3"})
    assert read(off).online_cpus == read(off).allowed_cpus == (0, 1, 3)
