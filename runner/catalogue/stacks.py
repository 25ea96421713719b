"""Reads images/stacks.toml: which TensorFlow stacks and variants exist and why they are set up as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from cattrs import Converter
from packaging.utils import canonicalize_name

from runner.errors import UsageError
from runner.support.data import read_toml
from runner.support.structure import GIVEN, Hook, OneOf, class_hook, structure, written_by_people
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

    stack: str = field(metadata=GIVEN)
    name: str = field(metadata=GIVEN)
    wheel: str
    holds: Annotated[str, OneOf("content of a wheel", HOLDS)] | None = None
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

    name: str = field(metadata=GIVEN)
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
class Disk:
    """What a stack takes: bytes fetched and bytes unpacked for one environment, and the bytes of one image."""

    download_bytes: int
    environment_bytes: int
    image_bytes: int


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One era of TensorFlow. The first variant is the baseline."""

    name: str = field(metadata=GIVEN)
    title: str
    released: str
    python: str
    tensorflow: str
    reason: str
    source: str
    shared_requirements: tuple[str, ...]
    locked_by: Annotated[str, OneOf("way to write a lock", LOCKED_BY)]
    lock_platform: str | None = None
    base_image: str
    installer: Installer
    disk: Disk
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
        UsageError: the file lacks a key, has one that nobody reads, or names an unknown installation; the message names
            the place.
    """
    converter = written_by_people()
    converter.register_structure_hook(Stack, _stack_hook(converter))
    stacks = structure(read_toml(path, SCHEMA_VERSION), _File, path.name, converter).stacks
    for stack in stacks.values():
        _check(f"{path.name}, stacks.{stack.name}", stack)
    return stacks


def find_stack(name: str) -> Stack:
    """Return the stack of that name.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    stacks = load_stacks()
    return stacks[one_of("stack", name, stacks)]


@dataclass(frozen=True)
class _File:
    stacks: Mapping[str, Stack]


def _stack_hook(converter: Converter) -> Hook:
    """Tells each installation of a stack which one it is of."""
    inside = class_hook(Stack, converter)

    def structured(table: Any, kind: Any) -> Any:
        installations = table.get("installations") if isinstance(table, Mapping) else None
        if not isinstance(installations, Mapping):
            return inside(table, kind)
        placed = {
            name: {"stack": table["name"], **each} if isinstance(each, Mapping) else each
            for name, each in installations.items()
        }
        return inside({**table, "installations": placed}, kind)

    return structured


def _check(where: str, stack: Stack) -> None:
    for installation in stack.installations.values():
        if installation.holds is not None and installation.holds_source is None:
            raise UsageError(f"{where}.installations.{installation.name} has holds and lacks holds_source.")
    for variant in stack.variants.values():
        if variant.installation not in stack.installations:
            raise UsageError(f"{where}.variants.{variant.name}: there is no installation {variant.installation!r}.")
