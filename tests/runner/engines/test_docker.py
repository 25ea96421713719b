"""Whole runs in containers: pin, records, limits, images, losses, a user's topology. Needs an engine and a base."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.catalogue.debian_libraries import find_allocator
from runner.catalogue.stacks import find_stack
from runner.catalogue.workload_files import workload_sha256
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.docker_images import ImageBuilder
from runner.engines.environments import default_cache
from runner.engines.protocol import Artifact, Engine
from runner.errors import HostError
from runner.evidence.counters import counters_of
from runner.session.allocators import fetch
from runner.session.counting import Counting
from runner.session.perf_stat import version
from runner.support.network import PackageIndex
from runner.vocabulary import Steps
from tests.conftest import working_in
from tests.runner.builders import PIN
from tests.runner.engines.containers import (
    COMPARE,
    LAST_CPU,
    PLAN,
    ROOT,
    compare,
    docker,
    folders_for,
    kit,
    labelled,
    launch_of,
    read,
)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

STACK = find_stack("tf-2.14")


def digests_of(image: str) -> list[str]:
    """The names by digest that the engine knows an image by."""
    return sorted(json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", image)) or [])


MEMORY_BYTES = 6 << 30
LIMITS = {"memory_bytes": MEMORY_BYTES, "network_mode": "none", "read_only_root": True, "cap_drop": ["ALL"],
          "security_opt": ["no-new-privileges"]}  # fmt: skip


@pytest.fixture(scope="module")
def pinned_run(base_image: str, images: dict[str, Artifact], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the last CPU, with a memory limit."""
    folder = tmp_path_factory.mktemp("pinned")
    with working_in(folder):
        assert compare(base_image, "--cpus", LAST_CPU, "--memory", str(MEMORY_BYTES), "--out", "run") == 0
    return folder / "run"


def test_a_run_pinned_to_one_cpu_sees_exactly_that_cpu_and_fits_the_schema(
    base_image: str, images: dict[str, Artifact], pinned_run: Path
) -> None:
    """Every container observes its cpuset; records carry image id, base, lock and workload; nothing is left behind."""
    schema = json.loads((ROOT / "results" / "record.schema.json").read_text())
    base_digests = digests_of(base_image)
    base_digest = base_digests[0].split("@")[-1] if base_digests else None  # none where it was imported here
    for line in (pinned_run / "records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)
    assert len(read(pinned_run)) == 4
    for record in read(pinned_run):
        assert record.result is not None
        assert record.result["observed"]["allowed_cpus"] == LAST_CPU
        assert record.result["observed"]["uid"] == os.getuid()
        artifact = record.settings["artifact"]
        assert artifact["image_id"] == images[record.case["installation"]].location
        assert artifact["image_digests"] == digests_of(artifact["image_id"])
        assert artifact["base_image"] == base_image
        assert artifact["base_image_digest"] == base_digest
        assert artifact["lock_sha256"] == STACK.installations[record.case["installation"]].lock_sha256()
        assert record.conditions["workload_sha256"] == workload_sha256()
        assert record.facts["limits"] == LIMITS
    assert labelled() == []


def test_a_memory_limit_is_observed_inside(pinned_run: Path) -> None:
    for record in read(pinned_run):
        assert record.result is not None
        seen = record.result["observed"]["cgroup"]
        assert seen["memory_limit_bytes"] == MEMORY_BYTES
        assert 0 < seen["memory_peak_bytes"] <= MEMORY_BYTES


def test_an_image_that_is_retagged_has_no_effect(
    engine: Engine, images: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launch runs the image that was built for it, whatever its tag has come to mean since."""
    monkeypatch.setattr("runner.engines.docker_images.REPOSITORY", "kit-retagged")  # others go by the kit's own
    built = engine.prepare(STACK, STACK.installations["intel"], print)
    tag = ImageBuilder.tag("tf-2.14", "intel")
    docker("tag", images["stock"].location, tag)
    try:
        launch = launch_of("intel")
        places = folders_for(launch, tmp_path)
        assert engine.run(launch, PIN, built, places, 120).exit_code == 0
        wheel = json.loads((places.result / "result.json").read_text())["evidence"]["wheel"]
        assert wheel["distribution"].replace("-", "_") == "intel_tensorflow"
    finally:
        docker("rmi", tag)


def test_the_printed_lines_of_a_block_work_when_pasted_together(
    in_folder: Path, base_image: str, images: dict[str, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    """`plan --engine docker` prints lines that make the job, run the container and leave a result.

    The launches of a block take turns, without the runner too.
    """
    assert main(["plan", *PLAN, "--base-image", base_image, "--json"], ENGINES) == 0
    lines = [each["command"] for each in json.loads(capsys.readouterr().out)["launches"] if each["block"] == 1]
    assert all("docker run" in line for line in lines)
    pasted = [subprocess.Popen(line, shell=True) for line in lines]
    assert [each.wait(timeout=300) for each in pasted] == [0, 0]
    results: list[dict[str, Any]] = [json.loads(path.read_text()) for path in Path("results").rglob("result.json")]
    assert [result["error"] for result in results] == [None, None]


def test_a_base_image_that_is_not_to_be_had_names_the_option(
    in_folder: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *COMPARE, "--base-image", "127.0.0.1:9/absent:1"], ENGINES) == 3
    error = capsys.readouterr().err
    assert "127.0.0.1:9/absent:1" in error
    assert "--base-image" in error


@pytest.mark.parametrize("name", ["jemalloc", "tcmalloc"])
def test_an_allocator_is_preloaded_from_the_job_folder(
    engine: Engine, images: dict[str, Artifact], tmp_path: Path, debian_mirror: str | None, name: str
) -> None:
    """The container's own loader takes the library that Debian built, and the launch trains with it."""
    allocator = find_allocator(name).as_allocator
    launch = replace(launch_of("stock"), allocator=allocator)
    try:
        libraries = fetch([launch], PackageIndex(debian_mirror=debian_mirror), default_cache(), print)
    except HostError as error:
        pytest.skip(str(error))
    places = folders_for(launch, tmp_path)
    (places.job / allocator.file).write_bytes(libraries[allocator])
    assert engine.run(launch, PIN, images["stock"], places, 120).exit_code == 0
    result = json.loads((places.result / "result.json").read_text())
    preloaded = result["observed"]["environment"]["LD_PRELOAD"]
    assert Path(preloaded).name == allocator.file
    assert {"name": allocator.file, "path": preloaded} in result["evidence"]["mapped_libraries"]


def test_a_launch_is_counted_from_outside_of_its_container(
    engine: Engine, images: dict[str, Artifact], tmp_path: Path
) -> None:
    """The container gets no further permission. What its step costs is the CPU time that it says itself."""
    if version() is None:
        pytest.skip("perf is not installed")
    launch = replace(launch_of("stock"), steps=Steps(warmup=1, timed=12))
    places = folders_for(launch, tmp_path)
    with Counting(lambda: engine.process_of(launch, places)) as counting:
        assert engine.run(launch, PIN, images["stock"], places, 120).exit_code == 0
    assert engine.process_of(launch, places) is None, "it has ended"
    result = json.loads((places.result / "result.json").read_text())
    found = counters_of(counting.counted, result["steps"])
    if found.error is not None:
        assert "limited" in found.error or "ermission" in found.error, found.error
        return
    assert found.step_seconds is not None
    used = (found.per_step["task-clock"] or 0.0) / 1000
    assert 0.1 * found.step_seconds < used < 1.1 * len(PIN.cpus) * found.step_seconds


@pytest.mark.tensorflow
def test_docker_and_venv_train_the_same_thing(
    in_folder: Path, pinned_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two losses of a container and of a process are equal: same workload, same locks."""
    monkeypatch.delenv("KIT_CACHE")  # the environments are large: those that other tests have made are good enough
    assert main(["compare", "--engine", "venv", *COMPARE[2:], "--cpus", LAST_CPU, "--out", "venv"], ENGINES) == 0
    in_containers, in_processes = first_losses(pinned_run), first_losses(Path("venv"))
    assert set(in_containers) == {"stock", "intel"}
    for variant, losses in in_containers.items():
        assert len(losses) == 2
        assert losses == pytest.approx(in_processes[variant], rel=1e-5)


def first_losses(run: Path) -> dict[str, list[float]]:
    """The losses of the first two steps, for each variant."""
    return {
        record.case["variant"]: [step["loss"] for step in record.result["steps"][:2]]
        for record in read(run)
        if record.result
    }


# Raises, so that nothing is built, if a file can be written beside it.
WRITES_BESIDE_ITSELF = """
try:
    open("/job/written", "w")
except OSError:
    pass
else:
    raise RuntimeError("the job folder can be written to")
"""


def test_a_users_own_topology_runs_in_a_container_from_a_read_only_folder(
    in_folder: Path, base_image: str, images: dict[str, Artifact]
) -> None:
    """Built and trained inside, from a folder that it cannot write to; the hash is what the container read."""
    content = WRITES_BESIDE_ITSELF.encode() + (ROOT / "tests" / "data" / "my_net.py").read_bytes()
    Path("my_net.py").write_bytes(content)
    own = ("--preset", "quick", "--topology-file", "my_net.py", "--batch-sizes", "4", "--blocks", "2", "--steps", "1")
    command = ("compare", "--engine", "docker", "--base-image", base_image, *own, "--no-peak", "--no-probe")
    assert kit(*command, "--out", "run") == 0
    for record in read():
        assert record.error is None
        assert record.case["topology"] == "my_net"
        assert record.conditions["topology_sha256"] == hashlib.sha256(content).hexdigest()
        assert record.conditions["inter_op_threads"] == 2
    assert labelled() == []


def test_a_topology_that_does_not_build_in_a_container_is_told_with_its_traceback(
    in_folder: Path, base_image: str, images: dict[str, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("my_net.py").write_text("IMAGE_SIZE = 32\ndef add_layers(network, images):\n    return images.nothing\n")
    assert compare(base_image, "--topology-file", "my_net.py", "--out", "run") == 2
    assert 'File "my_net.py", line 3, in add_layers' in capsys.readouterr().err
    assert not Path("run").exists()
    assert labelled() == []
