"""The workload's result of a training launch, and the error of a launch that failed, as frozen types.

Every field is described, with its unit, in results/README.md. A field is None or empty if the launch ended before it
was known, or if the workload was of a version that did not write it. Keys that this version does not know are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cattrs import Converter

from runner.errors import RunFormatError
from runner.status import Status, status_of_error
from runner.support.structure import strict_converter, structure


@dataclass(frozen=True)
class Failure:
    """Why a launch has no samples. `kind` is failed, timeout, out_of_memory or not_as_planned; `message` says why."""

    kind: str
    message: str

    @property
    def status(self) -> Status:
        """The status that the kind stands for, with its words."""
        return status_of_error(self.kind)


@dataclass(frozen=True)
class Step:
    """One training step. `phase` is warmup or timed; `loss` is None if it was not a finite number.

    `began` is in seconds on the host's monotonic clock; None in records of the first version. `turn` is the number of
    the turn in the block's order; None for a launch that took none.
    """

    index: int
    phase: str
    seconds: float
    loss: float | None
    began: float | None = None
    turn: int | None = None


@dataclass(frozen=True)
class Burst:
    """What a launch did in one turn. `turn` is its number in the block's order, and `phase` is warmup or timed.

    `began` and `ended` are in seconds on the host's monotonic clock, which all launches of a block share.
    `idle_cpu_seconds` is the CPU time that the launch used while it waited for this turn; None for its first.
    `settled_seconds` is how long its threads took to fall asleep after the last step; None if they did not.
    """

    turn: int
    phase: str
    began: float
    ended: float
    idle_cpu_seconds: float | None
    settled_seconds: float | None


@dataclass(frozen=True)
class ThreadTime:
    """One thread's CPU time over the timed steps, how long it waited for a CPU, and the CPU that it last ran on."""

    id: int
    cpu_seconds: float | None
    waited_seconds: float | None
    last_cpu: int


@dataclass(frozen=True)
class CpuTime:
    """The process's CPU time over the timed steps, and that of each of its threads."""

    user_seconds: float
    system_seconds: float
    threads: tuple[ThreadTime, ...]

    @property
    def seconds(self) -> float:
        """User and system time together."""
        return self.user_seconds + self.system_seconds


@dataclass(frozen=True)
class Cgroup:
    """The limits of the control group, read inside the launch. None means no limit, or one that could not be read."""

    version: int | None = None
    cpu_quota_cpus: float | None = None
    memory_limit_bytes: int | None = None
    memory_high_bytes: int | None = None
    memory_high_events: int | None = None
    memory_peak_bytes: int | None = None


@dataclass(frozen=True)
class Observed:
    """What the process observed of itself and its host. CPUs and memory nodes are lists as the kernel writes them."""

    allowed_cpus: str | None = None
    allowed_mems: str | None = None
    uid: int | None = None
    cpu_model: str | None = None
    boot_sha256: str | None = None
    cgroup: Cgroup = field(default_factory=Cgroup)
    intra_op_threads: int | None = None
    inter_op_threads: int | None = None
    omp_max_threads: int | None = None
    graph_optimisation: bool | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Thread:
    """One thread after the last step: the CPUs it may use, as the kernel writes lists, and its CPU time so far."""

    allowed_cpus: str | None
    id: int | None = None
    name: str | None = None
    cpu_seconds: float | None = None


@dataclass(frozen=True)
class MappedLibrary:
    """A library that the process had mapped after the last step."""

    name: str
    path: str


@dataclass(frozen=True)
class InstalledWheel:
    """The TensorFlow distribution that was imported, and the sha256 of its RECORD file."""

    distribution: str | None = None
    version: str | None = None
    record_sha256: str | None = None


@dataclass(frozen=True)
class MemoryPages:
    """How the memory of a launch was laid out after its last step, in bytes, and its page faults so far."""

    anon_huge_bytes: int | None = None
    node_bytes: Mapping[str, int] | None = None
    minor_faults: int | None = None
    major_faults: int | None = None


@dataclass(frozen=True)
class LaunchEvidence:
    """What a launch recorded of itself after its last step."""

    threads: tuple[Thread, ...] = ()
    mapped_libraries: tuple[MappedLibrary, ...] = ()
    wheel: InstalledWheel | None = None
    memory_pages: MemoryPages | None = None


@dataclass(frozen=True)
class LaunchResult:
    """Everything that a training launch measured and observed. Memory is in bytes, times in seconds, work in FLOP."""

    steps: tuple[Step, ...] = ()
    bursts: tuple[Burst, ...] = ()
    stopped_by: str | None = None
    cpu: CpuTime | None = None
    seconds: Mapping[str, float | None] = field(default_factory=dict)
    peak_memory_bytes: int | None = None
    versions: Mapping[str, str | None] = field(default_factory=dict)
    mkl_enabled: bool | None = None
    parameters: int | None = None
    training_flops_per_step: int | None = None
    observed: Observed | None = None
    evidence: LaunchEvidence | None = None
    workload_sha256: str | None = None
    topology_sha256: str | None = None
    graph_sha256: str | None = None
    graph_imported: bool | None = None

    @property
    def timed_steps(self) -> tuple[Step, ...]:
        """The timed steps, without the warm-up steps."""
        return tuple(step for step in self.steps if step.phase == "timed")


def launch_result(data: Mapping[str, Any], launch_id: str) -> LaunchResult:
    """The result of a launch from its record's data.

    Raises:
        RunFormatError: a value is of another kind than expected; the message names the launch and the place.
    """
    return structure(data, LaunchResult, f"The result of {launch_id}", _converter(), RunFormatError)


def failure(data: Mapping[str, Any], launch_id: str) -> Failure:
    """The error of a launch from its record's data.

    Raises:
        RunFormatError: it lacks its kind or its message.
    """
    return structure(data, Failure, f"The error of {launch_id}", _converter(), RunFormatError)


@cache
def _converter() -> Converter:
    return strict_converter(refuses_unknown=False)
