"""A user's own topology in words and in run.json: the file of --topology-file, and the network built from it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.catalogue.topology_file import BUILT_IN_BRANCHES, UserTopology, read_topology_file
from runner.planning.plan import Plan
from runner.session.topology_description import Description


def user_topology_of(file: Path | None) -> UserTopology | None:
    """The topology that --topology-file names; None without the option.

    Raises:
        UsageError: the file cannot be read, or its name cannot be the name of a topology.
    """
    return None if file is None else read_topology_file(file)


def user_topology_json(user_topology: UserTopology | None, description: Description | None) -> dict[str, Any]:
    """What run.json keeps of a user's own topology; an empty dict if there is none."""
    if user_topology is None or description is None:
        return {}
    return {
        "own_topology": {"topology": user_topology.name, "file": asdict(user_topology.file), **description.to_json()}
    }


def sentence(user_topology: UserTopology, plan: Plan, description: Description) -> str:
    """The network that was built, in one line."""
    return (
        f"{user_topology.name}: {description.layers} layers, {description.parameters:,} parameters, images of "
        f"{description.image_size} x {description.image_size}, {description.training_flops_per_image / 1e9:.1f} GFLOP "
        f"to train on one image; {branches_line(user_topology.name, plan, description)}"
    )


def branches_line(topology: str, plan: Plan, description: Description | None) -> str:
    """A topology's disjoint branches and the inter-op threads that its launches get."""
    threads = next(launch.inter_op_threads for launch in plan.launches if launch.cell.topology == topology)
    given = f"inter-op threads {threads or 'left to TensorFlow'}"
    count = disjoint_branches(topology, description)
    if count is None:
        return f"disjoint branches not counted, {given}"
    names = ", ".join(description.branch_layers) if description and topology not in BUILT_IN_BRANCHES else ""
    where = f" ({names})" if names and count > 1 else ""
    return f"{count} disjoint branch{'' if count == 1 else 'es'}{where}, {given}"


def disjoint_branches(topology: str, description: Description | None) -> int | None:
    """The number of disjoint branches of a topology; None if it is the user's own and was not built."""
    if topology in BUILT_IN_BRANCHES:
        return BUILT_IN_BRANCHES[topology]
    return description.disjoint_branches if description else None
