"""What run.json plans for a cell's launches: wheel, settings, CPUs, and whether oneDNN's kernels should run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runner.storage.header import Header

# Whether the kernels of oneDNN (MKL-DNN, DNNL) should run in a cell, or must be absent.
Kernels = Literal["run", "absent", "either"]

# The first release of stock TensorFlow with oneDNN: https://github.com/tensorflow/tensorflow/releases/tag/v2.5.0
ONEDNN_IN_STOCK = (2, 5)
# The variable that switches it. If it is not set, TensorFlow decides by the CPU (DefaultOneDnnPolicy in
# tensorflow/core/util/port.cc).
ONEDNN_SWITCH = "TF_ENABLE_ONEDNN_OPTS"
_TRUE = ("1", "true", "TRUE", "True")
_BINDING_TYPES = ("compact", "scatter", "balanced", "explicit", "logical", "physical")


@dataclass(frozen=True)
class CellPlan:
    """One cell as it was planned. `wheel` is a requirement (name==version), None if the run does not state it.

    `cores` has the logical CPUs of each physical core of the pin, `environment` every variable of a timed launch.
    `holds` is the part of oneDNN that the wheel contains according to stacks.toml (runner/catalogue/stacks.py), None if
    the run does not state it. `additions` are the packages that the installation has besides the wheel: a plug-in.
    """

    is_baseline: bool
    wheel: str | None
    environment: Mapping[str, str]
    cores: tuple[frozenset[int], ...]
    holds: str | None = None
    additions: tuple[str, ...] = ()

    @property
    def cpus(self) -> frozenset[int]:
        """Every logical CPU of the pin."""
        return frozenset(cpu for core in self.cores for cpu in core)

    @property
    def is_intels_build(self) -> bool:
        """Whether the wheel is Intel's."""
        return (self.wheel or "").startswith("intel")

    @property
    def version(self) -> tuple[int, int] | None:
        """TensorFlow's major and minor version."""
        match = re.search(r"==(\d+)\.(\d+)", self.wheel or "")
        return (int(match[1]), int(match[2])) if match else None

    @property
    def has_a_default(self) -> bool:
        """Whether the wheel is a stock build with oneDNN, so that TensorFlow decides if the switch is not set.

        A plug-in has kernels of its own, about which TensorFlow decides nothing.
        """
        is_stock = not self.is_intels_build and not self.additions
        return is_stock and self.version is not None and self.version >= ONEDNN_IN_STOCK

    @property
    def kernels(self) -> Kernels:
        """Whether oneDNN's kernels should run: never in the baseline, else as build and settings decide."""
        if self.is_baseline or (self.is_intels_build and self.is_on("TF_DISABLE_MKL")):
            return "absent"
        if self.is_intels_build or self.additions:
            return "run"
        if self.version is not None and self.version < ONEDNN_IN_STOCK:
            return "absent"
        if ONEDNN_SWITCH in self.environment:
            return "run" if self.is_on(ONEDNN_SWITCH) else "absent"
        return "either"

    @property
    def binds_threads(self) -> bool:
        """Whether the settings tell OpenMP to bind its threads. KMP_AFFINITY overrides OMP_PROC_BIND."""
        affinity = self.environment.get("KMP_AFFINITY")
        if affinity is not None:
            return any(word in _BINDING_TYPES for word in affinity.split(","))
        return self.environment.get("OMP_PROC_BIND", "false").lower() != "false"

    def is_on(self, name: str) -> bool:
        """Whether a variable is set to a value that means true."""
        return self.environment.get(name) in _TRUE


def cell_plan_of(header: Header, stack: str, variant: str, environment: Mapping[str, str]) -> CellPlan:
    """The plan in run.json for a cell whose launches have this environment."""
    used = header.stacks[stack]
    installation = used.variants[variant].installation if variant in used.variants else None
    return CellPlan(
        is_baseline=variant == used.baseline,
        wheel=None if installation is None else used.wheel_of(installation),
        environment=environment,
        cores=tuple(frozenset(core) for core in header.plan.pin.cores),
        holds=None if installation is None else used.holds.get(installation),
        additions=() if installation is None else used.additions.get(installation, ()),
    )
