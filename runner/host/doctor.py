"""Checks whether a host is suitable for measurements. Each check says what was found, why it matters and what to do.

The checks take a machine and a pin as data. They read nothing, print nothing and know no engine.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.host.check import Check, CheckStatus, PinRequest
from runner.host.fairness_checks import isolation, kinds_of_cores, throttling
from runner.host.microarchitecture import processor_title
from runner.host.notes import GIB, cores_of
from runner.host.pin import Pin, most_cores
from runner.machine import Machine, format_cpu_list
from runner.support.disk import Filesystem, in_gigabytes

__all__ = ["GIB", "Check", "examine", "has_problem"]

#: A load above this share of the CPUs is more than the background work of an idle system.
BUSY_SHARE = 0.05
#: Above this share of stolen time since the host's start, other virtual machines compete for the physical CPUs.
STEAL_SHARE = 0.01
#: Rules of thumb: TensorFlow takes 1 GiB before it holds a network; a large network at batch 32 takes several GiB.
LEAST_MEMORY_BYTES = 2 * GIB
COMFORTABLE_MEMORY_BYTES = 8 * GIB


def examine(
    machine: Machine,
    pin: Pin,
    pin_request: PinRequest | None = None,
    *,
    disks: Sequence[Filesystem] = (),
    contained: bool = False,
) -> list[Check]:
    """Check a host for a pin. The checks come in reading order: first those about what cannot be changed.

    Without `pin_request`, a pin with siblings is taken to come from a list of CPUs, because no other option gives
    siblings. `disks` is what a build and a run will write. `contained` says that launches run in containers, which
    bring a C library of their own.
    """
    pin_request = pin_request or PinRequest(listed=pin.has_siblings)
    checks = [
        _architecture(machine),
        _libc(machine, contained),
        _instruction_sets(machine),
        _cores(machine, pin),
        _numa(machine, pin, pin_request),
        _smt(machine, pin),
        kinds_of_cores(machine, pin, pin_request),
        isolation(machine, pin),
        _quota(machine, pin, pin_request),
        _memory(machine),
        throttling(machine, LEAST_MEMORY_BYTES),
        _governor(machine),
        _turbo(machine),
        _huge_pages(machine),
        _virtualisation(machine),
        _load(machine),
        _steal(machine),
    ]
    return [*checks, *map(_disk, disks)]


def _architecture(machine: Machine) -> Check:
    found = machine.platform.architecture
    if found in ("x86_64", "amd64"):
        return Check("architecture", "ok", found)
    why = "The TensorFlow builds that are compared exist for x86-64 only."
    return Check("architecture", "problem", found, why, "Use an x86-64 host, not an emulator.")


def _libc(machine: Machine, contained: bool) -> Check:
    found = machine.platform.libc
    if found == "glibc":
        return Check("C library", "ok", found)
    if contained:
        return Check("C library", "ok", f"{found}; a container brings its own")
    why = "TensorFlow's wheels are manylinux wheels and need glibc."
    return Check("C library", "problem", found, why, "Use the docker engine or a glibc host.")


def _instruction_sets(machine: Machine) -> Check:
    isa = machine.processor.isa
    found = f"{processor_title(machine.processor)}: {' '.join(isa) or 'none known'}"
    if "avx" not in isa:
        why = "Since 1.6 TensorFlow's wheels use AVX. Without it they end with an illegal instruction."
        return Check("instruction sets", "problem", found, why, "Use a host or virtual CPU with AVX.")
    if "avx512f" in isa:
        return Check("instruction sets", "ok", found)
    why = f"Intel's kernels gain most from AVX-512{'' if 'avx2' in isa else ' and AVX2'}, which this CPU lacks."
    return Check("instruction sets", "advice", found, why, "Expect smaller speedups than the article's.")


def _cores(machine: Machine, pin: Pin) -> Check:
    shared = [core for core in cores_of(machine, pin) if len(core.allowed_cpus) < len(core.cpus)]
    found = f"{pin.threads} of {len(machine.cores)} physical cores, CPUs {pin.cpu_list}"
    if not shared:
        return Check("cores", "ok", found)
    outside = format_cpu_list(cpu for core in shared for cpu in set(core.cpus) - set(core.allowed_cpus))
    why = f"CPUs {outside} share cores with the pin, but others may use them."
    return Check("cores", "advice", found, why, "Give this container or session whole cores.")


def _numa(machine: Machine, pin: Pin, pin_request: PinRequest) -> Check:
    found = f"{pin.nodes} of {len(machine.nodes)} nodes, memory from {pin.mem_list}"
    remote = _nodes_of(machine, pin) - set(pin.mems)
    if pin.nodes < 2 and not remote:
        return Check("memory nodes", "ok", found)
    why = "Threads reach memory of another node more slowly. Both variants are slowed down, but not always equally."
    if remote:
        found += f", none from {format_cpu_list(remote)}, where CPUs of the pin are"
    count = most_cores(machine, pin_request.headroom, pin.threads, lambda other: _is_local(machine, other))
    if count is None:
        what_to_do = "Give this container or session CPUs and memory of the same node."
    else:
        what_to_do = f"To stay on one node and its memory: {pin_request.cores_option(count, ' or fewer')}."
    return Check("memory nodes", "advice", found, why, what_to_do)


def _nodes_of(machine: Machine, pin: Pin) -> set[int]:
    return {core.node for core in cores_of(machine, pin)}


def _is_local(machine: Machine, pin: Pin) -> bool:
    return pin.nodes == 1 and _nodes_of(machine, pin) <= set(pin.mems)


def _smt(machine: Machine, pin: Pin) -> Check:
    active = machine.settings.smt_active
    found = f"{'on' if active else 'off'}, {'siblings' if pin.has_siblings else 'one CPU for each core'} in the pin"
    if not pin.has_siblings:
        return Check("SMT", "ok", found)
    why = "Two threads on one core share its vector units, and one thread of a training keeps these busy."
    return Check("SMT", "advice", found, why, "Leave out --cpus: the default takes one CPU of each core.")


def _quota(machine: Machine, pin: Pin, pin_request: PinRequest) -> Check:
    quota = machine.limits.cpu_quota_cpus
    if quota is None:
        return Check("CPU quota", "ok", "none")
    found = f"{quota:g} CPUs for {len(pin.cpus)} in the pin"
    if quota >= len(pin.cpus):
        return Check("CPU quota", "ok", found)
    why = "When the quota is used up, all threads stop until the next period, and the waiting is measured as well."
    count = most_cores(machine, pin_request.headroom, min(int(quota), pin.threads), lambda _: True)
    fewer = f", or use {pin_request.cores_option(count)}" if count else ""
    return Check("CPU quota", "problem", found, why, f"Raise or remove the control group's CPU quota{fewer}.")


def _memory(machine: Machine) -> Check:
    known = (machine.readings.memory_available_bytes, machine.limits.memory_limit_bytes)
    available = min((size for size in known if size is not None), default=None)
    if available is None:
        return Check("memory", "advice", "unknown", "There may be too little memory.", "Watch the first run.")
    found = f"{available / GIB:.1f} GiB"
    if available >= COMFORTABLE_MEMORY_BYTES:
        return Check("memory", "ok", found)
    status: CheckStatus = "problem" if available < LEAST_MEMORY_BYTES else "advice"
    why = "A launch that runs out of memory is recorded as failed. One that swaps measures the disk."
    return Check("memory", status, found, why, "Free memory, or use smaller --batch-sizes.")


def _governor(machine: Machine) -> Check:
    governors = machine.settings.governors
    driver = machine.settings.frequency_driver
    found = f"{', '.join(governors) or 'not visible'}{f' ({driver})' if driver else ''}"
    if set(governors) <= {"performance"}:
        return Check("governor", "ok", found)
    why = "A governor that follows the load changes the clock between and within launches."
    return Check("governor", "advice", found, why, "As root: cpupower frequency-set --governor performance.")


def _turbo(machine: Machine) -> Check:
    turbo = machine.settings.turbo
    if not turbo:
        return Check("turbo", "ok", "not visible" if turbo is None else "off")
    why = "The clock then depends on temperature, busy cores and the vector width in use."
    return Check("turbo", "advice", "on", why, "Switched off, the figures vary less. Most users have it on.")


def _huge_pages(machine: Machine) -> Check:
    found = machine.settings.transparent_huge_pages
    if found != "never":
        return Check("transparent huge pages", "ok", found or "not visible")
    why = "Without them, large tensors cause many more page faults and address translations."
    what_to_do = "As root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled."
    return Check("transparent huge pages", "advice", found, why, what_to_do)


def _virtualisation(machine: Machine) -> Check:
    host = machine.platform
    found = host.instance_type or " ".join(filter(None, (host.vendor, host.product))) or "unnamed host"
    if not host.virtual:
        return Check("virtual machine", "ok", f"no ({found})")
    why = "The hypervisor decides which sockets, cores and nodes are shown, and other machines can share the hardware."
    return Check("virtual machine", "advice", f"yes ({found})", why, "Compare only with the same kind of host.")


def _load(machine: Machine) -> Check:
    load, cpus = machine.readings.load_1_minute, len(machine.online_cpus)
    if load is None:
        return Check("load", "ok", "not visible")
    found = f"{load:.2f} over the last minute on {cpus} CPUs"
    if load <= BUSY_SHARE * cpus:
        return Check("load", "ok", found)
    why = "Other work slows some launches down and not others."
    return Check("load", "advice", found, why, "Stop other work and wait a minute before measuring.")


def _steal(machine: Machine) -> Check:
    steal, total = machine.readings.steal_seconds, machine.readings.cpu_seconds
    if steal is None or not total:
        return Check("stolen time", "ok", "not visible")
    found = f"{steal / total:.2%} of all CPU time since the host was started"
    if steal <= STEAL_SHARE * total:
        return Check("stolen time", "ok", found)
    why = "The hypervisor ran other machines while this host had work to do."
    return Check("stolen time", "advice", found, why, "Use a dedicated or larger instance, or more --blocks.")


def _disk(disk: Filesystem) -> Check:
    folders = " and ".join(map(str, disk.folders))
    found = f"{in_gigabytes(disk.free)} free for {folders}, {in_gigabytes(disk.needed)} needed"
    if disk.free >= disk.needed:
        return Check("disk", "ok", found)
    why = "On a full disk, a build fails and a record is lost."
    return Check("disk", "problem", found, why, "Free space there, or choose another place for it.")


def has_problem(checks: Sequence[Check]) -> bool:
    """Whether one of the checks says that a run would fail or mislead."""
    return any(check.status == "problem" for check in checks)
