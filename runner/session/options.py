"""The options that several commands share, as frozen dataclasses. The command line makes them once.

Fields have the names of the options. The default of an option that was left out is decided where the value is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.host.check import PinRequest
from runner.registry.image_lock import ImageLock
from runner.support.network import PackageIndex


@dataclass(frozen=True)
class PinOptions:
    """Where the launches run. `cpus` are logical CPUs; `cores` and `headroom` count physical cores."""

    cpus: frozenset[int] | None = None
    cores: int | None = None
    headroom: int = 0

    @property
    def is_given(self) -> bool:
        """Whether any of these options was given; otherwise the kit chooses the pin."""
        return self.cpus is not None or self.cores is not None or self.headroom > 0

    @property
    def pin_request(self) -> PinRequest:
        """How the pin was requested, for the advice on it."""
        return PinRequest(headroom=self.headroom, listed=self.cpus is not None)


@dataclass(frozen=True)
class RequestOptions:
    """What is compared. None means the preset's value. `time_limit` is in seconds, for the training of one launch."""

    preset: str | None
    stack: tuple[str, ...] | None
    variants: tuple[str, ...] | None
    topologies: tuple[str, ...] | None
    topology_file: Path | None
    inter_op: int | None
    batch_sizes: tuple[int, ...] | None
    blocks: int | None
    steps: int | None
    warmup: int | None
    bursts: int | None
    burst_seconds: float | None
    in_sequence: bool
    bkms: str
    seed: int
    time_limit: float


@dataclass(frozen=True)
class RegistryOptions:
    """How to log in to a registry. A password is never an option."""

    profile: str | None = None
    region: str | None = None
    username: str | None = None
    password_stdin: bool = False


@dataclass(frozen=True)
class EngineOptions:
    """How a plan is carried out: the engine, and what its installations are made from.

    `base_image` is by stack, or under the empty name for every stack. `memory` is in bytes. If a run is continued or
    repeated, `image_lock` and `recorded_images` (provenance by stack and installation) are taken from that run.
    """

    engine: str = "auto"
    base_image: Mapping[str, str] = field(default_factory=dict)
    pip_index: str | None = None
    ca_bundle: Path | None = None
    debian_mirror: str | None = None
    memory: int | None = None
    images: Path | None = None
    registry: RegistryOptions = field(default_factory=RegistryOptions)
    image_lock: ImageLock | None = None
    recorded_images: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    @property
    def index(self) -> PackageIndex:
        """Where packages come from.

        Raises:
            UsageError: there is no such CA bundle.
        """
        return PackageIndex(self.pip_index, self.ca_bundle, self.debian_mirror)

    @property
    def memory_bytes(self) -> int | None:
        """The memory limit of each launch in whole pages, as the kernel stores it; the observed limit must equal it."""
        return None if self.memory is None else in_whole_pages(self.memory)

    @property
    def by_digest(self) -> bool:
        """Whether the options, or the run that is continued, name images by digest."""
        return self.images is not None or self.image_lock is not None


def in_whole_pages(size: int) -> int:
    """A memory limit (bytes) rounded down to whole pages, as the kernel stores it, but at least one page."""
    page = os.sysconf("SC_PAGE_SIZE")
    return max(size // page, 1) * page
