"""The jobs that the workload carries out. Each is a JSON object in the file job.json of a launch's job folder.

Every kind of job is made here and nowhere else. The workload checks a job by its own rules (images/workload/job.py),
because the two sides share no code. Knows launches; writes no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from runner.vocabulary import Launch

JOB_FILE: Final = "job.json"
SCHEMA_VERSION = 1
# `train` is timed. `probe` and `quiet` are not timed: they show what a training computes, `probe` with verbose switches
# and `quiet` without them.
TrainingKind = Literal["train", "probe", "quiet"]
# `gemm` measures the matrix product; `describe` builds a network and describes it, without training it.
JobKind = Literal[TrainingKind, "gemm", "describe"]
Job = dict[str, Any]


def training_job(launch: Launch, kind: TrainingKind = "train") -> Job:
    """The job of a launch that trains its cell's topology."""
    return {
        **_header(launch, kind),
        **_network(launch),
        "warmup_steps": launch.steps.warmup,
        "timed_steps": launch.steps.timed,
        **_limits(launch, launch.time_limit_seconds),
        "seed": launch.seed,
        "graph_optimisation": launch.graph_optimisation,
        **_topology_file(launch),
        **({"turns": launch.turns.to_json()} if launch.turns is not None and kind == "train" else {}),
    }


def product_job(launch: Launch, sizes: Sequence[int], repeats: int) -> Job:
    """The job that multiplies square single-precision matrices of each size, `repeats` times."""
    limits = _limits(launch, launch.time_limit_seconds)
    return {**_header(launch, "gemm"), "sizes": list(sizes), "repeats": repeats, **limits}


def description_job(launch: Launch) -> Job:
    """The job that builds a launch's topology and describes it. It runs no step that a time limit could stop."""
    return {**_header(launch, "describe"), **_network(launch), **_limits(launch, None), **_topology_file(launch)}


def _header(launch: Launch, kind: JobKind) -> Job:
    return {"schema_version": SCHEMA_VERSION, "launch_id": launch.launch_id, "kind": kind}


def _network(launch: Launch) -> Job:
    return {"topology": launch.cell.topology, "batch_size": launch.cell.batch_size, "layout": launch.layout}


def _limits(launch: Launch, time_limit_seconds: float | None) -> Job:
    return {
        "time_limit_seconds": time_limit_seconds,
        "intra_op_threads": launch.intra_op_threads,
        "inter_op_threads": launch.inter_op_threads,
    }


def _topology_file(launch: Launch) -> Job:
    return {} if launch.topology_file is None else {"topology_file": launch.topology_file.name}
