"""Names a processor so that two are told apart: its microarchitecture, and the widest vectors that it shows.

A CPU model such as "AMD EPYC" or "Intel(R) Xeon(R) Processor", as virtual machines have it, says neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from runner.machine.cpuinfo import Processor
from runner.support.data import read_toml
from runner.support.structure import GIVEN, structure, written_by_people

FILE = Path(__file__).resolve().parent / "microarchitectures.toml"
SCHEMA_VERSION = 1
# What a reader knows them by, the widest first.
WIDEST = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}


@dataclass(frozen=True)
class Microarchitecture:
    """One entry of the file: the numbers that its processors have, and the instruction sets that they can have.

    `steppings` is empty for all.
    """

    name: str = field(metadata=GIVEN)
    vendor: str
    family: int
    models: tuple[str, ...]
    instruction_sets: tuple[str, ...]
    steppings: str = ""
    source: str = ""

    def has_numbers_of(self, processor: Processor) -> bool:
        """Whether vendor, family, model and stepping are those of this microarchitecture."""
        return (
            (processor.vendor, processor.family) == (self.vendor, self.family)
            and any(_holds(each, processor.model) for each in self.models)
            and (not self.steppings or _holds(self.steppings, processor.stepping))
        )


def microarchitecture(processor: Processor) -> tuple[str, str]:
    """Return the microarchitecture's name, "" if it is not known, and in words why it is not."""
    numbers = _numbers(processor)
    if not numbers:
        return "", "the processor does not tell its family and model"
    known = load()
    found = next((each for each in known.values() if each.has_numbers_of(processor)), None)
    if found is None:
        return "", f"the kit's table has no {processor.vendor} {numbers} stepping {processor.stepping}"
    named = {name for each in known.values() for name in each.instruction_sets}
    foreign = [name for name in processor.isa if name in named and name not in found.instruction_sets]
    if foreign:
        return "", (
            f"{numbers} is {found.name}, which has no {', '.join(foreign)}; a hypervisor may show the numbers of "
            "another processor"
        )
    return found.name, ""


def processor_title(processor: Processor) -> str:
    """The CPU model with what tells it from others of that name, such as "AMD EPYC (Zen 3, AVX2)"."""
    name, _ = microarchitecture(processor)
    widest = next((title for flag, title in WIDEST.items() if flag in processor.isa), "")
    details = ", ".join(filter(None, (name or _numbers(processor), widest)))
    return f"{processor.model_name or 'unknown processor'}{f' ({details})' if details else ''}"


@cache
def load() -> Mapping[str, Microarchitecture]:
    """Read the kit's table."""
    data = read_toml(FILE, SCHEMA_VERSION)
    return structure(data, _File, FILE.name, written_by_people()).microarchitectures


@dataclass(frozen=True)
class _File:
    microarchitectures: Mapping[str, Microarchitecture]


def _numbers(processor: Processor) -> str:
    if processor.family is None or processor.model is None:
        return ""
    return f"family {processor.family} model {processor.model}"


def _holds(numbers: str, number: int | None) -> bool:
    """Whether one hexadecimal number, or a range of them, holds this one."""
    first, _, last = numbers.partition("-")
    return number is not None and int(first, 16) <= number <= int(last or first, 16)
