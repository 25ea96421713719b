"""Keeps each training graph that a launch of a run built, and gives it to the later launches that train the same.

A launch that finds no graph is asked to keep the one that it builds. Knows jobs and folders, not what is in a graph.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runner.engines.protocol import LaunchFolders
from runner.planning.job import Job
from runner.support.atomic import write_whole

GRAPH_FILE: Final = "training.graph"  # in a launch's job folder; and in its result folder, if the launch keeps it
GRAPHS: Final = "graphs"  # in the run's folder
_TRAINING = ("train", "probe", "quiet")


def place_graph(run_folder: Path, installation: str, workload_sha256: str, job: Job, job_folder: Path) -> Job:
    """Put the run's graph for this job into the job's folder, if there is one; return the job that says so.

    `installation` names the stack and the installation. A job that trains nothing is returned as it is.

    Raises:
        OSError: the graph cannot be read or put there.
    """
    if job["kind"] not in _TRAINING:
        return job
    kept = _kept(run_folder, installation, workload_sha256, job)
    if not kept.is_file():
        return {**job, "keeps_graph": True}
    placed = job_folder / GRAPH_FILE
    try:
        os.link(kept, placed)
    except OSError:  # the file system knows no links
        shutil.copyfile(kept, placed)
    return {**job, "graph": {"file": GRAPH_FILE, "sha256": hashlib.sha256(placed.read_bytes()).hexdigest()}}


def keep_graph(
    run_folder: Path, installation: str, workload_sha256: str, folders: LaunchFolders, result: Mapping[str, Any]
) -> None:
    """Move the graph that a launch wrote beside its result to the run's graphs. A launch that wrote none is no error.

    To be called for a launch without an error only. A graph whose hash is not the one in the result is removed.

    Raises:
        OSError: the graph cannot be moved.
    """
    written = folders.result / GRAPH_FILE
    if not written.is_file():
        return
    content = written.read_bytes()
    if hashlib.sha256(content).hexdigest() == result.get("graph_sha256"):
        job = json.loads((folders.job / "job.json").read_text(encoding="utf-8"))
        kept = _kept(run_folder, installation, workload_sha256, job)
        kept.parent.mkdir(exist_ok=True)
        write_whole(kept, content)
        kept.chmod(0o444)  # a launch in a container reads it as another user, and nobody may change it
    written.unlink()


def _kept(run_folder: Path, installation: str, workload_sha256: str, job: Job) -> Path:
    """Where the run keeps the graph of this training: its name has a hash of all that a graph depends on.

    A user's own topology is the same file in all of a run.
    """
    source = [installation, workload_sha256, *(job[key] for key in ("topology", "batch_size", "layout", "seed"))]
    digest = hashlib.sha256(json.dumps(source).encode()).hexdigest()[:12]
    return run_folder / GRAPHS / f"{job['topology']}-b{job['batch_size']}-{digest}.graph"
