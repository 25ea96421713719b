"""A user's own topology as a file on the host: reads the file of the option, and keeps the copy that the run uses.

The file is never executed here. The workload builds the network inside of an installation (see
topology_description.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError
from runner.support.copies import read_copy, write_copy
from runner.topologies import BUILT_IN
from runner.vocabulary import TOPOLOGIES, TopologyFile, one_of

# The folder of a run that holds the copy.
FOLDER = "topology"

# For each built-in topology the largest number of layers of which none needs another's output. The workload's
# `--describe` counts it from the graph as disjoint_branches, and a test compares the two.
BUILT_IN_BRANCHES: Mapping[str, int] = {name: topology.disjoint_branches for name, topology in BUILT_IN.items()}


@dataclass(frozen=True)
class UserTopology:
    """A topology file that was read once. `path` is the user's file; `content` is copied, hashed and executed."""

    path: Path
    file: TopologyFile
    content: bytes

    @property
    def name(self) -> str:
        """The topology's name in cells, records, tables and figures."""
        return self.file.topology


def read_topology_file(path: Path) -> UserTopology:
    """Read the file that --topology-file names.

    Raises:
        UsageError: the file cannot be read, or its name cannot be the name of a topology.
    """
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise UsageError(
            f"--topology-file {path}: the file's name is the topology's name in every table. It must be a Python "
            "identifier with the ending .py, such as my_net.py. Rename the file."
        )
    if path.stem in TOPOLOGIES:
        raise UsageError(
            f"--topology-file {path}: {path.stem} is also the name of a topology of the kit, and records could not "
            "tell the two apart. Rename the file."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--topology-file {path} cannot be read: {error.strerror}.") from error
    return UserTopology(path, TopologyFile(path.name, hashlib.sha256(content).hexdigest()), content)


def chosen_topologies(
    asked: Sequence[str] | None, defaults: Sequence[str], user_topology: UserTopology | None
) -> tuple[str, ...]:
    """The names of a run's topologies: the named ones and the user's own. If none are named, the user's own alone.

    With neither, they are the defaults.

    Raises:
        UsageError: a name is not known.
    """
    if user_topology is None:
        return tuple(one_of("topology", name, TOPOLOGIES) for name in asked or defaults)
    named = [one_of("topology", name, [*TOPOLOGIES, user_topology.name]) for name in asked or ()]
    return tuple(dict.fromkeys([*named, user_topology.name]))


def keep(user_topology: UserTopology, run_folder: Path) -> None:
    """Write the copy into a run's folder. Every launch of the run uses it, also after --resume.

    Raises:
        DiskError: the copy cannot be written.
    """
    write_copy(run_folder / FOLDER / user_topology.file.name, user_topology.content, str(user_topology.path))


def kept(run_folder: Path, file: TopologyFile) -> UserTopology:
    """Read a run's copy.

    Raises:
        UsageError: the copy is missing, or has changed since the run began.
    """
    path = run_folder / FOLDER / file.name
    return UserTopology(path, file, read_copy(path, file.sha256, "its topology"))
