"""Reads the presets (quick, figure1, full): defaults for the size of a run, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from runner.support.data import check_keys, read_toml
from runner.vocabulary import one_of

PRESETS_FILE = Path(__file__).resolve().parent / "presets.toml"
SCHEMA_VERSION = 1
_KEYS = ("title", "topologies", "batch_sizes", "variants", "left_out", "blocks", "warmup_steps", "timed_steps")


@dataclass(frozen=True)
class Preset:
    """Defaults for a run. An empty `variants` means all that a stack has; `left_out` says what was dropped and why."""

    name: str
    title: str
    topologies: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    variants: tuple[str, ...]
    left_out: Mapping[str, str]
    blocks: int
    warmup_steps: int
    timed_steps: int


@cache
def load_presets(path: Path = PRESETS_FILE) -> Mapping[str, Preset]:
    """Read all presets, in the file's order."""
    data = read_toml(path, SCHEMA_VERSION)
    presets = {}
    for name, table in data["presets"].items():
        check_keys(f"presets.toml, {name}", table, _KEYS)
        lists = {key: tuple(table[key]) for key in ("topologies", "batch_sizes", "variants")}
        presets[name] = Preset(name=name, **{**table, **lists})
    return presets


def find_preset(name: str) -> Preset:
    """Return the preset of that name.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    presets = load_presets()
    return presets[one_of("preset", name, presets)]
