"""The Docker engine for real: images, pins, limits, deaths. Needs an engine and a base image (--base-image)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner import records
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.docker import RUN_LABEL
from runner.engines.docker_images import ImageBuilder
from runner.engines.protocol import Artifact, Engine, LaunchFolders
from runner.stacks import find_stack
from runner.vocabulary import Launch, Steps
from tests.runner.builders import PIN, plan

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[3]
FIRST_CPU = str(min(os.sched_getaffinity(0)))
STACK = find_stack("tf-2.14")
COMPARE = ("--engine", "docker", "--topologies", "alexnet", "--batch-sizes", "1", "--blocks", "2", "--steps", "1")


def docker(*arguments: str) -> str:
    """What a docker command prints."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session")
def base_image(request: pytest.FixtureRequest) -> str:
    """The base image that was named for the tests, or the stack's own if it is on the engine."""
    reference = request.config.getoption("--base-image") or STACK.base_image
    try:
        docker("image", "inspect", reference)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no Docker engine with the base image {reference}: {error}")
    return str(reference)


@pytest.fixture(scope="session")
def engine(base_image: str) -> Engine:
    """The engine as the command line makes it."""
    return ENGINES["docker"](argparse.Namespace(pip_index=None, ca_bundle=None, base_image=base_image, memory=None))


@pytest.fixture(scope="session")
def images(engine: Engine) -> dict[str, Artifact]:
    """Both images of the pair, built once."""
    return {name: engine.prepare(STACK, each, print) for name, each in STACK.installations.items()}


def compare(base_image: str, *arguments: str) -> int:
    """Run `compare` on the docker engine in the current folder."""
    return main(["compare", *COMPARE, "--base-image", base_image, *arguments], ENGINES)


def read(folder: str = "run") -> list[records.Record]:
    """The records of a run."""
    return records.read(Path(folder) / "records.jsonl")


def labelled() -> Sequence[str]:
    """Every container that a run of the kit has left, running or not."""
    return docker("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}").split()


INSIDE = """
import json, os, shutil, sys
print(json.dumps({
    "uid": os.getuid(),
    "compilers": [name for name in ("gcc", "cc", "g++", "make") if shutil.which(name)],
    "pip": os.path.exists("/opt/environment/bin/pip"),
    "caches": [path for path in ("/root/.cache/pip", "/tmp/pip", "/build") if os.path.exists(path)],
}))
"""


@pytest.mark.parametrize("name", ["stock", "intel"])
def test_an_image_holds_what_runs_and_nothing_that_builds(images: dict[str, Artifact], name: str) -> None:
    """Non-root, no compiler, no pip, no cache, and small enough."""
    image = images[name].location
    run = ["run", "--rm", "--network", "none", "--entrypoint", "/opt/environment/bin/python", image, "-c", INSIDE]
    seen = json.loads(docker(*run))
    assert seen["uid"] != 0
    assert (seen["compilers"], seen["pip"], seen["caches"]) == ([], False, [])
    assert images[name].provenance["image_bytes"] <= 1.45e9


@pytest.mark.parametrize("name", ["stock", "intel"])
def test_an_image_answers_for_itself(images: dict[str, Artifact], name: str) -> None:
    """--version tells what is inside; --self-check trains one step, read-only, without network, without warnings."""
    image = images[name].location
    hard = ["run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
    assert "TensorFlow 2.14.0" in docker(*hard, image, "--version")
    done = subprocess.run(["docker", *hard, image, "--self-check"], capture_output=True, text=True, check=True)
    assert "self-check passed" in done.stdout
    # TensorFlow 2.14 logs deprecations of the graph mode that the workload needs; nothing else may warn.
    known = ("Call initializer instance with the dtype argument", "non-resource variables are not supported")
    lines = [line for line in done.stderr.splitlines() if "WARNING" in line or "Warning" in line]
    unexpected = [line for line in lines if not any(words in line for words in known)]
    assert [line for line in unexpected if not line.startswith("WARNING:tensorflow:From")] == []


def test_secrets_of_the_build_are_not_in_the_image(engine: Engine, images: dict[str, Artifact]) -> None:
    """Neither the image's history nor its file system names an index or holds a CA bundle of the build."""
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", images["stock"].location)
    assert "ca-bundle.pem" not in history
    assert "pip.conf" not in history


def test_a_second_build_takes_every_step_from_the_cache(engine: Engine, images: dict[str, Artifact]) -> None:
    """A rebuild without changes gives the same image in seconds."""
    started = time.monotonic()
    again = engine.prepare(STACK, STACK.installations["stock"], print)
    assert again.location == images["stock"].location
    assert time.monotonic() - started < 60


def test_a_run_pinned_to_one_cpu_sees_exactly_that_cpu_and_fits_the_schema(
    in_folder: Path, base_image: str, images: dict[str, Artifact]
) -> None:
    """Every container observes its cpuset; records carry image id, base, lock and workload; nothing is left behind."""
    assert compare(base_image, "--cpus", FIRST_CPU, "--out", "run") == 0
    schema = json.loads((ROOT / "results" / "record.schema.json").read_text())
    for line in Path("run/records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)
    for record in read():
        assert record.result is not None
        assert record.result["observed"]["allowed_cpus"] == FIRST_CPU
        assert record.result["observed"]["uid"] == os.getuid()
        artifact = record.settings["artifact"]
        assert artifact["image_id"] == images[record.case["installation"]].location
        assert artifact["base_image"] == base_image
        assert artifact["lock_sha256"]
    assert labelled() == []


def test_a_container_that_exceeds_its_memory_is_recorded_as_out_of_memory(
    in_folder: Path, base_image: str, images: dict[str, Artifact]
) -> None:
    """256 MiB are not enough for TensorFlow: the kernel kills it, and the record says so."""
    assert compare(base_image, "--memory", "256m", "--out", "run") == 1
    assert {record.error["kind"] for record in read() if record.error} == {"out_of_memory"}
    assert len(read()) == 4
    assert labelled() == []


def test_a_container_that_is_killed_is_an_error_and_resume_completes(
    in_folder: Path, base_image: str, images: dict[str, Artifact]
) -> None:
    """`docker kill` in mid-run costs one launch; --resume measures it and nothing else."""
    command = [
        sys.executable,
        "-m",
        "runner",
        "compare",
        *COMPARE,
        "--base-image",
        base_image,
        "--out",
        str(in_folder / "run"),
    ]
    runner = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    docker("kill", wait_for_container())
    assert runner.wait(300) == 1
    errors = [record.error for record in read() if record.error]
    assert [error["kind"] for error in errors] == ["failed"]
    assert len(read()) == 4
    assert main(["compare", "--resume", "run", "--base-image", base_image], ENGINES) == 0
    assert len(read()) == 5
    assert labelled() == []


@pytest.mark.parametrize("deadly", [signal.SIGINT, signal.SIGKILL])
def test_neither_ctrl_c_nor_a_crash_leaves_a_container_for_long(
    in_folder: Path, base_image: str, images: dict[str, Artifact], deadly: signal.Signals
) -> None:
    """After Ctrl-C nothing labelled is left; after a crash the next start of that run removes it."""
    command = [
        sys.executable,
        "-m",
        "runner",
        "compare",
        *COMPARE,
        "--base-image",
        base_image,
        "--out",
        str(in_folder / "run"),
    ]
    runner = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_container()
    runner.send_signal(deadly)
    runner.wait(60)
    if deadly == signal.SIGINT:
        assert labelled() == []
    assert main(["compare", "--resume", "run", "--base-image", base_image], ENGINES) == 0
    assert len([record for record in read() if record.error is None]) == 4
    assert labelled() == []


def launch_of(variant: str) -> Launch:
    """A short launch of alexnet."""
    changes: dict[str, Any] = {"topologies": ("alexnet",), "batch_sizes": (1,), "steps": Steps(0, 1)}
    return next(each for each in plan(**changes).launches if each.cell.variant == variant)


def folders_for(launch: Launch, folder: Path) -> LaunchFolders:
    """A launch's folders with its job file."""
    made = LaunchFolders("run-of-a-test", folder / "job", folder / "result", folder / "log.txt")
    made.job.mkdir()
    made.result.mkdir()
    (made.job / "job.json").write_text(json.dumps(launch.job()))
    return made


def test_an_image_that_is_retagged_has_no_effect(engine: Engine, images: dict[str, Artifact], tmp_path: Path) -> None:
    """A launch runs the image that was built for it, whatever its tag has come to mean since."""
    tag = ImageBuilder.tag("tf-2.14", "intel")
    docker("tag", images["stock"].location, tag)
    try:
        launch = launch_of("intel")
        places = folders_for(launch, tmp_path)
        assert engine.run(launch, PIN, images["intel"], places, 120).exit_code == 0
        wheel = json.loads((places.result / "result.json").read_text())["evidence"]["wheel"]
        assert wheel["distribution"].replace("-", "_") == "intel_tensorflow"
    finally:
        docker("tag", images["intel"].location, tag)


def test_a_container_that_exceeds_its_deadline_is_killed_and_said_to_be(
    engine: Engine, images: dict[str, Artifact], tmp_path: Path
) -> None:
    """The deadline is the engine's own, and the container is gone after it."""
    launch = launch_of("stock")
    outcome = engine.run(launch, PIN, images["stock"], folders_for(launch, tmp_path), 1.0)
    assert outcome.stopped_by_deadline
    assert not outcome.out_of_memory
    assert labelled() == []


def test_a_memory_limit_is_observed_inside(in_folder: Path, base_image: str, images: dict[str, Artifact]) -> None:
    """A run with --memory records the limit that the containers saw, and their peak below it."""
    assert compare(base_image, "--memory", "6g", "--out", "run") == 0
    for record in read():
        assert record.result is not None
        seen = record.result["observed"]["cgroup"]
        assert seen["memory_limit_bytes"] == 6 << 30
        assert 0 < seen["memory_peak_bytes"] <= 6 << 30


def test_a_printed_line_works_when_pasted(
    in_folder: Path, base_image: str, images: dict[str, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    """`plan --engine docker` prints lines that make the job, run the container and leave a result."""
    assert main(["plan", *COMPARE, "--base-image", base_image, "--json"], ENGINES) == 0
    line: str = json.loads(capsys.readouterr().out)["launches"][0]["command"]
    assert "docker run" in line
    subprocess.run(line, shell=True, check=True, capture_output=True, timeout=120)
    results = list(Path("results").rglob("result.json"))
    assert len(results) == 1
    result: dict[str, Any] = json.loads(results[0].read_text())
    assert result["error"] is None


def test_a_base_image_that_is_not_to_be_had_names_the_option(
    in_folder: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says which image, and that --base-image takes another."""
    assert main(["compare", *COMPARE, "--base-image", "127.0.0.1:9/absent:1"], ENGINES) == 3
    error = capsys.readouterr().err
    assert "127.0.0.1:9/absent:1" in error
    assert "--base-image" in error


@pytest.mark.tensorflow
def test_docker_and_venv_train_the_same_thing(
    in_folder: Path, base_image: str, images: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two losses of a container and of a process are equal: same workload, same locks."""
    monkeypatch.delenv("KIT_CACHE")  # the environments are large: those that other tests have made are good enough
    assert compare(base_image, "--out", "docker") == 0
    assert main(["compare", "--engine", "venv", *COMPARE[2:], "--out", "venv"], ENGINES) == 0
    losses = {
        folder: {
            record.case["variant"]: [step["loss"] for step in record.result["steps"][:2]]
            for record in read(folder)
            if record.result
        }
        for folder in ("docker", "venv")
    }
    for variant, values in losses["docker"].items():
        assert values == pytest.approx(losses["venv"][variant], rel=1e-5)


def wait_for_container(seconds: float = 120.0) -> str:
    """Wait until a launch's container runs; return its id."""
    end = time.monotonic() + seconds
    while not (running := docker("ps", "--quiet", "--filter", f"label={RUN_LABEL}").split()):
        assert time.monotonic() < end, "no container was started"
        time.sleep(0.1)
    return running[0]
