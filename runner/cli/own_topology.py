"""What every command that can train a user's own topology does with --topology-file: read, build, count, show.

The branches of the network decide its inter-op threads, so a plan is made twice: once to find every other fault of the
command line at once, and again when the network has been built in the prepared installations.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from runner.catalogue.topology_file import BUILT_IN_BRANCHES, OwnTopology, read_topology_file
from runner.engines.environments import default_cache
from runner.engines.protocol import Artifact, Engine, Tell
from runner.errors import HostError
from runner.planning.plan import Plan, Request, make_plan
from runner.session.topology_description import Description, describe


def own_topology_of(arguments: argparse.Namespace) -> OwnTopology | None:
    """The topology that --topology-file names; None without the option.

    Raises:
        UsageError: the file cannot be read, or its name cannot be a topology's.
    """
    return None if arguments.topology_file is None else read_topology_file(arguments.topology_file)


def built(
    own: OwnTopology | None,
    request: Request,
    plan: Plan,
    engine: Engine,
    artifacts: Mapping[tuple[str, str], Artifact],
    tell: Tell,
) -> tuple[Plan, Description | None]:
    """Build the topology in every installation, count its branches, and plan with them.

    Raises:
        UsageError: the file does not build; the message has its own traceback.
        HostError: an installation did not come as far as the file.
    """
    if own is None:
        return plan, None
    description = describe(own, plan.launches, plan.pin, engine, artifacts, default_cache(), tell)
    planned = make_plan(replace(request, branches=description.disjoint_branches), plan.pin, plan.bkms)
    tell(sentence(own, planned, description))
    return planned, description


def built_where_ready(
    own: OwnTopology | None, request: Request, plan: Plan, engine: Engine, inter_op: int | None, tell: Tell
) -> tuple[Plan, Description | None]:
    """The same for a command that prepares nothing: the installations have to be there.

    Where they are not, --inter-op makes the count superfluous and the plan stands as it is.

    Raises:
        HostError: an installation is not ready, and the number of inter-op threads depends on it.
    """
    if own is None:
        return plan, None
    stacks = {stack.name: stack for stack in request.stacks}
    keys = {(launch.cell.stack, launch.installation) for launch in plan.launches}
    ready = {key: engine.find(stacks[key[0]], stacks[key[0]].installations[key[1]]) for key in sorted(keys)}
    artifacts = {key: artifact for key, artifact in ready.items() if artifact is not None}
    if len(artifacts) == len(ready):
        return built(own, request, plan, engine, artifacts, tell)
    if inter_op is not None:
        return plan, None
    missing = ", ".join("/".join(key) for key, artifact in ready.items() if artifact is None)
    raise HostError(
        f"The inter-op threads of {own.name} are the number of its disjoint branches, which is counted by building it "
        f"in an installation, and {missing} is not ready here. Make it with `python -m runner build`, or name the "
        "number of threads with --inter-op."
    )


def own_topology_json(own: OwnTopology | None, description: Description | None) -> dict[str, Any]:
    """What run.json keeps of a user's own topology: nothing where there is none."""
    if own is None or description is None:
        return {}
    return {"own_topology": {"topology": own.name, "file": asdict(own.file), **description.to_json()}}


def sentence(own: OwnTopology, plan: Plan, description: Description) -> str:
    """What was built, in one line."""
    return (
        f"{own.name}: {description.layers} layers, {description.parameters:,} parameters, images of "
        f"{description.image_size} x {description.image_size}, {description.training_flops_per_image / 1e9:.1f} GFLOP "
        f"of training an image; {branches_line(own.name, plan, description)}"
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
    """The disjoint branches of any topology of a run; None if a user's own was not built."""
    if topology in BUILT_IN_BRANCHES:
        return BUILT_IN_BRANCHES[topology]
    return description.disjoint_branches if description else None
