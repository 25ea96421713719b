"""The kit's words as frozen data: topology, cell, launch, block, pair.

Imports nothing of the kit but its errors and the built-in topologies.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from runner.errors import UsageError
from runner.topologies import BUILT_IN

Layout = Literal["NHWC", "NCHW"]
EngineName = Literal["docker", "venv"]

# First the topologies of the article's Figure 1, in its order; then the other built-in topologies, by name.
ARTICLE_TOPOLOGIES = tuple(name for name, topology in BUILT_IN.items() if topology.figure_1_position is not None)
TOPOLOGIES = tuple(BUILT_IN)

# The conditions of a launch that not every engine can enforce, with the names that messages and records use.
ENFORCEABLE = {
    "mems": "memory nodes",
    "memory_limit_bytes": "memory limit",
    "cpu_quota_cpus": "CPU quota",
    "network": "no network",
    "file_system": "read-only file system",
}


def runs_containers(engine: str) -> bool:
    """Whether an engine of this name runs each launch in a container.

    A container has its own control group, file system and C library; a plain process has those of its host.
    """
    return engine == "docker"


@dataclass(frozen=True, order=True)
class Group:
    """What is compared: one topology at one batch size on one stack. Each of its variants is a bar of the figure."""

    stack: str
    topology: str
    batch_size: int

    def cell(self, variant: str) -> Cell:
        """The cell of one of its variants."""
        return Cell(self.stack, variant, self.topology, self.batch_size)

    def report_order(self) -> tuple[str, int, int, str]:
        """Sorting key: by stack, then batch size, then the article's order of topologies."""
        known = TOPOLOGIES.index(self.topology) if self.topology in TOPOLOGIES else len(TOPOLOGIES)
        return (self.stack, self.batch_size, known, self.topology)


@dataclass(frozen=True, order=True)
class Cell:
    """One bar: stack x variant x topology x batch size."""

    stack: str
    variant: str
    topology: str
    batch_size: int

    @property
    def group(self) -> Group:
        """The comparison this cell takes part in."""
        return Group(self.stack, self.topology, self.batch_size)


@dataclass(frozen=True)
class Steps:
    """How long a launch trains: untimed warm-up steps, then timed ones."""

    warmup: int
    timed: int


@dataclass(frozen=True)
class TurnSize:
    """How launches of a block take turns: how many bursts each has, and the seconds that a burst is to take.

    A burst is sized by time: after its warm-up, a launch fixes how many steps each of its bursts has. If not
    `together`, the launches of a block follow one another, with bursts of the same size.
    """

    bursts: int
    burst_seconds: float
    together: bool = True


@dataclass(frozen=True)
class Turn:
    """One turn of a group of launches. `member` counts from 0. `steps` is the fewest that are run; `end` has none."""

    member: int
    phase: Literal["warmup", "timed", "end"]
    steps: int


@dataclass(frozen=True)
class Turns:
    """A launch's place in a group of launches that live together: its number, and every turn of the group in order.

    A launch that has the CPUs to itself is a group of one.
    """

    member: int
    order: tuple[Turn, ...]
    burst_seconds: float

    @property
    def members(self) -> int:
        """How many launches live together."""
        return len({turn.member for turn in self.order})

    @property
    def bursts(self) -> int:
        """How many timed bursts each member has."""
        return sum(turn.phase == "timed" and turn.member == self.member for turn in self.order)

    def to_json(self) -> dict[str, Any]:
        """As run.json and a job have it: each turn is a list of member, phase and steps."""
        order = [[turn.member, turn.phase, turn.steps] for turn in self.order]
        return {"member": self.member, "order": order, "burst_seconds": self.burst_seconds}


@dataclass(frozen=True)
class TopologyFile:
    """A user's own topology: the name of the file that builds it, and the sha256 of the file's bytes."""

    name: str
    sha256: str

    @property
    def topology(self) -> str:
        """The topology's name: the file's name without `.py`."""
        return self.name.removesuffix(".py")


@dataclass(frozen=True)
class AllocatorFile:
    """The library of a memory allocator: the allocator's name, and the name and the sha256 of the library's file."""

    name: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Launch:
    """One run of one cell, in a container or as a process. An engine needs nothing else to carry it out.

    `environment` holds every variable that the launch is started with, except those that the engine must add to start
    a process. `time_limit_seconds` limits the training inside the launch. The engine's deadline is that limit and a
    grace period (`runner/session/execute.py`); then the engine kills the launch. Without `graph_optimisation`
    TensorFlow runs the graph as it was built. `topology_file` is None for the built-in topologies. `allocator` is
    preloaded from the launch's job folder; None for the C library's own.
    `turns` is None for a launch whose job only counts steps. `sitting` is None where all variants of a block live
    together. Where memory has room for two only, a block has one sitting for each candidate, numbered from 1: the
    baseline and that candidate live together, each in a launch of its own.
    """

    launch_id: str
    block: int
    position: int
    cell: Cell
    installation: str
    layout: Layout
    steps: Steps
    intra_op_threads: int
    inter_op_threads: int
    environment: Mapping[str, str]
    seed: int
    time_limit_seconds: float
    graph_optimisation: bool = True
    topology_file: TopologyFile | None = None
    turns: Turns | None = None
    sitting: int | None = None
    allocator: AllocatorFile | None = None

    @property
    def members(self) -> int:
        """How many launches live together with this one, itself among them."""
        return 1 if self.turns is None else self.turns.members

    def to_json(self) -> dict[str, Any]:
        """The launch as `plan --json` prints it and run.json keeps it."""
        return {
            "launch_id": self.launch_id,
            "block": self.block,
            "position": self.position,
            "stack": self.cell.stack,
            "variant": self.cell.variant,
            "topology": self.cell.topology,
            "batch_size": self.cell.batch_size,
            "installation": self.installation,
            "layout": self.layout,
            "warmup_steps": self.steps.warmup,
            "timed_steps": self.steps.timed,
            "intra_op_threads": self.intra_op_threads,
            "inter_op_threads": self.inter_op_threads,
            "environment": dict(self.environment),
            "seed": self.seed,
            "time_limit_seconds": self.time_limit_seconds,
            "graph_optimisation": self.graph_optimisation,
            **({} if self.topology_file is None else {"topology_file": asdict(self.topology_file)}),
            **({} if self.turns is None else {"turns": self.turns.to_json()}),
            **({} if self.sitting is None else {"sitting": self.sitting}),
            **({} if self.allocator is None else {"allocator": asdict(self.allocator)}),
        }


def one_of(what: str, name: str, known: Iterable[str]) -> str:
    """Return `name` if it is known.

    Raises:
        UsageError: `name` is not known; the message suggests the nearest names and lists all.
    """
    choices = list(known)
    if name in choices:
        return name
    near = difflib.get_close_matches(name, choices, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"There is no {what} {name!r}.{hint} Known: {', '.join(choices)}.")
