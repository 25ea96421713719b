"""Every kind of job that the runner writes is one that the workload takes: the two sides share no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from workload.job import validate_job

from runner.session import peak, topology_description
from runner.vocabulary import TopologyFile
from tests.runner.builders import plan

LAUNCH = plan().launches[0]
OWN = replace(LAUNCH, cell=replace(LAUNCH.cell, topology="my_net"), topology_file=TopologyFile("my_net.py", "ab" * 32))


@pytest.mark.parametrize(
    "job",
    [
        LAUNCH.job(),
        OWN.job(),
        {**LAUNCH.job(), "kind": "probe"},
        {**OWN.job(), "kind": "probe"},
        {**LAUNCH.job(), "kind": "quiet"},
        {**OWN.job(), "kind": "quiet"},
        topology_description._job(OWN),
        peak._job(LAUNCH, 2),
    ],
    ids=["train", "train own", "probe", "probe own", "quiet", "quiet own", "describe", "gemm"],
)
def test_the_workload_takes_every_job_of_the_runner(job: Mapping[str, Any]) -> None:
    """No key too many, none too few."""
    assert validate_job(dict(job)).launch_id == LAUNCH.launch_id


def test_a_launch_stands_for_a_training_job() -> None:
    """What a launch asks for arrives under the same names."""
    job = validate_job(LAUNCH.job())
    for name in ("layout", "intra_op_threads", "inter_op_threads", "seed", "graph_optimisation"):
        assert getattr(job, name) == getattr(LAUNCH, name)
