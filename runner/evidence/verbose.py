"""Reads verbose.toml: the environment variables that make a build print what it does. Knows no stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from runner.support.data import read_toml
from runner.support.structure import OneOf, structure, written_by_people

SWITCHES_FILE = Path(__file__).resolve().parent / "verbose.toml"
SCHEMA_VERSION = 1
_HOW = ("set", "add")
# Variables that bind threads. KMP_AFFINITY would override them, and a probe must not change what it observes.
_OTHER_BINDING = ("OMP_PROC_BIND", "OMP_PLACES")


@dataclass(frozen=True)
class Switch:
    """One verbose switch, with the library that reads it and the reason to set it."""

    name: str
    how: Annotated[str, OneOf("way to set a switch", _HOW)]
    value: str
    read_by: str
    reason: str
    source: str


@dataclass(frozen=True)
class _File:
    switches: tuple[Switch, ...]


@cache
def load_switches(path: Path = SWITCHES_FILE) -> tuple[Switch, ...]:
    """Read every switch, in the file's order.

    Raises:
        UsageError: the file lacks a key or has an unknown one.
    """
    return structure(read_toml(path, SCHEMA_VERSION), _File, str(path), written_by_people()).switches


def with_switches(environment: Mapping[str, str]) -> dict[str, str]:
    """A launch's environment with every verbose switch on. Its own settings keep their effect."""
    result = dict(environment)
    for switch in load_switches():
        if switch.how == "set":
            result[switch.name] = switch.value
        elif switch.name in result:
            result[switch.name] = _added(result[switch.name], switch.value)
        elif not any(name in result for name in _OTHER_BINDING):
            result[switch.name] = switch.value
    return dict(sorted(result.items()))


def _added(setting: str, word: str) -> str:
    words = setting.split(",")
    return setting if word in words else ",".join([word, *words])
