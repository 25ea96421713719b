"""The built-in topologies, as the modules in images/workload/topologies/ declare them.

Each module of that folder is one topology. The workload's code is not imported or run here: its constants are read
from its source text. images/workload/topologies/__init__.py describes each constant. Imports nothing of the kit.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "images" / "workload" / "topologies"


@dataclass(frozen=True)
class BuiltIn:
    """What one topology declares. `training_gflops` is for one image; `image_size` is in pixels.

    A launch's peak memory is about `fixed_memory_gb` and `memory_gb_per_image` for each image of a batch, in units of
    10^9 bytes.
    `figure_1_position` is counted from 1; it is None for a topology that the article's Figure 1 does not show.
    """

    name: str
    title: str
    image_size: int
    batch_normalised: bool
    disjoint_branches: int
    training_gflops: float
    fixed_memory_gb: float
    memory_gb_per_image: float
    figure_1_position: int | None = None


def read_topologies(folder: Path = FOLDER) -> Mapping[str, BuiltIn]:
    """Read every topology of a folder: first those of the article's Figure 1 in its order, then the others by name.

    Raises:
        ValueError: a module lacks a constant, or a constant has a value of another type. The message names both.
    """
    found = [_read(path) for path in folder.glob("*.py") if path.name != "__init__.py"]
    return {each.name: each for each in sorted(found, key=_order)}


def _order(topology: BuiltIn) -> tuple[float, str]:
    return topology.figure_1_position or math.inf, topology.name


def _read(path: Path) -> BuiltIn:
    constants = _constants(path)

    def declared(name: str, kind: type) -> Any:
        value = constants.get(name)
        if type(value) is not kind:
            raise ValueError(f"{path} must set {name} to a literal of type {kind.__name__}; found {value!r}.")
        return value

    return BuiltIn(
        name=path.stem,
        title=declared("TITLE", str),
        image_size=declared("IMAGE_SIZE", int),
        batch_normalised=declared("BATCH_NORMALISED", bool),
        disjoint_branches=declared("DISJOINT_BRANCHES", int),
        training_gflops=declared("TRAINING_GFLOPS", float),
        fixed_memory_gb=declared("FIXED_MEMORY_GB", float),
        memory_gb_per_image=declared("MEMORY_GB_PER_IMAGE", float),
        figure_1_position=declared("FIGURE_1_POSITION", int) if "FIGURE_1_POSITION" in constants else None,
    )


def _constants(path: Path) -> dict[str, Any]:
    """The module's assignments of a literal to a name; computed values are left out."""
    constants: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constants.update({target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)})
    return constants


BUILT_IN = read_topologies()
