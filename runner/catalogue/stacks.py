"""Reads images/stacks.toml: the TensorFlow stacks and variants, with the reason and the source of each choice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from cattrs import Converter
from packaging.utils import canonicalize_name

from runner.catalogue.debian_libraries import find_library
from runner.errors import UsageError
from runner.machine import Processor
from runner.support.data import read_toml
from runner.support.structure import GIVEN, Hook, OneOf, class_hook, structure, written_by_people
from runner.vocabulary import Layout, one_of

IMAGES = Path(__file__).resolve().parents[2] / "images"
WORKLOAD = IMAGES / "workload"
STACKS_FILE = IMAGES / "stacks.toml"
SCHEMA_VERSION = 1

# The part of oneDNN (MKL-DNN up to 2019) that a wheel contains, according to the symbols of its libraries.
HOLDS_NOTHING = "nothing"
HOLDS_MATRIX_PRODUCT = "the matrix product alone"
HOLDS_PRIMITIVES = "all primitives"
HOLDS = (HOLDS_NOTHING, HOLDS_MATRIX_PRODUCT, HOLDS_PRIMITIVES)

# The tool that writes a stack's package locks (maintenance/lock_dependencies.py): "resolver" is uv, "installer" the
# stack's own pip with a complete list of requirements.
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
    """The pip that installs an environment's packages: a pinned requirement and the sha256 of its wheel."""

    requirement: str
    sha256: str


@dataclass(frozen=True)
class VendorCheck:
    """A library that chooses its code by the processor's vendor, and the variable that lifts this check.

    `vendors` are named as in /proc/cpuinfo. Their processors get slower code than their instruction sets allow.
    """

    variable: str
    value: str
    vendors: tuple[str, ...]
    reason: str
    source: str

    def lifted_on(self, vendor: str) -> Mapping[str, str]:
        """The environment that lifts the check on this vendor's processors; empty if it does not hold them back."""
        return {self.variable: self.value} if vendor in self.vendors else {}


@dataclass(frozen=True)
class Installation:
    """What is installed on disk: one wheel and the stack's shared requirements, locked with hashes.

    `additions` are the packages that this installation has besides, such as a vendor's plug-in. `libraries` are what
    these need and no wheel has: names of debian_libraries.toml, each with its place in site-packages. `holds` is the
    part of oneDNN that the wheel contains, one of HOLDS. `holds_source` says how that was found. Both are None if
    nobody has looked. `vendor_check` is None if no library of the wheel is known to choose its code by the processor's
    vendor.
    `other_python` is the Python that it is installed for; None for the stack's own. Each has a lock of its own.
    """

    stack: str = field(metadata=GIVEN)
    name: str = field(metadata=GIVEN)
    wheel: str
    additions: tuple[str, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    vendor_check: VendorCheck | None = None
    holds: Annotated[str, OneOf("content of a wheel", HOLDS)] | None = None
    holds_source: str | None = None
    other_python: str | None = field(default=None, metadata=GIVEN)

    @property
    def lock(self) -> Path:
        """The file that pins every dependency of this installation by hash."""
        return self._locks / f"{self.name}.txt"

    @property
    def wheels(self) -> Path:
        """The file with a hash of the contents of each locked wheel (runner/matching/locked_wheels.py)."""
        return self._locks / f"{self.name}.wheels"

    @property
    def _locks(self) -> Path:
        folder = IMAGES / "locks" / self.stack
        return folder if self.other_python is None else folder / f"python{self.other_python}"

    @property
    def library_hashes(self) -> Mapping[str, str]:
        """The SHA-256 of each library, by its place in site-packages."""
        return {place: find_library(name).library_sha256 for name, place in self.libraries.items()}

    def lock_sha256(self) -> str:
        """The SHA-256 of the package lock's bytes and of its libraries: it identifies what is installed.

        Raises:
            UsageError: the package lock cannot be read.
        """
        libraries = "".join(f"{place} {sha256}\n" for place, sha256 in sorted(self.library_hashes.items()))
        try:
            return hashlib.sha256(self.lock.read_bytes() + libraries.encode()).hexdigest()
        except OSError as error:
            message = f"The package lock of {self.stack}/{self.name} cannot be read ({error}). Make it: `make locks`."
            raise UsageError(message) from error


# The arithmetic of a variant that declares none.
FLOAT32 = "float32"
# What the name of a variant ends with that is the baseline under another name.
AGAIN = "-again"


@dataclass(frozen=True)
class Variant:
    """An installation with its settings.

    `arithmetic` is what it computes in. Training in another arithmetic than the baseline's is not the same training.
    `needs_isa` are instruction sets, as /proc/cpuinfo names them, of which the processor must have one; empty for any
    processor.
    """

    name: str = field(metadata=GIVEN)
    installation: str
    label: str
    threading: str
    threading_source: str
    layout: Layout
    layout_reason: str
    layout_source: str
    environment: tuple[Declared, ...]
    arithmetic: str = FLOAT32
    needs_isa: tuple[str, ...] = ()

    def why_not_on(self, processor: Processor | None) -> str:
        """Why this processor (None: not known) cannot run the variant as it is meant; empty if it can."""
        if processor is not None:
            return processor.lacks(self.needs_isa)
        return f"it needs one of {', '.join(self.needs_isa)}, and the host is not known" if self.needs_isa else ""


@dataclass(frozen=True)
class Disk:
    """The disk space that a stack takes: bytes downloaded and installed for one environment, and bytes of one image."""

    download_bytes: int
    environment_bytes: int
    image_bytes: int


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One release of TensorFlow with its Python and its dependencies. The first variant is the baseline.

    `vendors_build` is the variant that is a vendor's build of the same release; None if there is none. `python` is the
    Python of its images. Where a host lacks it, an environment may have the first of `other_pythons` that is there.
    """

    name: str = field(metadata=GIVEN)
    title: str
    released: str
    python: str
    other_pythons: tuple[str, ...] = ()
    tensorflow: str
    reason: str
    source: str
    vendors_build: str | None = None
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
        """The names of the variants that run from an installation."""
        return tuple(variant.name for variant in self.variants.values() if variant.installation == installation)

    @property
    def has_hashed_bytecode(self) -> bool:
        """Whether its Python can check byte-code by the source's hash instead of its time (PEP 552, since 3.7)."""
        return tuple(int(part) for part in self.python.split(".")) >= (3, 7)

    @property
    def pythons(self) -> tuple[str, ...]:
        """The Pythons that an environment of this stack may have, the preferred one first."""
        return (self.python, *self.other_pythons)

    def for_python(self, python: str) -> Stack:
        """The stack for this Python alone. If it is none of `other_pythons`, the stack as it is."""
        if python not in self.other_pythons:
            return self
        held = {name: replace(each, other_python=python) for name, each in self.installations.items()}
        return replace(self, python=python, other_pythons=(), installations=held)

    def python_of(self, installation: Installation) -> str:
        """The Python that an installation of this stack is for."""
        return installation.other_python or self.python

    def installation_of(self, variant: str) -> Installation:
        """The installation that a variant runs from."""
        return self.installations[self.variants[variant].installation]


def canonical_requirement(requirement: str) -> str:
    """A pinned requirement (`name==version`) with the name normalised (PEP 503), so that spellings can be compared."""
    name, _, version = requirement.partition("==")
    return f"{canonicalize_name(name)}=={version}"


def every_installation(stacks: Iterable[Stack]) -> list[tuple[Stack, Installation]]:
    """All installations of these stacks, each with its stack."""
    return [(stack, installation) for stack in stacks for installation in stack.installations.values()]


def against_itself(stack: Stack) -> Stack:
    """The stack with its baseline alone, once more under another name: nothing differs between the two sides."""
    name, baseline = next(iter(stack.variants.items()))
    again = replace(baseline, name=f"{name}{AGAIN}", label=f"{baseline.label}, again")
    return replace(stack, variants={name: baseline, again.name: again}, vendors_build=None)


def served_by(stack: Stack, processor: Processor | None) -> tuple[Stack, Mapping[str, str]]:
    """The stack without the variants that the processor (None: not known) cannot run, each of these with the reason."""
    left_out = {name: why for name, each in stack.variants.items() if (why := each.why_not_on(processor))}
    kept = {name: each for name, each in stack.variants.items() if name not in left_out}
    return (replace(stack, variants=kept) if left_out else stack), left_out


@cache
def load_stacks(path: Path = STACKS_FILE) -> Mapping[str, Stack]:
    """Read every stack, in the file's order.

    Raises:
        UsageError: the file lacks a key, has an unknown one, or names an unknown installation; the message names the
            place.
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
        UsageError: there is no such stack; the message suggests the nearest names.
    """
    stacks = load_stacks()
    return stacks[one_of("stack", name, stacks)]


@dataclass(frozen=True)
class _File:
    stacks: Mapping[str, Stack]


def _stack_hook(converter: Converter) -> Hook:
    """A hook that puts a stack's name into each of its installations."""
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
    plain = [each.wheel for each in stack.installations.values() if not each.additions]
    for installation in stack.installations.values():
        if installation.holds is not None and installation.holds_source is None:
            raise UsageError(f"{where}.installations.{installation.name} has holds and lacks holds_source.")
        for name in installation.libraries:
            find_library(name)
        if installation.additions and installation.wheel not in plain:
            raise UsageError(
                f"{where}.installations.{installation.name} has additions, and no installation has its wheel alone."
            )
    if stack.variants[stack.baseline].needs_isa:
        raise UsageError(f"{where}.variants.{stack.baseline} is the baseline, and cannot have needs_isa.")
    if stack.vendors_build is not None and stack.vendors_build not in stack.variants:
        raise UsageError(f"{where}.vendors_build: there is no variant {stack.vendors_build!r}.")
    for variant in stack.variants.values():
        if variant.installation not in stack.installations:
            raise UsageError(f"{where}.variants.{variant.name}: there is no installation {variant.installation!r}.")
