"""run.json as frozen types: the plan, the machine, the installations, and the version of the kit that made the run.

Every value is as the run recorded it. Knows nothing of files; `header_json` reads and writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.catalogue.stacks import AGAIN, Variant, VendorCheck
from runner.host.pin import Pin
from runner.machine import Machine
from runner.planning.ladder_file import WHOLE
from runner.planning.ladder_plan import KIND
from runner.planning.plan import Plan
from runner.planning.rungs import PlannedRung
from runner.vocabulary import EngineName, Launch, TopologyFile


@dataclass(frozen=True)
class Kit:
    """The kit that made a run. `revision` is its git revision; None if it was not run from a clone."""

    version: str
    revision: str | None


@dataclass(frozen=True)
class Enforced:
    """The conditions that the engine enforced on each launch.

    A field is None if the engine cannot enforce it, and if it is a limit that was not requested.
    """

    mems: str | None
    memory_limit_bytes: int | None
    cpu_quota_cpus: float | None
    network: str | None
    file_system: str | None


@dataclass(frozen=True)
class RecordedEngine:
    """The engine of a run. `cannot_enforce` names conditions as vocabulary.ENFORCEABLE does."""

    name: EngineName
    cannot_enforce: tuple[str, ...]
    enforced: Enforced


@dataclass(frozen=True)
class Provenance:
    """What was recorded of an installation's artifact. `said` has all of it; its keys depend on the engine."""

    said: Mapping[str, Any]

    @property
    def wheel(self) -> str | None:
        """The wheel as a requirement (name==version); None if it was not recorded."""
        return self._text("wheel")

    @property
    def lock_sha256(self) -> str | None:
        """The sha256 of the bytes of the installation's lock file; None if it was not recorded."""
        return self._text("lock_sha256")

    @property
    def python(self) -> str | None:
        """The interpreter's version; None for an image."""
        return self._text("python")

    @property
    def image_id(self) -> str | None:
        """The image's id; None for an environment on the host, and if the id was not observed."""
        return self._text("image_id")

    @property
    def is_of_an_image(self) -> bool:
        """Whether the installation was in an image; its id may still be unknown."""
        return "image_id" in self.said

    @property
    def base_image(self) -> str | None:
        """The name of the base image that the image was built on; None if it was not built on the run's host."""
        return self._text("base_image")

    @property
    def base_image_id(self) -> str | None:
        """The id of that base image; None if it was not built on the run's host."""
        return self._text("base_image_id")

    def _text(self, key: str) -> str | None:
        value = self.said.get(key)
        return None if value is None else str(value)


@dataclass(frozen=True, kw_only=True)
class RecordedStack:
    """A stack as the run used it. It has only those installations that the launches needed.

    `wheels`, `holds` and `holds_source` are by installation, as stacks.toml declared them, and so are `additions` and
    `vendor_checks` of those installations that have any. They are empty in runs of the first version. The first variant
    is the baseline. `vendors_build` is the variant that is a vendor's build of the release; None if there is none. Runs
    of versions before it was recorded had no other than Intel's, under one name.
    """

    title: str
    released: str = ""
    vendors_build: str | None = "intel"
    tensorflow: str
    python: str
    reason: str
    source: str
    wheels: Mapping[str, str] = field(default_factory=dict)
    additions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vendor_checks: Mapping[str, VendorCheck] = field(default_factory=dict)
    holds: Mapping[str, str | None] = field(default_factory=dict)
    holds_source: Mapping[str, str | None] = field(default_factory=dict)
    installations: Mapping[str, Provenance]
    variants: Mapping[str, Variant]

    @property
    def baseline(self) -> str:
        """The variant that the others are divided by."""
        return next(iter(self.variants))

    def wheel_of(self, installation: str) -> str | None:
        """An installation's wheel as stacks.toml declared it, else as its artifact recorded it; None if neither did."""
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
    """A path at which something is wrong, and `what` is wrong there, in words."""

    path: str
    what: str


@dataclass(frozen=True)
class HeldContents:
    """The comparison of an installation's files with the hash-locked wheels.

    `held` is false if no comparison was possible. `unlocked` are the distributions that came with the interpreter,
    which no lock names. `faults` are the first of the differences.
    """

    installation: str
    held: bool
    distributions: int
    files: int
    unlocked: tuple[str, ...]
    faults: tuple[NamedPath, ...]


@dataclass(frozen=True, kw_only=True)
class RecordedMatch:
    """The comparison of two installations of a stack, file by file, before the run.

    `strays` are the first of the differences that are not allowed.
    """

    installations: tuple[str, ...]
    compared: int
    packages: tuple[PackageDifferences, ...]
    strays: tuple[NamedPath, ...]
    wrong_wheels: tuple[str, ...]
    contents: tuple[HeldContents, ...] = ()
    matched: bool


@dataclass(frozen=True)
class BuiltTopology:
    """A user's own topology as it was built before the run. FLOPs are those of training one image."""

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
    """A ladder as it was resolved for the run's host. `stacks` has each stack's rungs in order, then its branches."""

    name: str
    title: str
    source: str
    stacks: Mapping[str, tuple[PlannedRung, ...]]


@dataclass(frozen=True)
class NoiseFloor:
    """How far apart a variant seemed to be from itself on this host, in the run of that name.

    `factor` is the farthest end of the 95% intervals of its `bars` bars, as a factor of at least 1.
    """

    run: str
    created: str
    factor: float
    bars: int
    blocks: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """Everything in run.json, in the order in which it is written.

    `peak` and `probes` say whether these measurements were requested. They are None if the command has neither, and in
    runs of versions before these measurements existed. `images` is the images lock as it was read
    (runner/registry/image_lock.py checks it). `kind` is None for a comparison. `repeats` is the name of the run that
    this one repeats. `noise_floor` is of the last A/A run on the same host and pin; None if there was none.
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
    noise_floor: NoiseFloor | None = None

    @property
    def is_aa(self) -> bool:
        """Whether the run compares each stack's baseline with itself."""
        return all(any(name.endswith(AGAIN) for name in stack.variants) for stack in self.stacks.values())

    @property
    def is_ladder(self) -> bool:
        """Whether the run is a ladder, and not a comparison."""
        return self.kind == KIND

    def rungs(self, stack: str) -> tuple[PlannedRung, ...]:
        """A stack's rungs and branches; an empty tuple if the run is not a ladder."""
        return () if self.ladder is None else self.ladder.stacks[stack]

    def pin_of(self, launch: Launch) -> Pin:
        """The pin of a launch: that of its rung in a ladder, else that of the run."""
        if self.ladder is None:
            return self.plan.pin
        rung_id = launch.cell.variant.removeprefix(WHOLE)
        return next(rung.settings.pin for rung in self.rungs(launch.cell.stack) if rung.id == rung_id)
