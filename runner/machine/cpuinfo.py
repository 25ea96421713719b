"""Reads /proc/cpuinfo: the processor's name, its microcode, and its instruction sets that TensorFlow uses.

It does not group logical CPUs into cores; `topology` does that from sysfs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from runner.machine.sysroot import Sysroot

#: Instruction sets from the oldest to the newest, with the names in `arch/x86/include/asm/cpufeatures.h`.
ISA_FLAGS = (
    "ssse3", "sse4_1", "sse4_2", "avx", "f16c", "avx2", "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq",
    "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8",
    "amx_fp16",
)  # fmt: skip

Block = Mapping[str, str]


@dataclass(frozen=True)
class Processor:
    """The processor model. Unknown text is ``""``, unknown numbers are None."""

    model_name: str
    vendor: str
    family: int | None
    model: int | None
    stepping: int | None
    microcode: str
    isa: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict."""
        return {**asdict(self), "isa": list(self.isa)}

    def lacks(self, needed: Sequence[str]) -> str:
        """Return in words that it has none of these instruction sets; empty if it has one of them, or none is named."""
        return f"this processor has none of {', '.join(needed)}" if needed and not set(needed) & set(self.isa) else ""


def cpuinfo_blocks(sysroot: Sysroot) -> tuple[Block, ...]:
    """Return one mapping per logical CPU of /proc/cpuinfo; empty where there is none."""
    sections = (sysroot.text("proc/cpuinfo") or "").split("\n\n")
    blocks = (_block(section) for section in sections)
    return tuple(block for block in blocks if "processor" in block)


def _block(section: str) -> Block:
    pairs = (line.partition(":") for line in section.splitlines() if ":" in line)
    return {key.strip(): " ".join(value.split()) for key, _, value in pairs}


def cpu_flags(blocks: Sequence[Block]) -> frozenset[str]:
    """Return the feature flags that every logical CPU has."""
    every = [frozenset(block.get("flags", "").split()) for block in blocks]
    return frozenset.intersection(*every) if every else frozenset()


def block_number(block: Block, key: str) -> int | None:
    """Return a decimal field of a block, None where it is absent or not a number."""
    value = block.get(key, "")
    return int(value) if value.isascii() and value.isdigit() else None


def read_processor(sysroot: Sysroot) -> Processor:
    """Describe the processor; where logical CPUs differ in microcode, all revisions are joined by ``,``."""
    blocks = cpuinfo_blocks(sysroot)
    first: Block = blocks[0] if blocks else {}
    flags = cpu_flags(blocks)
    return Processor(
        model_name=first.get("model name", ""),
        vendor=first.get("vendor_id", ""),
        family=block_number(first, "cpu family"),
        model=block_number(first, "model"),
        stepping=block_number(first, "stepping"),
        microcode=",".join(sorted({block["microcode"] for block in blocks if "microcode" in block})),
        isa=tuple(flag for flag in ISA_FLAGS if flag in flags),
    )
