"""What tells this machine from another one: the kernel's boot id and the processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.machine import Sysroot
from runner.machine.identity import BOOT_ID, Identity, difference, identity_in, read_identity

BOOT = "82b50f69-8d21-4790-9f02-0711856a5629"
OTHER = "11111111-2222-3333-4444-555555555555"
HERE = Identity(BOOT, "AMD EPYC 7R13 Processor")
CPUINFO = "processor\t: 0\nmodel name\t: AMD EPYC  7R13 Processor\n\nprocessor\t: 1\nmodel name\t: another\n"


def test_the_identity_of_a_host_and_what_a_container_prints_of_it_are_the_same(tmp_path: Path) -> None:
    """Spaces in the processor's name do not count."""
    for name, text in ((BOOT_ID, f"{BOOT}\n"), ("proc/cpuinfo", CPUINFO)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert read_identity(Sysroot(tmp_path)) == identity_in(f"{BOOT}\n{CPUINFO}") == HERE


def test_what_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    """A container without a boot id prints an error in its place."""
    assert read_identity(Sysroot(tmp_path)) == Identity(None, None)
    missing = f"cat: /{BOOT_ID}: No such file or directory\n"
    assert identity_in(missing + CPUINFO) == Identity(None, HERE.cpu_model)
    assert identity_in("") == Identity(None, None)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (HERE, ""),
        (Identity(OTHER, HERE.cpu_model), OTHER),
        (Identity(None, HERE.cpu_model), "no boot id"),
        (Identity(BOOT, "QEMU Virtual CPU"), "QEMU Virtual CPU"),
        (Identity(BOOT, None), ""),
    ],
)
def test_another_kernel_or_processor_is_another_machine(there: Identity, words: str) -> None:
    """A kernel that tells no boot id is another one than a host's that does; an unknown processor proves nothing."""
    assert (words in difference(HERE, there)) if words else difference(HERE, there) == ""


def test_a_host_that_tells_nothing_cannot_be_told_from_another() -> None:
    """Nothing can be compared with it."""
    assert difference(Identity(None, None), HERE) == ""
