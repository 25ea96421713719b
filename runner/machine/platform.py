"""Reads the platform: architecture, C library, kernel, operating system, virtual machine, EC2 instance type.

The host's name, serial numbers and addresses are never read, because records are meant to be published.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from typing import Any

from runner.machine.cpuinfo import cpu_flags, cpuinfo_blocks
from runner.machine.sysroot import Sysroot

DMI = "sys/class/dmi/id"


@dataclass(frozen=True)
class Platform:
    """The platform of a host. None means unknown. `libc` is ``glibc`` or ``musl``."""

    architecture: str
    libc: str
    kernel_release: str | None
    operating_system: str | None
    virtual: bool
    vendor: str | None
    product: str | None
    instance_type: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict."""
        return asdict(self)


def read_platform(sysroot: Sysroot) -> Platform:
    """Read the platform. On EC2 with Nitro, bare metal included, the product name is the instance type."""
    vendor, product = sysroot.first_text(f"{DMI}/sys_vendor"), sysroot.first_text(f"{DMI}/product_name")
    return Platform(
        architecture=_architecture(sysroot),
        libc=_libc(sysroot),
        kernel_release=_kernel_release(sysroot),
        operating_system=_operating_system(sysroot),
        virtual="hypervisor" in cpu_flags(cpuinfo_blocks(sysroot)),
        vendor=vendor,
        product=product,
        instance_type=product if vendor == "Amazon EC2" else None,
    )


def _architecture(sysroot: Sysroot) -> str:
    """Return what ``uname -m`` prints. A captured tree may have it in /proc/sys/kernel/arch (Linux 6.1)."""
    if sysroot.live:
        return os.uname().machine
    told = sysroot.first_text("proc/sys/kernel/arch")
    arm = "CPU implementer" in (sysroot.text("proc/cpuinfo") or "")
    return told or ("aarch64" if arm else "x86_64")


def _libc(sysroot: Sysroot) -> str:
    """Name the C library of the host's own programs. Both glibc and musl can be installed."""
    if sysroot.text("etc/alpine-release") is not None:
        return "musl"
    folders = ("lib", "lib64", "usr/lib", "usr/lib64")
    loaders = [name for folder in folders for name in sysroot.entries(folder)]
    has_musl = any(name.startswith("ld-musl-") for name in loaders)
    has_glibc = any(name.startswith("ld-linux") for name in loaders)
    return "musl" if has_musl and not has_glibc else "glibc"


def _kernel_release(sysroot: Sysroot) -> str | None:
    version = re.match(r"Linux version (\S+)", sysroot.text("proc/version") or "")
    return sysroot.first_text("proc/sys/kernel/osrelease") or (version[1] if version else None)


def _operating_system(sysroot: Sysroot) -> str | None:
    release = sysroot.first_text("etc/os-release", "usr/lib/os-release") or ""
    match = re.search(r"^PRETTY_NAME=(.*)$", release, re.MULTILINE)
    return match[1].strip().strip("\"'") if match else None
