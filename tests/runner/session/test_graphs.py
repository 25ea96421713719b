"""A graph that one launch built goes to the later launches of the run that train the same, and to no others."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from runner.engines.protocol import LaunchFolders
from runner.session.graphs import GRAPH_FILE, keep_graph, place_graph

JOB: dict[str, Any] = {
    "kind": "train", "topology": "resnet50", "batch_size": 4, "layout": "NHWC", "seed": 1, "launch_id": "one",
}  # fmt: skip
GRAPH = b"{}\nsome graph"
SHA256 = hashlib.sha256(GRAPH).hexdigest()


def built(folder: Path, sha256: str = SHA256) -> None:
    """A launch of JOB ended and wrote its graph."""
    folders = LaunchFolders("run", folder / "job", folder / "result", folder / "log.txt")
    folders.job.mkdir()
    folders.result.mkdir()
    (folders.job / "job.json").write_text(json.dumps(JOB), encoding="utf-8")
    (folders.result / GRAPH_FILE).write_bytes(GRAPH)
    keep_graph(folder, "tf-2.14/stock", "w", folders, {"graph_sha256": sha256})
    assert not (folders.result / GRAPH_FILE).exists()


def placed(folder: Path, installation: str = "tf-2.14/stock", workload: str = "w", **changed: Any) -> dict[str, Any]:
    """The job of another launch, and whether it has the graph's file."""
    job_folder = folder / "next"
    job_folder.mkdir()
    job = place_graph(folder, installation, workload, {**JOB, "launch_id": "two", **changed}, job_folder)
    assert ("graph" in job) == (job_folder / GRAPH_FILE).is_file()
    return job


def test_first_launch_is_asked_to_keep_its_graph(tmp_path: Path) -> None:
    job = placed(tmp_path)
    assert (job["keeps_graph"], "graph" in job) == (True, False)


def test_next_launch_gets_the_graph_and_its_hash(tmp_path: Path) -> None:
    built(tmp_path)
    job = placed(tmp_path)
    assert job["graph"] == {"file": GRAPH_FILE, "sha256": SHA256}
    assert "keeps_graph" not in job
    assert (tmp_path / "next" / GRAPH_FILE).read_bytes() == GRAPH


@pytest.mark.parametrize(
    "changed",
    [
        {"topology": "vgg16"}, {"batch_size": 8}, {"layout": "NCHW"}, {"seed": 2}, {"installation": "tf-2.14/intel"},
        {"workload": "other"},
    ],
)  # fmt: skip
def test_launch_that_trains_something_else_builds(tmp_path: Path, changed: dict[str, Any]) -> None:
    built(tmp_path)
    assert placed(tmp_path, **changed)["keeps_graph"] is True


def test_graph_that_is_not_the_one_of_the_result_is_not_kept(tmp_path: Path) -> None:
    built(tmp_path, sha256="0" * 64)
    assert placed(tmp_path)["keeps_graph"] is True


def test_job_that_trains_nothing_stays_as_it_is(tmp_path: Path) -> None:
    assert place_graph(tmp_path, "tf-2.14/stock", "w", {"kind": "gemm"}, tmp_path) == {"kind": "gemm"}
