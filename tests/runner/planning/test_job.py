"""Every kind of job that the runner writes is one that the workload takes: the two sides share no code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from workload.job import InvalidJobError, validate_job

from runner.planning.job import Job, JobKind, description_job, product_job, training_job
from runner.vocabulary import TopologyFile, TurnSize
from tests.runner.builders import plan

LAUNCH = plan().launches[0]
OWN = replace(LAUNCH, cell=replace(LAUNCH.cell, topology="my_net"), topology_file=TopologyFile("my_net.py", "ab" * 32))
JOBS: dict[str, Job] = {
    "train": training_job(LAUNCH),
    "train in turns": training_job(plan(steps=LAUNCH.steps, turns=TurnSize(2, 1.5)).launches[0]),
    "train in turns, alone": training_job(plan(steps=LAUNCH.steps, turns=TurnSize(2, 1.5, together=False)).launches[0]),
    "train own": training_job(OWN),
    "probe": training_job(LAUNCH, "probe"),
    "probe own": training_job(OWN, "probe"),
    "quiet": training_job(LAUNCH, "quiet"),
    "quiet own": training_job(OWN, "quiet"),
    "gemm": product_job(LAUNCH, (1024, 2048), 3),
    "describe": description_job(LAUNCH),
    "describe own": description_job(OWN),
}


def kinds_of_the_workload() -> str:
    """The kinds of job that the workload says it carries out."""
    with pytest.raises(InvalidJobError) as refused:
        validate_job({**training_job(LAUNCH), "kind": "another"})
    return str(refused.value).partition('kind is "another", expected one of ')[2]


def test_no_kind_of_job_is_left_out_here() -> None:
    """Of those that the runner can make and of those that the workload carries out: they are the same."""
    assert {job["kind"] for job in JOBS.values()} == set(kinds_of_the_workload().split(", "))
    known: set[str] = set(get_args(JobKind))
    assert known == set(kinds_of_the_workload().split(", "))


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_the_workload_takes_every_job_of_the_runner(job: Job) -> None:
    """No key too many, none too few."""
    assert validate_job(job).launch_id == LAUNCH.launch_id


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_what_is_asked_for_arrives_under_the_same_names(job: Job) -> None:
    """A job is of the launch that it was made of, as far as its kind asks for anything."""
    asked: dict[str, Any] = {
        name: getattr(LAUNCH, name) for name in ("layout", "intra_op_threads", "inter_op_threads", "seed")
    }
    asked |= {"batch_size": LAUNCH.cell.batch_size, "graph_optimisation": LAUNCH.graph_optimisation,
              "warmup_steps": LAUNCH.steps.warmup, "timed_steps": LAUNCH.steps.timed}  # fmt: skip
    taken = validate_job(job)._asdict()
    assert {name: taken[name] for name in asked if name in taken} == {
        name: value for name, value in asked.items() if name in taken
    }
    assert len(asked.keys() & taken.keys()) >= 2
