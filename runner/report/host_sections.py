"""Says how host and pin affected a run, from its record: isolated CPUs, cores of two kinds, memory.high."""

from __future__ import annotations

from runner.host.microarchitecture import processor_title
from runner.host.notes import GIB, notes_on, warnings_on
from runner.host.pin import Pin
from runner.machine import Machine
from runner.report.value_text import plural
from runner.stats.results import Results


def host_in_words(measured: Results) -> str:
    """Return in words the processor, how many cores the pin has, and that the host is virtual if this is known."""
    machine, pin = _host(measured)
    virtual = ", virtual machine" if machine.platform.virtual else ""
    return f"{processor_title(machine.processor)}, {pin.threads} of {plural(len(machine.cores), 'core')}{virtual}"


def host_warnings(measured: Results) -> tuple[str, ...]:
    """Return what makes this run's figures doubtful, as one paragraph for each reason."""
    return (*warnings_on(*_host(measured)), *_throttled(measured))


def host_notes(measured: Results) -> tuple[str, ...]:
    """Return the same paragraphs and what the pin leaves out, for the section that describes the host."""
    return (*notes_on(*_host(measured)), *_throttled(measured))


def _host(measured: Results) -> tuple[Machine, Pin]:
    return measured.header.machine, measured.header.plan.pin


def _throttled(measured: Results) -> tuple[str, ...]:
    """Return a sentence on the launches whose control group reached memory.high, by its own counter; else nothing."""
    results = [record.training for record in measured.usable if record.training is not None]
    seen = [result.observed.cgroup for result in results if result.observed is not None]
    met = [cgroup for cgroup in seen if cgroup.memory_high_events]
    if not met:
        return ()
    lowest = min((cgroup.memory_high_bytes for cgroup in met if cgroup.memory_high_bytes), default=None)
    size = "" if lowest is None else f" ({lowest / GIB:.1f} GiB)"
    return (
        f"{len(met)} of {len(seen)} launches reached memory.high{size}. The kernel stopped them while it reclaimed "
        "memory, so that their steps took longer. Raise memory.high, or use smaller --batch-sizes.",
    )
