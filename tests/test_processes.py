"""Tests in two processes: pytest-xdist has to take notice of the groups that tests/conftest.py makes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_what_uses_the_engine_stays_in_one_process() -> None:
    """Two tests that start and remove containers of one engine at the same time would disturb each other."""
    command = [sys.executable, "-m", "pytest", "--verbose", "--numprocesses=2", "--dist=loadgroup",
               "tests/runner/compose/test_docker_compose.py"]  # fmt: skip
    environment = {**os.environ, "DOCKER_HOST": "unix:///nowhere.sock"}  # so that each is skipped at once
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    skipped = [line.split() for line in done.stdout.splitlines() if line.startswith("[gw")]
    assert len(skipped) > 1, done.stdout + done.stderr
    assert all(words[-1].endswith("@launches") for words in skipped), done.stdout
    assert len({words[0] for words in skipped}) == 1, done.stdout
