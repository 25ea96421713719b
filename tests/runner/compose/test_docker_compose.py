"""The committed Compose files for real, with docker-compose, as somebody without Python would run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.catalogue.stacks import IMAGES
from runner.cli import main
from runner.cli.engines import ENGINES
from runner.engines.docker import RUN_LABEL
from runner.storage import runs
from runner.storage.records import Record
from runner.support.network import PackageIndex
from tests.runner.conftest import OnlyBuilder
from tests.runner.engines.containers import kit

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

ROOT = IMAGES.parent
FILES = ("--file", "compose/compare.yaml", "--file", "compose/smoke.yaml")
IMAGE = "kit-compose-test"
VARIABLES = {"KIT_IMAGE_TF_2_14_STOCK": f"{IMAGE}:stock", "KIT_IMAGE_TF_2_14_INTEL": f"{IMAGE}:intel"}
LIKE_SMOKE = ("--preset", "quick", "--topologies", "alexnet", "--batch-sizes", "1", "--blocks", "2", "--warmup", "1",
              "--steps", "2", "--bursts", "2", "--burst-seconds", "0.001", "--no-peak", "--no-probe")  # fmt: skip


class Clone:
    """What of a clone takes part where there is no Python: the images' sources, the Compose files, results/runs."""

    def __init__(self, folder: Path, base_image: str) -> None:
        self.folder = folder
        shutil.copytree(IMAGES, folder / "images")
        shutil.copytree(ROOT / "compose", folder / "compose", ignore=shutil.ignore_patterns(".env"))
        (folder / "results" / "runs").mkdir(parents=True)
        (folder / "images" / "workload" / "__pycache__").mkdir(exist_ok=True)
        (folder / "images" / "workload" / "__pycache__" / "leftover.pyc").write_bytes(b"of another Python")
        bundle = PackageIndex().bundle()
        if bundle is not None:
            shutil.copyfile(bundle, folder / "images" / "ca-bundle.pem")
            (folder / "images" / "ca-bundle.pem").chmod(0o644)
        script = ["sh", str(folder / "compose" / "settings.sh")]
        settings = subprocess.run(script, check=True, capture_output=True, text=True).stdout
        (folder / "compose" / ".env").write_text(settings)
        self.environment = {**os.environ, **VARIABLES, "KIT_BASE_IMAGE_TF_2_14": base_image}

    def compose(
        self, *arguments: str, variables: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run docker-compose with both files."""
        command = ["docker-compose", *FILES, *arguments]
        environment = {**self.environment, **(variables or {})}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr[-4000:]
        return done

    def records(self, run: str) -> list[Record]:
        """The records of one of its runs."""
        return runs.load(self.folder / "results" / "runs" / run).read_records()


@pytest.fixture(scope="module")
def clone(base_image: str, only_builder: OnlyBuilder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone with its images built by docker-compose; everything it made on the engine is removed in the end."""
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed")
    made = Clone(tmp_path_factory.mktemp("clone"), base_image)
    with only_builder():
        made.compose("build")
    yield made
    made.compose("down", check=False)
    subprocess.run(["docker", "rmi", *VARIABLES.values()], capture_output=True, check=False)


def test_the_files_are_valid(clone: Clone) -> None:
    command = ["docker-compose", *FILES[:2], "config"]
    alone = subprocess.run(command, cwd=clone.folder, capture_output=True, text=True, check=False)
    assert alone.returncode == 0, alone.stderr
    assert "WARNING" not in alone.stderr
    both: dict[str, Any] = yaml.safe_load(clone.compose("config").stdout)
    launches = [name for name, each in both["services"].items() if "profiles" not in each]
    assert len(launches) == 4 + 6


def test_an_image_that_compose_builds_is_the_kits_own(clone: Clone) -> None:
    """Same labels as the SDK's build gives; byte code of this host stays out of it."""
    shown = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", f"{IMAGE}:intel"]
    labels = yaml.safe_load(subprocess.run(shown, check=True, capture_output=True, text=True).stdout)
    assert labels["tensorflow-speedup-kit.installation"] == "intel"
    assert labels["tensorflow-speedup-kit.base-image"] == clone.environment["KIT_BASE_IMAGE_TF_2_14"]
    listed = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "ls", f"{IMAGE}:intel", "/opt/workload"]
    assert "__pycache__" not in subprocess.run(listed, check=True, capture_output=True, text=True).stdout


def test_records_of_a_compose_run_are_those_of_compare(
    clone: Clone, in_folder: Path, base_image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`report` accepts them, and every condition is the one that `compare` records for the same plan on this host."""
    clone.compose("up", "--no-color")
    assert main(["report", str(clone.folder / "results/runs/compose-smoke")], ENGINES) == 0
    composed = clone.records("compose-smoke")
    assert [record.error for record in composed] == [None] * 6
    assert not (clone.folder / "results/runs/compose-smoke/turns").exists()
    assert kit("compare", "--engine", "docker", "--base-image", base_image, *LIKE_SMOKE, "--out", "own") == 0
    own = runs.load(Path("own")).read_records()
    assert [record.launch_id for record in composed] == [record.launch_id for record in own]
    for ours, theirs in zip(own, composed, strict=True):
        assert theirs.conditions == ours.conditions
        assert theirs.case == ours.case
        assert theirs.settings["environment"] == ours.settings["environment"]
        assert ours.result is not None
        assert theirs.result is not None
        for name in ("allowed_cpus", "allowed_mems", "environment", "omp_max_threads", "uid"):
            assert theirs.result["observed"][name] == ours.result["observed"][name]
        assert theirs.result["steps"][0]["loss"] == pytest.approx(ours.result["steps"][0]["loss"], rel=1e-5)
    capsys.readouterr()
    assert main(["report", str(clone.folder / "results/runs/compose-smoke"), "own"], ENGINES) == 0
    assert "all conditions are equal" in capsys.readouterr().out


def test_a_launch_out_of_memory_stops_no_other_and_is_recorded(clone: Clone) -> None:
    """640 MiB are enough to import TensorFlow and not to train: six records, each of them with its reason.

    A launch may see that another one of its block is dead before it runs out of memory itself.
    """
    clone.compose("up", variables={"KIT_RUN": "small", "KIT_MEMORY": str(640 << 20)})
    assert main(["report", str(clone.folder / "results/runs/small")], ENGINES) == 1
    errors = [(record.block, record.error["kind"]) for record in clone.records("small") if record.error]
    assert len(errors) == 6
    assert {block for block, kind in errors if kind == "out_of_memory"} == {1, 2}
    assert {kind for _, kind in errors} <= {"out_of_memory", "failed"}


def test_a_killed_container_ends_the_run_and_up_goes_on_with_it(clone: Clone) -> None:
    """The block of the launch that was killed is measured again whole, in a session of its own; then none is left.

    The launches that took turns with it see its death by themselves, long before their deadline.
    """
    command = ["docker-compose", *FILES, "up", "--no-color"]
    environment = {**clone.environment, "KIT_RUN": "killed"}
    silent = subprocess.DEVNULL
    folder = clone.folder / "results/runs/killed"
    with subprocess.Popen(command, cwd=clone.folder, env=environment, stdout=silent, stderr=silent) as running:
        try:
            killed = a_launch()
            wait_for(folder, "turns/*/session-1/member-?", 3)
            subprocess.run(["docker", "kill", killed], check=True, capture_output=True)
            assert running.wait(120) != 0
        finally:
            running.kill()
    wait_for(folder, "launches/*/exit_code", 2)
    assert main(["report", str(folder)], ENGINES) == 1
    first = clone.records("killed")
    assert [record.error is None for record in first] == [False] * 2
    clone.compose("up", variables={"KIT_RUN": "killed"})
    assert main(["report", str(folder)], ENGINES) == 0
    again = clone.records("killed")
    assert again[:2] == first
    assert [record.session for record in again] == [1, 1, 2, 2, 2, 2, 2, 2]
    assert {record.launch_id for record in first} < {record.launch_id for record in again[2:5]}
    clone.compose("up", variables={"KIT_RUN": "killed"})
    assert main(["report", str(folder)], ENGINES) == 0
    assert clone.records("killed") == again


def wait_for(folder: Path, pattern: str, count: int, seconds: float = 120.0) -> None:
    """Wait until a run's folder has so many files of a name."""
    end = time.monotonic() + seconds
    while len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < end, f"there are fewer than {count} files {pattern} in {folder}"
        time.sleep(0.2)


def a_launch(seconds: float = 300.0) -> str:
    """Wait until a launch of the run "killed" runs; return its container's id."""
    name = "tensorflow-speedup-kit.launch=block1-tf-2.14-intel-alexnet-b1"
    listing = ["docker", "ps", "--quiet", "--filter", f"label={RUN_LABEL}=killed", "--filter", f"label={name}"]
    end = time.monotonic() + seconds
    # A listing can fail when another container is removed at the same moment; the next one is as good.
    while not (found := subprocess.run(listing, check=False, capture_output=True, text=True).stdout.split()):
        assert time.monotonic() < end, "the launch was not started"
        time.sleep(0.2)
    return found[0]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"KIT_THREADS": "99"}, "KIT_THREADS is 99; both must be equal"),
        ({"KIT_MEMORY": "8g"}, "KIT_MEMORY=8g is not a number of bytes"),
        ({"KIT_RUN": "begun"}, "was begun with other settings"),
        ({"KIT_UID": "65000", "KIT_GID": "65000"}, "cannot be written by uid 65000"),
    ],
    ids=["threads", "memory", "settings", "user"],
)
def test_what_could_only_fail_later_is_refused_before_anything_is_measured(
    clone: Clone, variables: dict[str, str], words: str
) -> None:
    """The service host says why, and nothing is begun."""
    begun = clone.folder / "results/runs/begun"
    begun.mkdir(exist_ok=True)
    (begun / "compose.json").write_text('{"by": "another file"}')
    # Alone: that the images run is seen by the tests above.
    clone.compose("up", "--no-deps", "host", variables={"KIT_RUN": "refused", **variables}, check=False)
    assert words in clone.compose("logs", "host", variables=variables).stdout
    assert not (begun / "host").exists()
    assert not (clone.folder / "results/runs/refused").exists()
