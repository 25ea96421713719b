"""Readings that change from minute to minute: load, steal, clock, temperature, memory. They are never conditions.

Reading takes milliseconds. It is done before and after a launch, never in the timed region.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from runner.machine.cpuinfo import cpuinfo_blocks
from runner.machine.numa import kibibytes
from runner.machine.sysroot import Sysroot

#: Ticks per second in /proc/stat: USER_HZ, which is 100 on x86 for any kernel configuration (proc_stat(5)).
USER_HZ = 100

HWMON = "sys/class/hwmon"
CPU_SENSORS = ("coretemp", "k10temp", "zenpower")


@dataclass(frozen=True)
class Readings:
    """The host at one moment. None means unknown. Seconds are summed over all CPUs since the host started."""

    load_1_minute: float | None
    load_5_minutes: float | None
    load_15_minutes: float | None
    cpu_seconds: float | None
    steal_seconds: float | None
    cpu_mhz: float | None
    cpu_temperature_celsius: float | None
    memory_available_bytes: int | None
    swap_total_bytes: int | None
    swap_free_bytes: int | None

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict."""
        return asdict(self)


def read_readings(sysroot: Sysroot) -> Readings:
    """Read the host as it is now. The clock is the mean over the CPUs, the temperature that of the hottest sensor."""
    load = _load(sysroot)
    ticks = _ticks(sysroot)
    meminfo = sysroot.text("proc/meminfo")
    return Readings(
        load_1_minute=load[0],
        load_5_minutes=load[1],
        load_15_minutes=load[2],
        cpu_seconds=sum(ticks) / USER_HZ if ticks else None,
        steal_seconds=ticks[7] / USER_HZ if len(ticks) > 7 else None,
        cpu_mhz=_mean_mhz(sysroot),
        cpu_temperature_celsius=max(_temperatures(sysroot), default=None),
        memory_available_bytes=_available(meminfo),
        swap_total_bytes=kibibytes(meminfo, "SwapTotal"),
        swap_free_bytes=kibibytes(meminfo, "SwapFree"),
    )


def facts(sysroot: Sysroot) -> dict[str, Any]:
    """Return the readings as a plain dict, as a record keeps them."""
    return read_readings(sysroot).to_json()


def _load(sysroot: Sysroot) -> tuple[float | None, float | None, float | None]:
    found = re.match(r"([0-9.]+) ([0-9.]+) ([0-9.]+)", sysroot.text("proc/loadavg") or "")
    return (float(found[1]), float(found[2]), float(found[3])) if found else (None, None, None)


def _ticks(sysroot: Sysroot) -> list[int]:
    """Return user, nice, system, idle, iowait, irq, softirq, steal. The user time includes guest time."""
    first = re.match(r"cpu +([0-9 ]+)", sysroot.text("proc/stat") or "")
    return [int(ticks) for ticks in first[1].split()[:8]] if first else []


def _mean_mhz(sysroot: Sysroot) -> float | None:
    clocks = [block["cpu MHz"] for block in cpuinfo_blocks(sysroot) if "cpu MHz" in block]
    numbers = [float(clock) for clock in clocks if re.fullmatch(r"[0-9.]+", clock)]
    return round(fmean(numbers), 1) if numbers else None


def _temperatures(sysroot: Sysroot) -> list[float]:
    chips = [f"{HWMON}/{name}" for name in sysroot.entries(HWMON)]
    chips = [chip for chip in chips if sysroot.text(f"{chip}/name") in CPU_SENSORS]
    files = [f"{chip}/{name}" for chip in chips for name in sysroot.entries(chip) if name.endswith("_input")]
    values = [sysroot.integer(name) for name in files if "/temp" in name]
    return [value / 1000 for value in values if value is not None]


def _available(meminfo: str | None) -> int | None:
    available = kibibytes(meminfo, "MemAvailable")
    if available is not None:
        return available
    # Kernels before 3.14 have no MemAvailable, so that its parts are summed here.
    parts = [kibibytes(meminfo, name) for name in ("MemFree", "Buffers", "Cached")]
    return sum(part for part in parts if part is not None) if any(parts) else None
