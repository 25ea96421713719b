"""What run.json asks of a cell's launches: wheel, settings, CPUs, and whether oneDNN's kernels should run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runner.storage.header import Header

# Do the kernels of oneDNN (MKL-DNN, DNNL) belong into this cell, or must they be absent?
Kernels = Literal["run", "absent", "either"]

# The first release of stock TensorFlow that knows oneDNN: https://github.com/tensorflow/tensorflow/releases/tag/v2.5.0
ONEDNN_IN_STOCK = (2, 5)
# Its switch. Not set, TensorFlow decides by the CPU: DefaultOneDnnPolicy in tensorflow/core/util/port.cc.
ONEDNN_SWITCH = "TF_ENABLE_ONEDNN_OPTS"
_TRUE = ("1", "true", "TRUE", "True")
_BINDING_TYPES = ("compact", "scatter", "balanced", "explicit", "logical", "physical")


@dataclass(frozen=True)
class CellPlan:
    """One cell as it was planned. `wheel` is a requirement (name==version), None if the run does not say.

    `cores` holds the logical CPUs of each physical core of the pin; `environment` every variable of a timed launch.
    `holds` is what stacks.toml knows to be in the wheel of oneDNN (runner/catalogue/stacks.py), None if the run does
    not say.
    """

    is_baseline: bool
    wheel: str | None
    environment: Mapping[str, str]
    cores: tuple[frozenset[int], ...]
    holds: str | None = None

    @property
    def cpus(self) -> frozenset[int]:
        """Every logical CPU of the pin."""
        return frozenset(cpu for core in self.cores for cpu in core)

    @property
    def is_intels_build(self) -> bool:
        """Is the wheel Intel's own?"""
        return (self.wheel or "").startswith("intel")

    @property
    def version(self) -> tuple[int, int] | None:
        """TensorFlow's major and minor version."""
        match = re.search(r"==(\d+)\.(\d+)", self.wheel or "")
        return (int(match[1]), int(match[2])) if match else None

    @property
    def has_a_default(self) -> bool:
        """Is it a stock build that can have oneDNN, and decides by itself if its switch is not set?"""
        return not self.is_intels_build and self.version is not None and self.version >= ONEDNN_IN_STOCK

    @property
    def kernels(self) -> Kernels:
        """The article's baseline has none, whatever its settings say; the others do as their settings say."""
        if self.is_baseline or (self.is_intels_build and self.is_on("TF_DISABLE_MKL")):
            return "absent"
        if self.is_intels_build:
            return "run"
        if self.version is not None and self.version < ONEDNN_IN_STOCK:
            return "absent"
        if ONEDNN_SWITCH in self.environment:
            return "run" if self.is_on(ONEDNN_SWITCH) else "absent"
        return "either"

    @property
    def binds_threads(self) -> bool:
        """Do the settings ask OpenMP to bind its threads? KMP_AFFINITY overrides OMP_PROC_BIND."""
        affinity = self.environment.get("KMP_AFFINITY")
        if affinity is not None:
            return any(word in _BINDING_TYPES for word in affinity.split(","))
        return self.environment.get("OMP_PROC_BIND", "false").lower() != "false"

    def is_on(self, name: str) -> bool:
        """Is a variable set to something true?"""
        return self.environment.get(name) in _TRUE


def cell_plan_of(header: Header, stack: str, variant: str, environment: Mapping[str, str]) -> CellPlan:
    """What run.json asks of a cell whose launches have this environment."""
    used = header.stacks[stack]
    installation = used.variants[variant].installation if variant in used.variants else None
    return CellPlan(
        is_baseline=variant == used.baseline,
        wheel=None if installation is None else used.wheel_of(installation),
        environment=environment,
        cores=tuple(frozenset(core) for core in header.plan.pin.cores),
        holds=None if installation is None else used.holds.get(installation),
    )
