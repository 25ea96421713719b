"""Reads what `reproduce` measures for the whole article: the parts of each preset (coffee, night), as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from runner.support.data import read_toml
from runner.support.structure import GIVEN, structure, written_by_people
from runner.vocabulary import one_of

REPRODUCTIONS_FILE = Path(__file__).resolve().parent / "reproductions.toml"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Part:
    """One run of a reproduction: a comparison with a preset's sizes, or a ladder.

    `share` is its share of the time that is given, relative to the shares of the parts that are left. None stands for
    the preset's or the ladder's own value.
    """

    name: str
    title: str
    stacks: tuple[str, ...]
    share: int
    preset: str | None = None
    ladder: str | None = None
    topologies: tuple[str, ...] | None = None
    batch_sizes: tuple[int, ...] | None = None
    blocks: int | None = None


@dataclass(frozen=True)
class ReproductionPreset:
    """The parts of a reproduction, in the order in which they are run."""

    name: str = field(metadata=GIVEN)
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _File:
    reproductions: Mapping[str, ReproductionPreset]


@cache
def load_reproduction_presets(path: Path = REPRODUCTIONS_FILE) -> Mapping[str, ReproductionPreset]:
    """Read all presets, in the file's order.

    Raises:
        UsageError: a key is missing or unknown, or a value has another type than expected; the message names the place.
    """
    return structure(read_toml(path, SCHEMA_VERSION), _File, path.name, written_by_people()).reproductions


def find_reproduction_preset(name: str) -> ReproductionPreset:
    """Return the preset of that name.

    Raises:
        UsageError: there is no such preset; the message suggests the nearest names.
    """
    presets = load_reproduction_presets()
    return presets[one_of("preset of a reproduction", name, presets)]
