"""Checks for what slows one side of a comparison more than the other: isolated CPUs, mixed cores, memory.high.

The checks take a machine and a pin as data, and read nothing.
"""

from __future__ import annotations

from runner.host.check import Check, PinRequest
from runner.host.notes import (
    GIB,
    WHY_ISOLATED,
    WHY_ONE_KIND,
    WHY_THROTTLED,
    cores_of,
    isolated_in,
    performance_cores,
    throttles_below_limit,
)
from runner.host.pin import Pin, most_cores
from runner.machine import Machine, format_cpu_list


def isolation(machine: Machine, pin: Pin) -> Check:
    """Check whether the pin has isolated CPUs, between which the scheduler moves no threads."""
    name, isolated = "isolated CPUs", machine.isolated_cpus
    ticks = machine.settings.nohz_full_cpus
    also = f"; nohz_full on CPUs {format_cpu_list(ticks)}" if ticks else ""
    if not isolated:
        visible = machine.settings.isolation_visible
        why = "nohz_full only stops the timer tick where one thread runs; threads are still moved." if ticks else ""
        return Check(name, "ok", f"{'none' if visible else 'not visible'}{also}", why)
    inside = isolated_in(machine, pin)
    if not inside:
        where = "the pin is one of them" if set(isolated) & set(pin.cpus) else "left out of the pin"
        return Check(name, "ok", f"CPUs {format_cpu_list(isolated)}, {where}{also}", WHY_ISOLATED)
    found = f"CPUs {format_cpu_list(inside)} in the pin{also}"
    too_large = f"A speedup here can be as many times too large as the pin has CPUs ({len(pin.cpus)})."
    what_to_do = f"{too_large} {_elsewhere(machine)}"
    return Check(name, "advice", found, WHY_ISOLATED, what_to_do)


def _elsewhere(machine: Machine) -> str:
    if any(core.balanced_cpus for core in machine.cores):
        return "Leave out --cpus: the default takes no isolated CPU."
    return "Start the kit on CPUs that are not isolated."


def kinds_of_cores(machine: Machine, pin: Pin, pin_request: PinRequest) -> Check:
    """Check whether the pin mixes performance and efficiency cores."""
    name, kinds = "kinds of cores", [core.kind for core in cores_of(machine, pin)]
    if len(set(kinds)) < 2:
        left = [core for core in machine.cores if core.balanced_cpus and not core.is_fast]
        if not kinds or kinds[0] is None or not left:
            return Check(name, "ok", f"{kinds[0] or 'alike'}" if kinds else "none")
        if not _is_fast(machine, pin):
            only = "" if performance_cores(machine) else "; no performance core may be used"
            return Check(name, "ok", f"{kinds[0]}{only}")
        cpus = format_cpu_list(cpu for core in left for cpu in core.allowed_cpus)
        return Check(name, "ok", f"{kinds[0]}; efficiency cores left out (CPUs {cpus})", WHY_ONE_KIND)
    count = most_cores(machine, pin_request.headroom, pin.threads, lambda other: _is_fast(machine, other))
    what_to_do = (
        f"To use performance cores only: {pin_request.cores_option(count)}." if count else "Name cores of one kind."
    )
    return Check(name, "advice", "performance and efficiency cores", WHY_ONE_KIND, what_to_do)


def _is_fast(machine: Machine, pin: Pin) -> bool:
    return all(core.is_fast for core in cores_of(machine, pin))


def throttling(machine: Machine, least_bytes: int) -> Check:
    """Check whether memory.high slows the control group down before its memory limit ends it.

    It is a problem if memory.high is below `least_bytes`, which every launch needs.
    """
    name, high, limit = "memory.high", machine.limits.memory_high_bytes, machine.limits.memory_limit_bytes
    if high is None:
        return Check(name, "ok", "none")
    found = f"{high / GIB:.1f} GiB, memory.max {'none' if limit is None else f'{limit / GIB:.1f} GiB'}"
    if not throttles_below_limit(machine):
        return Check(name, "ok", found)
    what_to_do = (
        "Raise it to memory.max or above (with systemd: MemoryHigh=infinity for this unit or slice), or keep "
        "--batch-sizes so small that a launch stays below it."
    )
    return Check(name, "problem" if high < least_bytes else "advice", found, WHY_THROTTLED, what_to_do)
