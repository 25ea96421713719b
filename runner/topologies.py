"""The built-in topologies as they declare themselves in images/workload/topologies/, read without being run.

One module of that folder is one topology. The workload's code is not imported here: its constants are read from its
text. What each of them means is told in images/workload/topologies/__init__.py. Imports nothing of the kit.
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
    """What one topology declares. `training_gflops` are for one image; `figure_1_position` is counted from 1.

    The latter is None for a topology that the article's Figure 1 does not show.
    """

    name: str
    title: str
    image_size: int
    batch_normalised: bool
    disjoint_branches: int
    training_gflops: float
    figure_1_position: int | None = None


def read_topologies(folder: Path = FOLDER) -> Mapping[str, BuiltIn]:
    """Read every topology of a folder: the article's Figure 1 in its own order, then the others by name.

    Raises:
        ValueError: a module lacks a constant, or one of them has another kind of value; the message names both.
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
        figure_1_position=declared("FIGURE_1_POSITION", int) if "FIGURE_1_POSITION" in constants else None,
    )


def _constants(path: Path) -> dict[str, Any]:
    """The module's assignments of a literal to one name; what is computed is left out."""
    constants: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constants.update({target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)})
    return constants


BUILT_IN = read_topologies()
