"""The Docker engine for real: pins, limits, deaths. Needs an engine and a base image (--base-image)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from docker import from_env

from runner import peak_records, records
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.container import ContainerSpec
from runner.engines.docker import COMPOSE_LABEL, RUN_LABEL, SHM_BYTES, TMPFS_BYTES, container_spec, docker_run_line
from runner.engines.docker_images import ImageBuilder
from runner.engines.docker_sdk import Docker
from runner.engines.docker_sdk.containers import start
from runner.engines.protocol import Artifact, Engine, LaunchFolders
from runner.errors import HostError
from runner.stacks import find_stack
from runner.vocabulary import Launch, Steps
from runner.workload_files import workload_sha256
from tests.runner.builders import PIN, plan
from tests.runner.engines.containers import docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[3]
FIRST_CPU = str(min(os.sched_getaffinity(0)))
STACK = find_stack("tf-2.14")
PLAN = ("--engine", "docker", "--preset", "quick", "--topologies", "alexnet", "--batch-sizes", "1", "--blocks", "2",
        "--steps", "1")  # fmt: skip
COMPARE = (*PLAN, "--no-peak", "--no-probe")


def compare(base_image: str, *arguments: str) -> int:
    """Run `compare` on the docker engine in the current folder."""
    return main(["compare", *COMPARE, "--base-image", base_image, *arguments], ENGINES)


def start_runner(base_image: str, folder: Path) -> subprocess.Popen[bytes]:
    """Begin the same as a process of its own, to be killed."""
    options = [*COMPARE, "--base-image", base_image, "--out", str(folder / "run")]
    command = [sys.executable, "-m", "runner", "compare", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def read(folder: str = "run") -> list[records.Record]:
    """The records of a run."""
    return records.read(Path(folder) / "records.jsonl")


def labelled() -> Sequence[str]:
    """Every container that a run of the kit has left, running or not."""
    return docker("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}").split()


def digests_of(image: str) -> list[str]:
    """The names by digest that the engine knows an image by."""
    return sorted(json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", image)) or [])


LIMITS = {"memory_bytes": None, "network_mode": "none", "read_only_root": True, "cap_drop": ["ALL"],
          "security_opt": ["no-new-privileges"]}  # fmt: skip


def test_a_run_pinned_to_one_cpu_sees_exactly_that_cpu_and_fits_the_schema(
    in_folder: Path, base_image: str, images: dict[str, Artifact]
) -> None:
    """Every container observes its cpuset; records carry image id, base, lock and workload; nothing is left behind."""
    assert compare(base_image, "--cpus", FIRST_CPU, "--out", "run") == 0
    schema = json.loads((ROOT / "results" / "record.schema.json").read_text())
    base_digests = digests_of(base_image)
    base_digest = base_digests[0].split("@")[-1] if base_digests else None  # none where it was imported here
    for line in Path("run/records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)
    for record in read():
        assert record.result is not None
        assert record.result["observed"]["allowed_cpus"] == FIRST_CPU
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


# Stands where the workload is, so that the image's own entry point runs it.
LOOK_AROUND = """
import errno, json, os

def refusal(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return errno.errorcode[error.errno]

def size(path):
    folder = os.statvfs(path)
    return folder.f_blocks * folder.f_frsize

status = dict(line.rstrip().split(":\\t", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "capabilities": any(int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")),
    "may gain privileges": status["NoNewPrivs"] != "1",
    "CPUs": status["Cpus_allowed_list"],
    "memory nodes": status["Mems_allowed_list"],
    "interfaces": os.listdir("/sys/class/net"),
    "user": [os.getuid(), os.getgid()],
    "first process": os.getpid() == 1,
    "refusals": {path: refusal(path + "/x") for path in ("", "/opt", "/job", "/result", "/tmp", "/dev/shm")},
    "bytes": [size(path) for path in ("/tmp", "/dev/shm")],
}))
"""


def spec_of(variant: str, image: str, folder: Path) -> ContainerSpec:
    """The container of a short launch on the first CPU."""
    launch = launch_of(variant)
    return container_spec(
        launch, image=image, cpuset_cpus=FIRST_CPU, cpuset_mems="0", memory_bytes=None,
        folders=folders_for(launch, folder),
    )  # fmt: skip


def test_a_container_has_nothing_that_a_launch_does_not_need(images: dict[str, Artifact], tmp_path: Path) -> None:
    """One CPU, no capability, no way to new privileges, no network but the loopback, a root that nobody writes to."""
    looking = tmp_path / "workload"
    looking.mkdir()
    (looking / "__main__.py").write_text(LOOK_AROUND)
    made = spec_of("stock", images["stock"].location, tmp_path)
    spec = dataclasses.replace(made, read_only={**made.read_only, looking: "/opt/workload"})
    ended = Docker.connect().run(spec, 60, tmp_path / "log.txt")
    assert json.loads((tmp_path / "log.txt").read_text()) == {
        "capabilities": False, "may gain privileges": False, "CPUs": FIRST_CPU, "memory nodes": "0",
        "interfaces": ["lo"], "user": [os.getuid(), os.getgid()], "first process": False,
        "refusals": {"": "EROFS", "/opt": "EROFS", "/job": "EROFS", "/result": None, "/tmp": None, "/dev/shm": None},
        "bytes": [TMPFS_BYTES, SHM_BYTES],
    }  # fmt: skip
    assert ended.limits == spec.limits


# A terminal's, the engine's own, or worded otherwise by the two clients: no restart, and the targets of the mounts.
NOT_ASKED_FOR = (
    "AttachStdout", "AttachStderr", "AutoRemove", "ConsoleSize", "Hostname", "RestartPolicy", "Volumes",
)  # fmt: skip


def settings_of(container: str) -> dict[str, Any]:
    """How a container was made, as the engine tells it, without what is empty."""
    (told,) = json.loads(docker("inspect", container))
    settings = {**told["HostConfig"], **told["Config"], "Env": sorted(told["Config"]["Env"])}  # in no order of its own
    return {name: value for name, value in settings.items() if value and name not in NOT_ASKED_FOR}


def test_a_pasted_line_makes_the_container_that_the_engine_makes(images: dict[str, Artifact], tmp_path: Path) -> None:
    """Nothing that the engine asks for is missing in the line, labels and log driver included."""
    made = spec_of("stock", images["stock"].location, tmp_path)
    spec = dataclasses.replace(made, command=("--version",), memory_bytes=1 << 30)
    pasted = docker("create", *shlex.split(docker_run_line(spec))[2:])
    try:
        with closing(from_env()) as client:
            assert settings_of(pasted) == settings_of(str(start(client, spec).id))
    finally:
        docker("rm", "--force", pasted, spec.name)


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
    runner = start_runner(base_image, in_folder)
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
    runner = start_runner(base_image, in_folder)
    wait_for_container()
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
    assert main(["plan", *PLAN, "--base-image", base_image, "--json"], ENGINES) == 0
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
    assert main(["compare", "--engine", "docker", "--base-image", base_image, *own, "--out", "run"], ENGINES) == 0
    for record in read():
        assert record.error is None
        assert record.case["topology"] == "my_net"
        assert record.conditions["topology_sha256"] == hashlib.sha256(content).hexdigest()
        assert record.conditions["inter_op_threads"] == 2
    assert {peak.installation for peak in peak_records.read(Path("run/peaks.jsonl")) if peak.best} == {"stock", "intel"}
    assert labelled() == []


def test_a_topology_that_does_not_build_in_a_container_is_told_with_its_traceback(
    in_folder: Path, base_image: str, images: dict[str, Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is measured, and nothing is left behind."""
    Path("my_net.py").write_text("IMAGE_SIZE = 32\ndef add_layers(network, images):\n    return images.nothing\n")
    assert compare(base_image, "--topology-file", "my_net.py", "--out", "run") == 2
    assert 'File "my_net.py", line 3, in add_layers' in capsys.readouterr().err
    assert not Path("run").exists()
    assert labelled() == []


def wait_for_container(seconds: float = 120.0) -> str:
    """Wait until a launch's container runs; return its id."""
    end = time.monotonic() + seconds
    while not (running := docker("ps", "--quiet", "--filter", f"label={RUN_LABEL}").split()):
        assert time.monotonic() < end, "no container was started"
        time.sleep(0.1)
    return running[0]
