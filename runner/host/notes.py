"""What host and pin do to a comparison, as sentences for whoever plans it or reads its report.

Pure functions of a machine and a pin: a report says of a run's record what `plan` said before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner.host.pin import Pin
from runner.machine import Core, Machine, format_cpu_list
from runner.support.wording import plural

GIB = 1 << 30

#: Why an isolated CPU is no place to compare on. No scheduling domain has it, in a container's CPU set neither.
WHY_ISOLATED = (
    "The scheduler moves no thread to or from an isolated CPU: threads that are not bound to a CPU, stock TensorFlow's "
    "among them, can all stay on the one where they were started, while OpenMP's bound threads spread."
)
#: Why cores of two kinds are no place to compare on.
WHY_ONE_KIND = (
    "OpenMP gives each thread an equal share of the work and waits for the slowest core, and Eigen's queue does not: "
    "mixed cores slow one side more than the other."
)
#: Why memory.high is worse than a hard limit, for a measurement. Source: cgroup-v2.rst, memory.high.
WHY_THROTTLED = (
    "Above memory.high the kernel slows a control group down and takes memory back from it, and kills nothing: a "
    "launch that needs more does not fail, it runs slower, and looks like any other."
)


def warnings_on(machine: Machine, pin: Pin) -> tuple[str, ...]:
    """What makes the figures of this pin on this host doubtful, one paragraph each."""
    return (*_isolated_in(machine, pin), *_mixed(machine, pin), *_throttling(machine))


def remarks_on(machine: Machine, pin: Pin) -> tuple[str, ...]:
    """What the pin leaves out on this host, and why, one paragraph each."""
    return (*_isolated_left_out(machine, pin), *_efficiency_left_out(machine, pin))


def notes_on(machine: Machine, pin: Pin) -> tuple[str, ...]:
    """All that must be known of this pin on this host, the doubtful first."""
    return (*warnings_on(machine, pin), *remarks_on(machine, pin))


def isolated_in(machine: Machine, pin: Pin) -> frozenset[int]:
    """The isolated CPUs of the pin; none where the pin is one CPU, on which there is nothing to balance."""
    return frozenset(machine.isolated_cpus) & set(pin.cpus) if len(pin.cpus) > 1 else frozenset()


def cores_of(machine: Machine, pin: Pin) -> list[Core]:
    """The cores that the pin has CPUs of."""
    return [core for core in machine.cores if set(core.cpus) & set(pin.cpus)]


def performance_cores(machine: Machine) -> list[Core]:
    """The performance cores of a hybrid processor on which a pin may be, unless it is told to; none on others."""
    return [core for core in machine.cores if core.balanced_cpus and core.kind is not None and core.is_fast]


def throttles_below_limit(machine: Machine) -> bool:
    """Whether the control group is slowed down by memory.high before anything else ends it."""
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
        f"The CPUs {format_cpu_list(found)} of the pin are isolated, and were asked for by name. {WHY_ISOLATED} A "
        f"speedup measured here can be as many times too large as the pin has CPUs ({len(pin.cpus)}).",
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
    there = f"There {'is' if usable == 1 else 'are'} {plural(usable, 'performance core')} to be had: --cores {usable}"
    return (
        f"The pin has {plural(len(fast), 'performance core')} (CPUs {_cpus(fast, pin)}) and "
        f"{plural(len(slow), 'efficiency core')} (CPUs {_cpus(slow, pin)}). {WHY_ONE_KIND}"
        f"{f' {there} takes no other.' if usable else ''}",
    )


def _efficiency_left_out(machine: Machine, pin: Pin) -> tuple[str, ...]:
    left = [core for core in machine.cores if core.balanced_cpus and not core.is_fast]
    cores = cores_of(machine, pin)
    if not left or not all(core.is_fast for core in cores):
        return ()
    cpus = format_cpu_list(cpu for core in left for cpu in core.allowed_cpus)
    return (
        f"The pin is on performance cores only; {plural(len(left), 'efficiency core')} (CPUs {cpus}) "
        f"{'is' if len(left) == 1 else 'are'} left out, which only --cpus or a larger --cores takes. {WHY_ONE_KIND}",
    )


def _throttling(machine: Machine) -> tuple[str, ...]:
    high = machine.limits.memory_high_bytes
    if high is None or not throttles_below_limit(machine):
        return ()
    return (
        f"memory.high is {high / GIB:.1f} GiB for the control group that the kit runs in, and so for processes that it "
        f"starts; a container has a group of its own. {WHY_THROTTLED}",
    )


def _cpus(cores: Iterable[Core], pin: Pin) -> str:
    return format_cpu_list(cpu for core in cores for cpu in core.cpus if cpu in pin.cpus)
