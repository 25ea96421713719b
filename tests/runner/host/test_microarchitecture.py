"""The name of a processor, from the numbers and instruction sets that it shows."""

from __future__ import annotations

import itertools

import pytest

from runner.host.microarchitecture import load, microarchitecture, processor_title
from runner.machine.cpuinfo import ISA_FLAGS, Processor

AVX2 = ("avx", "avx2", "fma")
AVX512 = (*AVX2, "avx512f", "avx512_vnni")
AMX = (*AVX512, "avx512_bf16", "avx512_fp16", "amx_tile")


def processor(
    vendor: str, family: int | None, model: int | None, stepping: int | None = 1, isa: tuple[str, ...] = AVX2,
    name: str = "AMD EPYC",
) -> Processor:  # fmt: skip
    """A processor with these numbers."""
    return Processor(name, vendor, family, model, stepping, "0x1", isa)


AMD, INTEL = "AuthenticAMD", "GenuineIntel"


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        (processor(AMD, 23, 1), "Zen or Zen+"),
        (processor(AMD, 23, 49), "Zen 2"),
        (processor(AMD, 25, 1), "Zen 3"),
        (processor(AMD, 25, 17, isa=AVX512), "Zen 4"),
        (processor(AMD, 26, 2, isa=AVX512), "Zen 5"),
        (processor(INTEL, 6, 85, 4, (*AVX2, "avx512f")), "Skylake-SP or -X"),
        (processor(INTEL, 6, 85, 7, AVX512), "Cascade Lake"),
        (processor(INTEL, 6, 85, 11, (*AVX512, "avx512_bf16")), "Cooper Lake"),
        (processor(INTEL, 6, 106, 6, AVX512), "Ice Lake-SP"),
        (processor(INTEL, 6, 143, 8, AMX), "Sapphire Rapids"),
        (processor(INTEL, 6, 143, 8, AVX2), "Sapphire Rapids"),  # a hypervisor hides what it likes
        (processor(INTEL, 6, 143, None, AMX), "Sapphire Rapids"),
    ],
)
def test_processors_are_named_by_their_numbers(shown: Processor, name: str) -> None:
    """One of each generation that EC2 has."""
    assert microarchitecture(shown) == (name, "")


def test_two_processors_of_one_model_name_are_told_apart() -> None:
    """Virtual machines show "AMD EPYC" for either, and one of them has AVX-512."""
    assert processor_title(processor(AMD, 25, 1)) == "AMD EPYC (Zen 3, AVX2)"
    assert processor_title(processor(AMD, 25, 17, isa=AVX512)) == "AMD EPYC (Zen 4, AVX-512)"


def test_numbers_that_the_instruction_sets_contradict_name_nothing() -> None:
    """A virtual machine showed the numbers of Rocket Lake, a desktop processor, and AMX, which only servers have."""
    shown = processor(INTEL, 6, 167, 1, AMX, name="Intel(R) Xeon(R) Processor")
    name, why = microarchitecture(shown)
    assert name == ""
    assert "family 6 model 167 is Rocket Lake, which has no avx512_bf16, avx512_fp16, amx_tile" in why
    assert processor_title(shown) == "Intel(R) Xeon(R) Processor (family 6 model 167, AMX)"


@pytest.mark.parametrize(
    ("shown", "why", "title"),
    [
        (processor("", None, None, isa=(), name=""), "does not tell its family and model", "unknown processor"),
        (
            processor(INTEL, 6, 255),
            "no GenuineIntel family 6 model 255 stepping 1",
            "AMD EPYC (family 6 model 255, AVX2)",
        ),
        (processor(AMD, 6, 85), "no AuthenticAMD family 6 model 85", "AMD EPYC (family 6 model 85, AVX2)"),
        (
            processor(INTEL, 6, 85, None),
            "no GenuineIntel family 6 model 85 stepping None",
            "AMD EPYC (family 6 model 85, AVX2)",
        ),
    ],
)
def test_what_is_not_known_is_said(shown: Processor, why: str, title: str) -> None:
    """Nothing is guessed; where three microarchitectures share a model, the stepping decides."""
    name, reason = microarchitecture(shown)
    assert name == ""
    assert why in reason
    assert processor_title(shown) == title


def test_no_two_microarchitectures_have_the_same_numbers() -> None:
    """Else the file's order would decide."""
    known = load().values()
    for vendor, family in {(each.vendor, each.family) for each in known}:
        for model, stepping in itertools.product(range(256), range(16)):
            shown = processor(vendor, family, model, stepping)
            assert sum(each.has_numbers_of(shown) for each in known) <= 1, (vendor, family, model, stepping)


def test_the_file_names_instruction_sets_as_the_kit_reads_them() -> None:
    """A misspelt one would contradict no processor."""
    assert {name for each in load().values() for name in each.instruction_sets} <= set(ISA_FLAGS)
