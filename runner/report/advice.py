"""Advice on conditions that spoiled a run: what was found, and the option or command that helps. Pure functions.

After pyperf's `check` and hyperfine's warnings, which name what to do. Advice changes no number and no verdict. This
module is about the host. `launch_advice.py` is about launches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.stats.living_together import members_of
from runner.storage.records import Record

# The hypervisor's share of the CPU time of a launch; the kernel counts in hundredths of a second, so that the share of
# less CPU time than LEAST_CPU_SECONDS would be mostly rounding.
STEAL = 0.02
LEAST_CPU_SECONDS = 1.0
# A load before a launch still includes the launch before it, so that only more than the pin's threads counts.
LOAD = 0.5
# How far the clock may be apart between launches, and between before and after one of them.
CLOCK = 0.10
# Processors of this kind begin to lower their clock at 90 to 100 degrees Celsius.
HOT_CELSIUS = 90.0
BUSY = "python -m runner doctor"


@dataclass(frozen=True)
class Advice:
    """One condition: its name, what was found, and what to do about it, as two sentences."""

    about: str
    found: str
    what_to_do: str

    @property
    def text(self) -> str:
        """Both sentences."""
        return f"{self.found} {self.what_to_do}"


def host_advice(records: Sequence[Record], threads: int) -> list[Advice]:
    """Return the advice on the host of usable launches, given how many threads the pin has."""
    found = (steal(records), other_load(records, threads), throttling(records) or frequency(records))
    return [each for each in found if each is not None]


def steal(records: Sequence[Record]) -> Advice | None:
    """Return advice if the hypervisor took CPU time from some launch."""
    shares = {record.launch_id: share for record in records if (share := steal_share(record)) is not None}
    worst = max(shares, key=lambda name: shares[name], default="")
    if not worst or shares[worst] <= STEAL:
        return None
    much = sum(share > STEAL for share in shares.values())
    return Advice(
        "steal",
        f"The hypervisor took more than {STEAL:.0%} of the CPU time in {much} of {len(shares)} launches, and "
        f"{shares[worst]:.0%} in {worst}.",
        "Run at an hour when other guests are quiet, or on a host with CPUs of its own. The intervals include how this "
        "varied, and more blocks (--blocks) make them narrower. They do not include a loss that was systematically "
        "larger on one side.",
    )


def steal_share(record: Record) -> float | None:
    """Return the share of CPU time that the hypervisor took during a launch; None if that was not read."""
    before, after = record.facts["before"], record.facts["after"]
    values = [side.get(name) for side in (before, after) for name in ("steal_seconds", "cpu_seconds")]
    if any(value is None for value in values) or values[3] - values[1] < LEAST_CPU_SECONDS:
        return None
    return float((values[2] - values[0]) / (values[3] - values[1]))


def other_load(records: Sequence[Record], threads: int) -> Advice | None:
    """Return advice if more was running before some launch than the launch before it."""
    loads = {record.launch_id: load for record in records if (load := _before(record, "load_1_minute")) is not None}
    # Launches that live together start at the same time, with one busy thread each, which may be more than the pin has.
    usual = {record.launch_id: max(threads, members_of(record)) for record in records}
    busy = {name: load for name, load in loads.items() if load > usual[name] + LOAD}
    if not busy:
        return None
    worst = max(busy, key=lambda name: busy[name])
    return Advice(
        "other load",
        f"Something else was running before {len(busy)} of {len(loads)} launches: the load was up to {busy[worst]:.1f} "
        f"on {threads} threads, before {worst}.",
        "End it, or leave its CPUs out of the pin with --cpus, and run again. `ps -eo pcpu,args --sort=-pcpu` names "
        "it.",
    )


def frequency(records: Sequence[Record]) -> Advice | None:
    """Return advice if the clock before some launches was much lower than before others."""
    clocks = {record.launch_id: clock for record in records if (clock := _before(record, "cpu_mhz")) is not None}
    if not clocks or min(clocks.values()) > (1 - CLOCK) * max(clocks.values()):
        return None
    slowest = min(clocks, key=lambda name: clocks[name])
    return Advice(
        "frequency",
        f"The clock was between {clocks[slowest]:.0f} MHz (before {slowest}) and {max(clocks.values()):.0f} MHz.",
        "Fix it: `cpupower frequency-set --governor performance`, and switch turbo off in the firmware or below "
        f"/sys/devices/system/cpu. `{BUSY}` shows the governor.",
    )


def throttling(records: Sequence[Record]) -> Advice | None:
    """Return advice if the processor was hot after launches after which its clock was lower than before."""
    hot = [record for record in records if (_after(record, "cpu_temperature_celsius") or 0.0) >= HOT_CELSIUS]
    slowed = [record for record in hot if _slowed(record)]
    if not slowed:
        return None
    hottest = max(float(_after(record, "cpu_temperature_celsius") or 0.0) for record in slowed)
    return Advice(
        "throttling",
        f"The processor was at up to {hottest:.0f} degrees Celsius and had lowered its clock after {len(slowed)} of "
        f"{len(records)} launches, such as {slowed[0].launch_id}.",
        "Improve the cooling, switch turbo off, or use fewer cores (--cpus).",
    )


def _slowed(record: Record) -> bool:
    before, after = _before(record, "cpu_mhz"), _after(record, "cpu_mhz")
    return before is not None and after is not None and after < (1 - CLOCK) * before


def _before(record: Record, name: str) -> float | None:
    value = record.facts["before"].get(name)
    return None if value is None else float(value)


def _after(record: Record, name: str) -> float | None:
    value = record.facts["after"].get(name)
    return None if value is None else float(value)
