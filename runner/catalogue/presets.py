"""Reads the presets (quick, figure1, full): defaults for the size of a run, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from runner.support.data import read_toml
from runner.support.structure import GIVEN, structure, written_by_people
from runner.vocabulary import one_of

PRESETS_FILE = Path(__file__).resolve().parent / "presets.toml"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Preset:
    """Defaults for a run of every variant of a stack. `timed_steps` are the fewest of a launch."""

    name: str = field(metadata=GIVEN)
    title: str
    topologies: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    blocks: int
    warmup_steps: int
    timed_steps: int
    bursts: int
    burst_seconds: float


@dataclass(frozen=True)
class _File:
    presets: Mapping[str, Preset]


@cache
def load_presets(path: Path = PRESETS_FILE) -> Mapping[str, Preset]:
    """Read all presets, in the file's order.

    Raises:
        UsageError: a key is missing or unknown, or a value has another type than expected; the message names the place.
    """
    return structure(read_toml(path, SCHEMA_VERSION), _File, path.name, written_by_people()).presets


def find_preset(name: str) -> Preset:
    """Return the preset of that name.

    Raises:
        UsageError: there is no such preset; the message suggests the nearest names.
    """
    presets = load_presets()
    return presets[one_of("preset", name, presets)]
