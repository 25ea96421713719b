"""How containers end before their time: memory, kill, interrupt, crash, deadline; and what is left. Needs an engine."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.docker import COMPOSE_LABEL, RUN_LABEL
from runner.engines.protocol import Artifact, Engine
from runner.errors import HostError
from tests.runner.builders import PIN
from tests.runner.engines.containers import (
    compare,
    docker,
    folders_for,
    labelled,
    launch_of,
    read,
    start_runner,
    wait_for_container,
)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


def test_a_container_that_exceeds_its_memory_is_recorded_as_out_of_memory(
    in_folder: Path, base_image: str, images: dict[str, Artifact]
) -> None:
    """256 MiB are not enough for TensorFlow: the kernel kills it, the record says so, and its block ends with it."""
    assert compare(base_image, "--memory", "256m", "--out", "run") == 1
    kinds = [[record.error["kind"] for record in read() if record.error and record.block == block] for block in (1, 2)]
    assert all("out_of_memory" in block for block in kinds)
    assert [len(block) for block in kinds] == [2, 2]
    assert labelled() == []


def test_a_container_that_is_killed_is_an_error_and_resume_completes(
    in_folder: Path, base_image: str, images: dict[str, Artifact]
) -> None:
    runner = start_runner(base_image, in_folder)
    docker("kill", wait_for_container(runner))
    assert runner.wait(300) == 1
    errors = [record.error for record in read() if record.error]
    assert [error["kind"] for error in errors] == ["failed", "failed"], "the block has one launch besides"
    assert sorted("with which it took turns" in error["message"] for error in errors) == [False, True]
    assert len(read()) == 4
    assert main(["compare", "--resume", "run", "--base-image", base_image], ENGINES) == 0
    assert len(read()) == 6
    assert [record.session for record in read()] == [1, 1, 1, 1, 2, 2]
    assert labelled() == []


@pytest.mark.parametrize("deadly", [signal.SIGINT, signal.SIGKILL])
def test_neither_ctrl_c_nor_a_crash_leaves_a_container_for_long(
    in_folder: Path, base_image: str, images: dict[str, Artifact], deadly: signal.Signals
) -> None:
    """After Ctrl-C nothing labelled is left; after a crash the next start of that run removes it."""
    runner = start_runner(base_image, in_folder)
    wait_for_container(runner)
    runner.send_signal(deadly)
    runner.wait(60)
    if deadly == signal.SIGINT:
        assert labelled() == []
    assert main(["compare", "--resume", "run", "--base-image", base_image], ENGINES) == 0
    assert len([record for record in read() if record.error is None]) == 4
    assert labelled() == []


@pytest.mark.parametrize("composed", [False, True])
def test_the_next_start_ends_what_any_run_left_and_refuses_beside_a_compose_project(
    engine: Engine, base_image: str, composed: bool
) -> None:
    """What a crashed run left goes; a container of Compose's is named and goes on."""
    labels = ["--label", f"{RUN_LABEL}=crashed", *(["--label", f"{COMPOSE_LABEL}=somebody"] if composed else [])]
    left = docker("run", "--detach", *labels, "--name", "kit-left-behind", base_image, "sleep", "300")
    try:
        if composed:
            with pytest.raises(HostError, match="kit-left-behind would measure beside this one"):
                engine.remove_leftovers()
            assert docker("inspect", "--format", "{{.State.Running}}", left) == "true"
        else:
            engine.remove_leftovers()
            assert labelled() == []
    finally:
        if labelled():
            docker("rm", "--force", left)


def test_a_container_that_exceeds_its_deadline_is_killed_and_said_to_be(
    engine: Engine, images: dict[str, Artifact], tmp_path: Path
) -> None:
    launch = launch_of("stock")
    outcome = engine.run(launch, PIN, images["stock"], folders_for(launch, tmp_path), 1.0)
    assert outcome.stopped_by_deadline
    assert not outcome.out_of_memory
    assert labelled() == []
