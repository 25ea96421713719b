"""Sentences on what the host and the pin do to a comparison, for `plan` and for reports.

They are pure functions of a machine and a pin. A report therefore says the same of a run as `plan` did before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner.host.pin import Pin
from runner.machine import Core, Machine, format_cpu_list
from runner.support.wording import plural

GIB = 1 << 30

#: Why not to compare on isolated CPUs. They are in no scheduling domain, also in the CPU set of a container.
WHY_ISOLATED = (
    "The scheduler moves no thread to or from an isolated CPU. Threads that are not bound to a CPU, stock TensorFlow's "
    "among them, can all stay on the CPU where they were started, while OpenMP's bound threads spread over all CPUs."
)
#: Why not to compare on cores of two kinds.
WHY_ONE_KIND = (
    "OpenMP gives each thread an equal share of the work and waits for the slowest core; Eigen's work queue does not. "
    "Mixed cores therefore slow one side more than the other."
)
#: Why memory.high is worse for a measurement than a hard limit. Source: cgroup-v2.rst, memory.high.
WHY_THROTTLED = (
    "Above memory.high the kernel slows a control group down and takes memory back from it, but kills no process. A "
    "launch that needs more memory does not fail. It runs more slowly and looks like any other."
)


def warnings_on(machine: Machine, pin: Pin) -> tuple[str, ...]:
    """One paragraph for each reason to doubt figures that are measured with this pin on this host."""
    return (*_isolated_in(machine, pin), *_mixed(machine, pin), *_throttling(machine))


def remarks_on(machine: Machine, pin: Pin) -> tuple[str, ...]:
    """One paragraph for each kind of CPU that the pin leaves out on this host, with the reason."""
    return (*_isolated_left_out(machine, pin), *_efficiency_left_out(machine, pin))


def notes_on(machine: Machine, pin: Pin) -> tuple[str, ...]:
    """All paragraphs on this pin on this host, the warnings first."""
    return (*warnings_on(machine, pin), *remarks_on(machine, pin))


def isolated_in(machine: Machine, pin: Pin) -> frozenset[int]:
    """The isolated CPUs of the pin; none if the pin has only one CPU, because then nothing is to be balanced."""
    return frozenset(machine.isolated_cpus) & set(pin.cpus) if len(pin.cpus) > 1 else frozenset()


def cores_of(machine: Machine, pin: Pin) -> list[Core]:
    """The cores whose CPUs are in the pin."""
    return [core for core in machine.cores if set(core.cpus) & set(pin.cpus)]


def performance_cores(machine: Machine) -> list[Core]:
    """The performance cores of a hybrid processor that a pin takes by default; none on other processors."""
    return [core for core in machine.cores if core.balanced_cpus and core.kind is not None and core.is_fast]


def throttles_below_limit(machine: Machine) -> bool:
    """Whether memory.high slows the control group down before another memory limit ends it."""
    high, limit, memory = (
        machine.limits.memory_high_bytes, machine.limits.memory_limit_bytes, machine.memory_bytes,
    )  # fmt: skip
    hard = min((size for size in (limit, memory) if size is not None), default=None)
    return high is not None and (hard is None or high < hard)


def _isolated_in(machine: Machine, pin: Pin) -> tuple[str, ...]:
    found = isolated_in(machine, pin)
    if not found:
        return ()
    return (
        f"The CPUs {format_cpu_list(found)} of the pin are isolated; a pin has such CPUs only if they are named. "
        f"{WHY_ISOLATED} A speedup measured here can be as many times too large as the pin has CPUs "
        f"({len(pin.cpus)}).",
    )


def _isolated_left_out(machine: Machine, pin: Pin) -> tuple[str, ...]:
    isolated = machine.isolated_cpus
    if not isolated or set(isolated) & set(pin.cpus):
        return ()
    return (f"The CPUs {format_cpu_list(isolated)} are isolated and not in the pin. {WHY_ISOLATED}",)


def _mixed(machine: Machine, pin: Pin) -> tuple[str, ...]:
    cores = cores_of(machine, pin)
    fast, slow = [core for core in cores if core.is_fast], [core for core in cores if not core.is_fast]
    if not fast or not slow:
        return ()
    usable = len(performance_cores(machine))
    there = f"To use performance cores only: --cores {usable}."
    return (
        f"The pin has {plural(len(fast), 'performance core')} (CPUs {_cpus(fast, pin)}) and "
        f"{plural(len(slow), 'efficiency core')} (CPUs {_cpus(slow, pin)}). {WHY_ONE_KIND}"
        f"{f' {there}' if usable else ''}",
    )


def _efficiency_left_out(machine: Machine, pin: Pin) -> tuple[str, ...]:
    left = [core for core in machine.cores if core.balanced_cpus and not core.is_fast]
    cores = cores_of(machine, pin)
    if not left or not all(core.is_fast for core in cores):
        return ()
    cpus = format_cpu_list(cpu for core in left for cpu in core.allowed_cpus)
    return (
        f"The pin is on performance cores only; {plural(len(left), 'efficiency core')} (CPUs {cpus}) "
        f"{'is' if len(left) == 1 else 'are'} left out. Only --cpus or a larger --cores takes them. {WHY_ONE_KIND}",
    )


def _throttling(machine: Machine) -> tuple[str, ...]:
    high = machine.limits.memory_high_bytes
    if high is None or not throttles_below_limit(machine):
        return ()
    return (
        f"memory.high is {high / GIB:.1f} GiB for the control group that the kit and its processes run in; a container "
        f"has a group of its own. {WHY_THROTTLED}",
    )


def _cpus(cores: Iterable[Core], pin: Pin) -> str:
    return format_cpu_list(cpu for core in cores for cpu in core.cpus if cpu in pin.cpus)
