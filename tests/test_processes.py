"""Tests in two processes: pytest-xdist has to take notice of the groups that tests/conftest.py makes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNNER = "tests/runner"
# One of each kind, by its group: what runs launches on the engine, and what builds, moves and looks into images.
GROUPS = {
    f"{RUNNER}/compose/test_docker_compose.py::test_the_files_are_valid": "launches",
    f"{RUNNER}/compose/test_docker_compose.py::test_a_launch_out_of_memory_stops_no_other_and_is_recorded": "launches",
    f"{RUNNER}/engines/test_docker_deaths.py::test_a_container_that_exceeds_its_deadline_is_killed_and_said_to_be":
        "launches",
    # It runs `compare`, which begins by removing the containers of launches that an earlier run left.
    f"{RUNNER}/registry/test_commands.py::test_images_of_another_workload_are_refused_before_anything_runs": "launches",
    f"{RUNNER}/registry/test_commands.py::test_an_image_that_was_not_built_is_told": "images",
    f"{RUNNER}/registry/test_other_host.py::test_what_one_host_pushed_another_pulls_and_compares_by_digest": "images",
    f"{RUNNER}/engines/test_docker_images.py::test_secrets_of_the_build_are_not_in_the_image": "images",
}  # fmt: skip


def test_each_group_stays_in_one_process() -> None:
    """Two tests that start and remove launches' containers of one engine at the same time would disturb each other."""
    in_processes = ("--numprocesses=2", "--dist=loadgroup", "--no-loadscope-reorder")  # as in the Makefile
    command = [sys.executable, "-m", "pytest", "--verbose", *in_processes, *GROUPS]
    environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere.sock"}  # so that each is skipped at once
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    skipped = [line.split() for line in done.stdout.splitlines() if line.startswith("[gw")]
    found = {words[-1].rpartition("@")[0]: (words[-1].rpartition("@")[2], words[0]) for words in skipped}
    assert {test: group for test, (group, _) in found.items()} == GROUPS, done.stdout + done.stderr
    assert len(set(found.values())) == len(set(GROUPS.values())), done.stdout  # one process for each group
