"""`--images` on a fake engine: what a run keeps of its lock, and what resuming takes over."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.protocol import Outcome
from runner.registry import image_lock
from runner.session.options import EngineOptions
from tests.runner.fake_engine import FakeEngine
from tests.runner.registry.locks import lock

Run = Callable[..., int]
COMPARE = ("compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run")


@pytest.fixture
def docker() -> FakeEngine:
    """An engine that has whatever images there are."""
    return FakeEngine(name="docker", cannot_enforce=())


@pytest.fixture
def asked() -> list[EngineOptions]:
    """The options that the engine was made with."""
    return []


@pytest.fixture
def run(in_folder: Path, docker: FakeEngine, asked: list[EngineOptions]) -> Run:
    """Run a command line on it, beside a lock of this clone."""
    image_lock.write(Path("images.lock.json"), lock())

    def make(options: EngineOptions) -> FakeEngine:
        asked.append(options)
        return docker

    def run_it(*arguments: str) -> int:
        return main(arguments, {"docker": make, "venv": lambda _arguments: docker})

    return run_it


def fail_once(docker: FakeEngine) -> None:
    """Let one launch fail, so that there is something to resume."""
    docker.outcomes["block1-tf-2.14-stock-alexnet-b4"] = Outcome(1, 1.0, stopped_by_deadline=False, out_of_memory=False)


def test_a_run_keeps_its_lock_and_resume_takes_it_over(
    run: Run, docker: FakeEngine, asked: list[EngineOptions]
) -> None:
    """The run's own copy counts, whatever has become of the file; no base image is taken over for a build."""
    fail_once(docker)
    assert run(*COMPARE, "--images", "images.lock.json") == 1
    assert json.loads(Path("run/run.json").read_text())["images"] == lock().to_json()
    Path("images.lock.json").unlink()
    docker.outcomes.clear()
    assert run("compare", "--resume", "run") == 0
    assert asked[-1].image_lock == lock()
    assert asked[-1].base_image == {}


def test_resume_refuses_other_images(run: Run, docker: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    """Naming the same images again is fine, others are not; nor are images for a run that was built."""
    fail_once(docker)
    run(*COMPARE, "--images", "images.lock.json")
    image_lock.write(Path("other.json"), lock("127.0.0.1:9/elsewhere"))
    assert run("compare", "--resume", "run", "--images", "other.json") == 2
    assert "was begun with other images than those of other.json" in capsys.readouterr().err
    docker.outcomes.clear()
    assert run("compare", "--resume", "run", "--images", "images.lock.json") == 0
    fail_once(docker)
    run(*COMPARE[:-1], "built")
    assert run("compare", "--resume", "built", "--images", "images.lock.json") == 2
    assert "images that were built" in capsys.readouterr().err


def test_a_run_that_builds_has_no_lock(run: Run) -> None:
    """The field is there for images by digest only."""
    assert run(*COMPARE) == 0
    assert "images" not in json.loads(Path("run/run.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "venv"], "--engine is venv"),
        (["--base-image", "other"], "--base-image has no effect"),
        (["--pip-index", "https://index.example"], "--pip-index has no effect"),
        (["--images", "absent.json"], "absent.json cannot be read"),
    ],
)
def test_options_that_do_not_go_with_images_are_refused(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """Exit code 2, before anything is fetched."""
    assert run(*COMPARE, "--images", "images.lock.json", *arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["push", "--to", "Upper/Case"], "not the name of an image repository"),
        (["push", "--to", "a.example/b", "--keep-last", "0"], "a whole number of 1 or more"),
        (["push", "--to", "a.example/b", "--password", "secret"], "unrecognized arguments"),
        (["push", "--to", "a.example/b", "--kms-key", "arn", "--encryption", "AES256"], "AES256 takes no key"),
        (["push", "--to", "a.example/b", "--lifecycle-policy", "absent.json"], "absent.json cannot be read"),
        (["push"], "--to"),
        (["pull", "--images", "absent.json"], "absent.json cannot be read"),
    ],
)
def test_bad_input_is_told_before_anything_is_asked(
    in_folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    try:
        code = main(arguments, ENGINES)
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 2
    assert words in capsys.readouterr().err


def test_help_of_push_and_pull_imports_neither_sdk() -> None:
    """boto3 and the Docker SDK take longer to import than `--help` may."""
    script = (
        "import sys; from runner.cli.parser import build_parser; build_parser().format_help(); "
        "print([name for name in ('boto3', 'botocore', 'docker', 'tenacity') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"
