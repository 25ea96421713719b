"""Chooses the CPUs and memory nodes of a launch, and the thread count that follows from them.

It takes a machine as data; it neither reads the host nor binds a process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from runner.errors import HostError, UsageError
from runner.machine import Core, Machine, format_cpu_list
from runner.machine.compact import compact_cores


@dataclass(frozen=True)
class Pin:
    """The CPUs of a launch by physical core, its memory nodes, and the number of nodes and sockets that it spans."""

    cores: tuple[tuple[int, ...], ...]
    mems: tuple[int, ...]
    nodes: int
    sockets: int

    @property
    def cpus(self) -> tuple[int, ...]:
        """Every logical CPU of the pin, sorted."""
        return tuple(sorted(cpu for core in self.cores for cpu in core))

    @property
    def cpu_list(self) -> str:
        """The pin's logical CPUs in the kernel's list format (0-3,8), which taskset and cpusets accept."""
        return format_cpu_list(self.cpus)

    @property
    def mem_list(self) -> str:
        """The pin's memory nodes in the kernel's list format."""
        return format_cpu_list(self.mems)

    @property
    def threads(self) -> int:
        """The number of threads to compute with: one for each physical core."""
        return len(self.cores)

    @property
    def has_siblings(self) -> bool:
        """Whether the pin has more than one logical CPU of some core."""
        return any(len(core) > 1 for core in self.cores)

    def to_json(self) -> dict[str, Any]:
        """Return the pin as a plain dict, CPU lists as the kernel writes them."""
        return {
            "cpus": self.cpu_list,
            "mems": self.mem_list,
            "threads": self.threads,
            "cores": len(self.cores),
            "nodes": self.nodes,
            "sockets": self.sockets,
            "siblings": self.has_siblings,
            "cpus_by_core": [format_cpu_list(core) for core in self.cores],
        }


def choose_pin(
    machine: Machine, *, cpus: frozenset[int] | None = None, cores: int | None = None, headroom: int = 0
) -> Pin:
    """Choose the CPUs of a launch: by default one logical CPU of every allowed physical core.

    On a hybrid processor the default takes performance cores only.

    Args:
        machine: the host.
        cpus: exactly these logical CPUs. Only so can a pin have isolated CPUs, on every engine: the scheduler does not
            balance them in a container's CPU set either.
        cores: this number of cores, on as few memory nodes as possible, nodes with usable memory first, then on as few
            sockets as possible. Efficiency cores are taken only if there are too few performance cores.
        headroom: this number of cores is left free.

    Raises:
        HostError: this process may use no CPU.
        UsageError: the requested CPUs or cores are not available.
    """
    usable = tuple(core for core in machine.cores if core.allowed_cpus)
    if not usable:
        raise HostError(
            "While choosing CPUs to measure on, no logical CPU was found that is both online "
            f"({format_cpu_list(machine.online_cpus) or 'none'}) and allowed for this process. Expected at "
            "least one. Check the CPU set of this container or session; of a captured tree, that it holds "
            "/sys/devices/system/cpu or /proc/cpuinfo."
        )
    if cpus is not None:
        return _exact_pin(machine, usable, cpus, cores, headroom)
    balanced = _balanced(machine)
    suited = _performance_cores_if_enough(balanced, 0 if cores is None else cores + headroom)
    chosen = _cores_to_use(machine, _after_headroom(suited, headroom), cores)
    return _pin(machine, chosen, [core.balanced_cpus[:1] for core in chosen])


def _balanced(machine: Machine) -> tuple[Core, ...]:
    """Return the cores that a pin may take by default, without isolated CPUs, which only ``cpus`` takes.

    Raises:
        HostError: every CPU that may be used is isolated.
    """
    balanced = tuple(core for core in machine.cores if core.balanced_cpus)
    if not balanced:
        allowed = format_cpu_list(machine.allowed_cpus)
        raise HostError(
            f"While choosing CPUs to measure on, every CPU that this process may use ({allowed}) was found to be "
            "isolated. The scheduler moves no thread between isolated CPUs. Threads that are not bound to a CPU, stock "
            "TensorFlow's among them, can all stay where they were started. A speedup measured there can be too large "
            "by a factor of up to the number of cores. Expected some CPU that is not isolated. Start the kit on others "
            "(taskset --cpu-list, the CPU set of this container or session, isolcpus= on the kernel's command line), "
            f"or, to measure there all the same, name them: --cpus {allowed}."
        )
    return balanced


def _performance_cores_if_enough(cores: tuple[Core, ...], wanted: int) -> tuple[Core, ...]:
    """Return the performance cores if there are any, and at least ``wanted``; else all cores."""
    fast = tuple(core for core in cores if core.is_fast)
    return fast if len(fast) >= max(wanted, 1) else cores


def most_cores(machine: Machine, headroom: int, at_most: int, fits: Callable[[Pin], bool]) -> int | None:
    """Return the largest number of cores, up to ``at_most``, whose pin fits; None if none does."""
    available = sum(bool(core.balanced_cpus) for core in machine.cores) - headroom
    counts = range(min(at_most, available), 0, -1)
    return next((count for count in counts if fits(choose_pin(machine, cores=count, headroom=headroom))), None)


def _exact_pin(machine: Machine, usable: Sequence[Core], cpus: frozenset[int], cores: int | None, headroom: int) -> Pin:
    if cores is not None or headroom:
        raise UsageError(
            "A list of CPUs was given together with a number of cores or a headroom. The list already says exactly "
            "which CPUs to use. Leave out the other option, or leave out the list."
        )
    _require_usable(machine, cpus)
    chosen = [core for core in usable if cpus & set(core.allowed_cpus)]
    return _pin(machine, chosen, [tuple(cpu for cpu in core.allowed_cpus if cpu in cpus) for core in chosen])


def _require_usable(machine: Machine, cpus: frozenset[int]) -> None:
    known = {cpu.id for cpu in machine.cpus}
    online, allowed = frozenset(machine.online_cpus), frozenset(machine.allowed_cpus)
    outside, isolated = cpus & online - allowed, frozenset(machine.isolated_cpus)
    unusable = {
        "do not exist on this host": cpus - known,
        "are offline": cpus & known - online,
        "are not allowed for this process": outside - isolated,
        "are isolated (isolcpus=) and outside of the CPU mask that this process inherited": outside & isolated,
    }
    found = [f"CPUs {format_cpu_list(group)} {why}" for why, group in unusable.items() if group]
    if found or not cpus:
        raise UsageError(
            f"While pinning to the CPUs {format_cpu_list(cpus) or '(none)'}: "
            f"{'; '.join(found) or 'the list is empty'}. Expected some of the CPUs this process may use, "
            f"{format_cpu_list(allowed)}. Name only those, or widen the CPU set of this container or session."
            f"{_with_isolated(machine, outside & isolated)}"
        )


def _with_isolated(machine: Machine, wanted: frozenset[int]) -> str:
    """A sentence on how to get isolated CPUs into the process's mask; empty if its control group lacks them."""
    group = machine.limits.cpuset_cpus
    if not wanted or (group is not None and not wanted <= set(group)):
        return ""
    mask = format_cpu_list({*machine.allowed_cpus, *wanted})
    return f" To measure on isolated CPUs all the same, put taskset --cpu-list {mask} before the command."


def _after_headroom(usable: tuple[Core, ...], headroom: int) -> tuple[Core, ...]:
    """Leave the lowest-numbered cores free, that of CPU 0 first.

    The kernel starts on CPU 0 and, by default, keeps timers and device interrupts there. If that core is left to the
    system, this work disturbs the launch least.
    """
    if not 0 <= headroom < len(usable):
        kind = "performance cores" if usable[0].kind and all(core.is_fast for core in usable) else "cores"
        raise UsageError(
            f"A headroom of {headroom} cores was requested on a host where {len(usable)} {kind} may be used. "
            f"Expected 0 to {len(usable) - 1}, so that at least one core is left to measure on."
        )
    return usable[headroom:]


def _cores_to_use(machine: Machine, available: tuple[Core, ...], wanted: int | None) -> tuple[Core, ...]:
    if wanted is None:
        return available
    if not 1 <= wanted <= len(available):
        isolated = format_cpu_list(set(machine.isolated_cpus) & set(machine.allowed_cpus))
        left_out = f" The CPUs {isolated} are isolated and do not count: only --cpus takes them." if isolated else ""
        raise UsageError(
            f"{wanted} cores were requested, and {len(available)} physical cores may be used after any headroom. "
            f"Expected 1 to {len(available)}. Logical CPUs that share a core count as one.{left_out}"
        )
    return compact_cores(available, wanted, usable_mems(machine))


def _pin(machine: Machine, chosen: Sequence[Core], cpus_by_core: Sequence[tuple[int, ...]]) -> Pin:
    nodes = {core.node for core in chosen}
    return Pin(
        cores=tuple(cpus_by_core),
        mems=_mems(machine, nodes),
        nodes=len(nodes),
        sockets=len({core.socket for core in chosen}),
    )


def _mems(machine: Machine, nodes: set[int]) -> tuple[int, ...]:
    """Return the pin's own nodes, or every usable node if one of its own has no memory that may be used."""
    usable = usable_mems(machine)
    return tuple(sorted(nodes if nodes <= usable else usable))


def usable_mems(machine: Machine) -> frozenset[int]:
    """Return the allowed nodes that have memory; all allowed nodes if none is known to have memory."""
    allowed = frozenset(machine.allowed_mems)
    return allowed & {node.id for node in machine.nodes if node.has_memory} or allowed
