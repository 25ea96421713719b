"""run.json as frozen types: what was planned, on which machine, with what installed, by which version of the kit.

Everything is as the run recorded it. Knows nothing of files; `header_json` reads and writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.catalogue.stacks import Variant
from runner.host.pin import Pin
from runner.machine import Machine
from runner.planning.ladder_file import WHOLE
from runner.planning.ladder_plan import KIND
from runner.planning.plan import Plan
from runner.planning.rungs import PlannedRung
from runner.vocabulary import EngineName, Launch, TopologyFile


@dataclass(frozen=True)
class Kit:
    """The kit that made a run. `revision` is its git revision; None where it was not run from a clone."""

    version: str
    revision: str | None


@dataclass(frozen=True)
class Enforced:
    """What the engine held each launch to. None for what it cannot enforce, and for a limit that nobody asked for."""

    mems: str | None
    memory_limit_bytes: int | None
    cpu_quota_cpus: float | None
    network: str | None
    file_system: str | None


@dataclass(frozen=True)
class RecordedEngine:
    """The engine of a run. `cannot_enforce` has conditions by the names that vocabulary.ENFORCEABLE gives them."""

    name: EngineName
    cannot_enforce: tuple[str, ...]
    enforced: Enforced


@dataclass(frozen=True)
class Provenance:
    """What an installation's artifact says of itself. `said` is all of it; which keys it has depends on the engine."""

    said: Mapping[str, Any]

    @property
    def wheel(self) -> str | None:
        """The wheel as a requirement (name==version)."""
        return self._text("wheel")

    @property
    def lock_sha256(self) -> str | None:
        """The sha256 of the lock's bytes."""
        return self._text("lock_sha256")

    @property
    def python(self) -> str | None:
        """The interpreter's version; None for an image."""
        return self._text("python")

    @property
    def image_id(self) -> str | None:
        """The image's id; None for an environment of the host, and where it was not observed."""
        return self._text("image_id")

    @property
    def is_of_an_image(self) -> bool:
        """Was the installation in an image, whether or not its id was observed?"""
        return "image_id" in self.said

    @property
    def base_image(self) -> str | None:
        """The name of the base that the image was built on; None where it was not built here."""
        return self._text("base_image")

    @property
    def base_image_id(self) -> str | None:
        """The id of that base."""
        return self._text("base_image_id")

    def _text(self, key: str) -> str | None:
        value = self.said.get(key)
        return None if value is None else str(value)


@dataclass(frozen=True, kw_only=True)
class RecordedStack:
    """A stack as the run used it. Of installations only those that its launches needed are there.

    `wheels`, `holds` and `holds_source` are as stacks.toml declared them, by installation; empty in runs of the first
    version. The first variant is the baseline.
    """

    title: str
    released: str = ""
    tensorflow: str
    python: str
    reason: str
    source: str
    wheels: Mapping[str, str] = field(default_factory=dict)
    holds: Mapping[str, str | None] = field(default_factory=dict)
    holds_source: Mapping[str, str | None] = field(default_factory=dict)
    installations: Mapping[str, Provenance]
    variants: Mapping[str, Variant]

    @property
    def baseline(self) -> str:
        """The variant that the others are divided by."""
        return next(iter(self.variants))

    def wheel_of(self, installation: str) -> str | None:
        """An installation's wheel as stacks.toml declared it, else as its artifact says; None if the run does not."""
        made = self.installations.get(installation)
        return self.wheels.get(installation) or (made.wheel if made else None)


@dataclass(frozen=True)
class PackageDifferences:
    """How many differences between two installations a package has, and whether it may have any."""

    package: str
    differences: int
    allowed: bool


@dataclass(frozen=True)
class NamedPath:
    """A path that is not as it must be, and what is wrong with it in words."""

    path: str
    what: str


@dataclass(frozen=True)
class HeldContents:
    """What an installation held against the hash-locked wheels. `faults` are the first of those found."""

    installation: str
    held: bool
    distributions: int
    files: int
    unlocked: tuple[str, ...]
    faults: tuple[NamedPath, ...]


@dataclass(frozen=True, kw_only=True)
class RecordedMatch:
    """What the comparison of a stack's installations, file by file, showed before the run. `strays` are the first."""

    installations: tuple[str, ...]
    compared: int
    packages: tuple[PackageDifferences, ...]
    strays: tuple[NamedPath, ...]
    wrong_wheels: tuple[str, ...]
    contents: tuple[HeldContents, ...] = ()
    matched: bool


@dataclass(frozen=True)
class BuiltTopology:
    """A user's own topology as it was built before the run. FLOPs are of training one image."""

    topology: str
    file: TopologyFile
    image_size: int
    layers: int
    parameters: int
    training_flops_per_image: int
    disjoint_branches: int
    branch_layers: tuple[str, ...]


@dataclass(frozen=True)
class RecordedLadder:
    """A ladder as it was resolved for the run's host. `stacks` has every rung in order, then the branches."""

    name: str
    title: str
    source: str
    stacks: Mapping[str, tuple[PlannedRung, ...]]


@dataclass(frozen=True, kw_only=True)
class Header:
    """All that run.json says, in the order in which it is written.

    `peak` and `probes` tell whether these were asked for; None where the command asks for neither, and in runs that are
    older than they are. `images` is the images lock as it was read (runner/registry/image_lock.py checks it). `kind` is
    None for a comparison. `repeats` is the name of the run that this one repeats.
    """

    schema_version: int
    run: str
    created: str
    kit: Kit
    command: str
    notes: tuple[str, ...]
    plan: Plan
    machine: Machine
    machine_conditions: Mapping[str, Any]
    engine: RecordedEngine
    stacks: Mapping[str, RecordedStack]
    matched: Mapping[str, RecordedMatch] = field(default_factory=dict)
    workload_sha256: str
    peak: bool | None = None
    probes: bool | None = None
    images: Mapping[str, Any] | None = None
    own_topology: BuiltTopology | None = None
    kind: str | None = None
    ladder: RecordedLadder | None = None
    repeats: str | None = None

    @property
    def is_ladder(self) -> bool:
        """Is the run a ladder, and not a comparison?"""
        return self.kind == KIND

    def rungs(self, stack: str) -> tuple[PlannedRung, ...]:
        """A stack's rungs and branches; none for a run that is no ladder."""
        return () if self.ladder is None else self.ladder.stacks[stack]

    def pin_of(self, launch: Launch) -> Pin:
        """The pin of a launch: in a ladder its rung's own, else the run's."""
        if self.ladder is None:
            return self.plan.pin
        rung_id = launch.cell.variant.removeprefix(WHOLE)
        return next(rung.settings.pin for rung in self.rungs(launch.cell.stack) if rung.id == rung_id)
