"""Builds a user's own topology in the prepared installations before anything is measured, and describes it.

If the file's network cannot be built, or the file builds two different networks, the command ends here. The message
then has the traceback from the file, or the differences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner.catalogue.topology_file import UserTopology
from runner.engines.protocol import Artifact, Engine, LaunchFolders, Notify
from runner.errors import DiskError, HostError, UsageError
from runner.host.pin import Pin
from runner.planning.job import JOB_FILE, description_job
from runner.session.observation import death, read_result
from runner.support.atomic import write_whole
from runner.vocabulary import Launch

DEADLINE_SECONDS = 600.0


@dataclass(frozen=True)
class Description:
    """A network as the workload built it. FLOPs are for one image. `branch_layers` has a layer of each branch."""

    image_size: int
    layers: int
    parameters: int
    training_flops_per_image: int
    disjoint_branches: int
    branch_layers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The description as run.json keeps it."""
        return asdict(self)


def describe(
    user_topology: UserTopology,
    launches: Sequence[Launch],
    pin: Pin,
    engine: Engine,
    artifacts: Mapping[tuple[str, str], Artifact],
    work_folder: Path,
    notify: Notify,
) -> Description:
    """Build the topology in each installation and layout that the launches train it in; nothing is trained.

    Raises:
        UsageError: the network cannot be built, and the message has the traceback from the file; or the file builds
            different networks, and the message names the differences.
        HostError: an installation failed before it read the file.
    """
    found: dict[str, Description] = {}
    for launch in _one_of_each(user_topology, launches):
        where = f"{launch.cell.stack}/{launch.installation} in {launch.layout}"
        notify(f"building {user_topology.name} in {where}, to see that it can be trained")
        artifact = artifacts[launch.cell.stack, launch.installation]
        found[where] = _describe(user_topology, launch, pin, engine, artifact, work_folder, where)
    (first, description), *others = found.items()
    for where, other in others:
        if other != description:
            raise UsageError(
                f"{user_topology.path} builds two networks: {_differences(description, other)} on {first} and on "
                f"{where}. Both sides of a comparison must train the same network: the file may depend only on its "
                "arguments."
            )
    return description


def _one_of_each(user_topology: UserTopology, launches: Sequence[Launch]) -> list[Launch]:
    """One launch of the topology for each installation and layout, at its smallest batch."""
    chosen: dict[tuple[str, str, str], Launch] = {}
    for launch in sorted(launches, key=lambda each: each.cell.batch_size):
        if launch.topology_file == user_topology.file:
            chosen.setdefault((launch.cell.stack, launch.installation, launch.layout), launch)
    return [chosen[key] for key in sorted(chosen)]


def _describe(
    user_topology: UserTopology,
    launch: Launch,
    pin: Pin,
    engine: Engine,
    artifact: Artifact,
    work_folder: Path,
    where: str,
) -> Description:
    launch = replace(launch, launch_id=f"describe-{user_topology.name}-{launch.installation}-{launch.layout}")
    try:
        work_folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=work_folder, prefix="describe-") as name:
            folders = _folders(Path(name), user_topology, launch)
            outcome = engine.run(launch, pin, artifact, folders, DEADLINE_SECONDS)
            result = read_result(folders.result / "result.json", launch.launch_id)
            words = death(outcome.exit_code, folders.log)
    except OSError as error:
        raise DiskError(
            f"{user_topology.path} could not be built below {work_folder}: {error}. Free some room there, or name "
            "another cache folder with KIT_CACHE."
        ) from error
    if result is None:
        raise HostError(f"{user_topology.path} could not be built in {where}: the workload {words}")
    _require_built(user_topology, result, where)
    values = result["description"]
    keys = ("image_size", "parameters", "training_flops_per_image", "disjoint_branches")
    return Description(
        **{key: values[key] for key in keys}, layers=len(values["layers"]), branch_layers=tuple(values["branch_layers"])
    )


def _folders(folder: Path, user_topology: UserTopology, launch: Launch) -> LaunchFolders:
    folders = LaunchFolders(run=folder.name, job=folder / "job", result=folder / "result", log=folder / "log.txt")
    folders.job.mkdir()
    folders.result.mkdir()
    write_whole(folders.job / user_topology.file.name, user_topology.content)
    write_whole(folders.job / JOB_FILE, json.dumps(description_job(launch)))
    return folders


def _require_built(user_topology: UserTopology, result: Mapping[str, Any], where: str) -> None:
    error = result["error"]
    if error is None:
        return
    if error["kind"] == "topology_error":
        raise UsageError(
            f"{user_topology.path} does not build in {where}. {error['message']}\n\n{error['traceback'].rstrip()}"
        )
    raise HostError(f"{user_topology.path} could not be built in {where}: {error['kind']}: {error['message']}")


def _differences(one: Description, other: Description) -> str:
    before, after = one.to_json(), other.to_json()
    return ", ".join(f"{key} {before[key]} and {after[key]}" for key in before if before[key] != after[key])
