"""Reads images/stacks.toml: which TensorFlow stacks and variants exist and why they are set up as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from runner.errors import UsageError
from runner.support.data import check_keys, read_toml
from runner.vocabulary import Layout, one_of

IMAGES = Path(__file__).resolve().parents[2] / "images"
WORKLOAD = IMAGES / "workload"
STACKS_FILE = IMAGES / "stacks.toml"
SCHEMA_VERSION = 1

# What a wheel holds of oneDNN (MKL-DNN up to 2019), told by the symbols of its libraries.
HOLDS_NOTHING = "nothing"
HOLDS_MATRIX_PRODUCT = "the matrix product alone"
HOLDS_PRIMITIVES = "all primitives"
HOLDS = (HOLDS_NOTHING, HOLDS_MATRIX_PRODUCT, HOLDS_PRIMITIVES)

# Who writes a stack's locks (maintenance/lock_dependencies.py): uv, or the stack's own pip from a complete list.
LOCKED_BY = ("resolver", "installer")

_STACK_KEYS = (
    "title", "released", "python", "tensorflow", "reason", "source", "shared_requirements", "locked_by",
    "base_image", "installer", "disk", "installations", "variants",
)  # fmt: skip
_VARIANT_KEYS = (
    "installation", "label", "threading", "threading_source",
    "layout", "layout_reason", "layout_source", "environment",
)  # fmt: skip


@dataclass(frozen=True)
class Declared:
    """One environment variable that a variant sets, with its reason and source."""

    name: str
    value: str
    reason: str
    source: str


@dataclass(frozen=True)
class Installer:
    """The pip that fills an environment: a pinned requirement and the sha256 of its wheel."""

    requirement: str
    sha256: str


@dataclass(frozen=True)
class Installation:
    """What is put on disk: one wheel on top of the stack's shared requirements, locked with hashes.

    `holds` is one of HOLDS, what the wheel has of oneDNN in it, and `holds_source` how that was found; None where
    nobody has looked.
    """

    stack: str
    name: str
    wheel: str
    holds: str | None = None
    holds_source: str | None = None

    @property
    def lock(self) -> Path:
        """The file that pins every dependency of this installation by hash."""
        return IMAGES / "locks" / self.stack / f"{self.name}.txt"

    @property
    def wheels(self) -> Path:
        """The file that says which files the locked wheels hold (runner/matching/locked_wheels.py)."""
        return IMAGES / "locks" / self.stack / f"{self.name}.wheels"

    def lock_sha256(self) -> str:
        """Identify the installed set: sha256 of the lock file's bytes.

        Raises:
            UsageError: the lock does not exist.
        """
        try:
            return hashlib.sha256(self.lock.read_bytes()).hexdigest()
        except OSError as error:
            message = f"The lock of {self.stack}/{self.name} cannot be read ({error}). Make it with `make locks`."
            raise UsageError(message) from error


@dataclass(frozen=True)
class Variant:
    """An installation with its settings: one bar's colour in the figure."""

    name: str
    installation: str
    label: str
    threading: str
    threading_source: str
    layout: Layout
    layout_reason: str
    layout_source: str
    environment: tuple[Declared, ...]

    def to_json(self) -> dict[str, Any]:
        """The variant as run.json keeps it, so that a report needs nothing but the run."""
        return asdict(self)


@dataclass(frozen=True)
class Stack:
    """One era of TensorFlow. Sizes are bytes; the first variant is the baseline."""

    name: str
    title: str
    released: str
    python: str
    tensorflow: str
    reason: str
    source: str
    shared_requirements: tuple[str, ...]
    locked_by: str
    lock_platform: str | None
    base_image: str
    installer: Installer
    download_bytes: int
    environment_bytes: int
    image_bytes: int
    installations: Mapping[str, Installation]
    variants: Mapping[str, Variant]

    @property
    def baseline(self) -> str:
        """The variant that the others are divided by."""
        return next(iter(self.variants))

    def variants_of(self, installation: str) -> tuple[str, ...]:
        """The variants that run from an installation."""
        return tuple(variant.name for variant in self.variants.values() if variant.installation == installation)

    @property
    def has_hashed_bytecode(self) -> bool:
        """Can its Python check byte-code by the source's hash (PEP 552, from 3.7) rather than by its time?"""
        return tuple(int(part) for part in self.python.split(".")) >= (3, 7)

    def installation_of(self, variant: str) -> Installation:
        """What must be installed to run a variant."""
        return self.installations[self.variants[variant].installation]


def canonical_requirement(requirement: str) -> str:
    """A pinned requirement (`name==version`) with the name as PEP 503 writes it: two spellings of one are equal."""
    name, _, version = requirement.partition("==")
    return f"{canonicalize_name(name)}=={version}"


def every_installation(stacks: Iterable[Stack]) -> list[tuple[Stack, Installation]]:
    """All that these stacks can have installed, each with its stack."""
    return [(stack, installation) for stack in stacks for installation in stack.installations.values()]


@cache
def load_stacks(path: Path = STACKS_FILE) -> Mapping[str, Stack]:
    """Read every stack, in the file's order.

    Raises:
        UsageError: the file lacks a key, has one that nobody reads, or names an unknown installation.
    """
    data = read_toml(path, SCHEMA_VERSION)
    check_keys(str(path), data, ("stacks",))
    return {name: _stack(name, table) for name, table in data["stacks"].items()}


def find_stack(name: str) -> Stack:
    """Return the stack of that name.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    stacks = load_stacks()
    return stacks[one_of("stack", name, stacks)]


def _stack(name: str, table: Mapping[str, Any]) -> Stack:
    where = f"stacks.toml, stack {name}"
    check_keys(where, table, _STACK_KEYS, ("lock_platform",))
    one_of(f"way to write a lock (in {where})", table["locked_by"], LOCKED_BY)
    check_keys(f"{where}, installer", table["installer"], ("requirement", "sha256"))
    check_keys(f"{where}, disk", table["disk"], ("download_bytes", "environment_bytes", "image_bytes"))
    installations = {key: _installation(where, name, key, entry) for key, entry in table["installations"].items()}
    variants = {key: _variant(f"{where}, variant {key}", key, entry) for key, entry in table["variants"].items()}
    for variant in variants.values():
        if variant.installation not in installations:
            raise UsageError(f"{where}, variant {variant.name}: there is no installation {variant.installation!r}.")
    return Stack(
        name=name,
        **{
            key: table[key]
            for key in ("title", "released", "python", "tensorflow", "reason", "source", "locked_by", "base_image")
        },
        lock_platform=table.get("lock_platform"),
        shared_requirements=tuple(table["shared_requirements"]),
        installer=Installer(**table["installer"]),
        download_bytes=table["disk"]["download_bytes"],
        environment_bytes=table["disk"]["environment_bytes"],
        image_bytes=table["disk"]["image_bytes"],
        installations=installations,
        variants=variants,
    )


def _installation(where: str, stack: str, name: str, table: Mapping[str, Any]) -> Installation:
    inside = f"{where}, installation {name}"
    check_keys(inside, table, ("wheel",), ("holds", "holds_source"))
    if "holds" in table:
        one_of(f"content of a wheel (in {inside})", table["holds"], HOLDS)
        check_keys(inside, table, ("wheel", "holds", "holds_source"))
    return Installation(stack, name, **table)


def _variant(where: str, name: str, table: Mapping[str, Any]) -> Variant:
    check_keys(where, table, _VARIANT_KEYS)
    for entry in table["environment"]:
        check_keys(f"{where}, environment", entry, ("name", "value", "reason", "source"))
    declared = tuple(Declared(**entry) for entry in table["environment"])
    return Variant(name=name, **{**table, "environment": declared})
