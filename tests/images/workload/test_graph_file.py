"""Graphs as bytes, on real builds of every stack: a launch that reads one trains exactly as the one that built it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import workload

from tests.conftest import StackPython
from tests.images.workload.job_content import QUIET_JOB

FOLDER = Path(workload.__file__).parent
DATA = Path(__file__).resolve().parents[2] / "data"
# A network of the kit; one of a user's own with batch normalisation and a shortcut; one that draws random numbers.
JOBS: dict[str, dict[str, Any]] = {
    "alexnet": {**QUIET_JOB, "topology": "alexnet", "batch_size": 1, "timed_steps": 1},
    "small_net": {**QUIET_JOB, "topology": "small_net", "topology_file": "small_net.py", "batch_size": 2},
    "dropout_net": {**QUIET_JOB, "topology": "dropout_net", "topology_file": "dropout_net.py", "batch_size": 2},
}

pytestmark = pytest.mark.tensorflow


def run(python: str, folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Carry a job out in a folder, which has the files that it names; return the result."""
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    if "topology_file" in job:
        shutil.copy(DATA / job["topology_file"], folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "TF_", "LD_"))}
    subprocess.run(
        [python, str(FOLDER), "--job", str(folder / "job.json"), "--result-dir", str(folder)],
        env={**environment, "OMP_NUM_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "2"},
        check=False,
    )
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result


def graph_in(folder: Path) -> dict[str, str]:
    """The graph that a launch kept, as another one's job names it."""
    return {
        "file": "training.graph",
        "sha256": hashlib.sha256((folder / "training.graph").read_bytes()).hexdigest(),
    }


def losses(result: dict[str, Any]) -> list[float]:
    """The loss of every step."""
    return [step["loss"] for step in result["steps"]]


@pytest.mark.parametrize("topology", JOBS)
@pytest.mark.parametrize("stack", ["tf-1.12", "tf-1.15", "tf-2.14"])
def test_launch_that_reads_the_graph_trains_as_the_one_that_built_it(
    stack_python: StackPython, tmp_path: Path, stack: str, topology: str
) -> None:
    job, python = JOBS[topology], stack_python("stock", stack)
    built = run(python, tmp_path, {**job, "keeps_graph": True})
    graph = graph_in(tmp_path)
    read = run(python, tmp_path, {**job, "graph": graph})
    assert (built["error"], read["error"]) == (None, None)
    assert (built["graph_imported"], read["graph_imported"]) == (False, True)
    assert built["graph_sha256"] == read["graph_sha256"] == graph["sha256"]
    for key in ("fingerprint", "parameters", "training_flops_per_step", "topology_sha256"):
        assert built[key] == read[key]
    assert losses(built) == losses(read)


def test_two_builds_give_the_same_graph(stack_python: StackPython, tmp_path: Path) -> None:
    """Also of stock and Intel, whose Python code is the same."""
    job = {**JOBS["small_net"], "kind": "train"}
    hashes = {
        run(stack_python(installation), tmp_path, job)["graph_sha256"] for installation in ("stock", "stock", "intel")
    }
    assert len(hashes) == 1


def test_graph_of_something_else_is_refused(stack_python: StackPython, tmp_path: Path) -> None:
    job = {**JOBS["small_net"], "kind": "train"}
    run(stack_python("stock"), tmp_path, {**job, "keeps_graph": True})
    graph = graph_in(tmp_path)
    other = run(stack_python("stock"), tmp_path, {**job, "batch_size": 3, "seed": 5, "graph": graph})
    assert other["error"]["kind"] == "invalid_job"
    assert "another batch_size, seed" in other["error"]["message"]
    changed = run(stack_python("stock"), tmp_path, {**job, "graph": {**graph, "sha256": "0" * 64}})
    assert changed["error"]["kind"] == "invalid_job"
    assert "expected " + "0" * 64 in changed["error"]["message"]
    (tmp_path / "training.graph").unlink()
    missing = run(stack_python("stock"), tmp_path, {**job, "graph": graph})
    assert "cannot read the graph training.graph" in missing["error"]["message"]
