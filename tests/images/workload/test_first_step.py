"""Fingerprints of real builds: honest ones agree, in both layouts, and every build made wrong on purpose is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import workload

from runner.checks.fingerprints import FingerprintCheck, compare_fingerprints
from tests.images.workload import faulty_build
from tests.images.workload.expected_layers import expected_of
from tests.images.workload.faulty_build import Parts, faults_of
from tests.images.workload.job_content import QUIET_JOB

FOLDER = Path(workload.__file__).parent
DATA = Path(__file__).resolve().parents[2] / "data"
BUILD = Path(faulty_build.__file__)
JOBS = {
    "alexnet": {**QUIET_JOB, "topology": "alexnet", "batch_size": 1, "timed_steps": 1},
    **{
        name: {**QUIET_JOB, "topology": name, "topology_file": f"{name}.py", "batch_size": 2}
        for name in ("small_net", "dropout_net")
    },
}
PARTS = {
    "alexnet": expected_of("alexnet").parts,
    "small_net": Parts(convolution="deep", normalised=True, shortcut="add"),
}
# installation, topology, layout, kind, fault
Launch = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def launch(stack_python: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """Run a quiet launch, once for all tests, with a fault or without; return its result."""

    @cache
    def run(
        installation: str, topology: str, layout: str = "NHWC", kind: str = "quiet", fault: str = ""
    ) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("launch")
        job = {**JOBS[topology], "layout": layout, "kind": kind}
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        if "topology_file" in job:
            shutil.copy(DATA / job["topology_file"], folder)
        made_wrong = [str(BUILD), str(FOLDER.parent), fault, faults_of(PARTS[topology])[fault]] if fault else []
        head = made_wrong or [str(FOLDER)]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "KMP_", "TF_", "LD_"))
        }
        subprocess.run(
            [stack_python(installation), *head, "--job", str(folder / "job.json"), "--result-dir", str(folder)],
            env={**environment, "OMP_NUM_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "2"},
            check=True,
        )
        result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return result

    return run


def check(one: dict[str, Any], other: dict[str, Any]) -> FingerprintCheck:
    """Two launches' fingerprints held against each other."""
    found = compare_fingerprints(one["fingerprint"], other["fingerprint"])
    assert found is not None
    return found


def names(result: dict[str, Any], kind: str) -> list[str]:
    """The names of the tensors of one kind, in order."""
    return [name for found, name, *_ in result["fingerprint"] if found == kind]


def numbers(result: dict[str, Any]) -> dict[tuple[str, str], Sequence[float]]:
    """Norm, dot product and sensitivity of every tensor."""
    return {(kind, name): found for kind, name, *found in result["fingerprint"]}


def test_a_fingerprint_has_every_layer_and_every_variable(launch: Launch) -> None:
    """The names of a user's own network are those that its file gives."""
    result = launch("intel", "small_net")
    layers = ["input", "conv1", "conv1/batch_norm", "deep", "deep/batch_norm", "expand", "expand/batch_norm", "add",
              "leaky", "wide", "average", "logits"]  # fmt: skip
    variables = [f"{name}/{part}" for name in ("conv1", "deep", "expand")
                 for part in ("weights", "batch_norm/beta", "batch_norm/gamma")]  # fmt: skip
    variables += [f"{name}/{part}" for name in ("wide", "logits") for part in ("weights", "biases")]
    assert names(result, "output") == layers
    assert names(result, "gradient") == names(result, "update") == variables
    assert [step["phase"] for step in result["steps"]] == ["warmup", "timed", "timed"]


@pytest.mark.parametrize(
    ("installation", "topology", "layout"),
    [
        ("intel", "small_net", "NHWC"),
        ("intel", "small_net", "NCHW"),
        ("intel", "alexnet", "NHWC"),
        ("intel", "dropout_net", "NHWC"),
    ],
)
def test_honest_builds_agree(launch: Launch, installation: str, topology: str, layout: str) -> None:
    """Every tensor can be judged in these networks, those behind random numbers too, and none is near its tolerance."""
    found = check(launch("stock", topology), launch(installation, topology, layout))
    assert found.passed
    assert found.not_judged == 0
    assert found.worst is not None
    assert 0 < found.worst.excess < 0.7


@pytest.mark.parametrize(
    ("topology", "fault"),
    [
        *(("small_net", fault) for fault in faults_of(PARTS["small_net"])),
        *(("alexnet", fault) for fault in ("zero_convolution", "learning_rate")),
    ],
)
def test_a_build_made_wrong_is_found(launch: Launch, topology: str, fault: str) -> None:
    """One operation computes something else. On all topologies: results/fingerprints.md."""
    found = check(launch("stock", topology), launch("intel", topology, "NHWC", "quiet", fault))
    assert found.passed is False
    assert found.worst is not None
    assert found.worst.excess > 2


def test_the_first_difference_is_where_the_fault_is(launch: Launch) -> None:
    """The order of the network tells where to look."""
    found = check(launch("stock", "small_net"), launch("intel", "small_net", "NHWC", "quiet", "other_epsilon"))
    assert found.failed[0].title == "output of deep/batch_norm"


def test_the_verbose_launch_takes_the_same_step(launch: Launch) -> None:
    """The verbose launch has gradients and updates alone. They show that its step was the quiet launch's step."""
    verbose, quiet = launch("intel", "small_net", "NHWC", "probe"), launch("intel", "small_net")
    assert names(verbose, "output") == []
    of_quiet = numbers(quiet)
    for key, (norm, dot, sensitivity) in numbers(verbose).items():
        assert sensitivity is None
        assert norm == pytest.approx(of_quiet[key][0], rel=1e-5), key
        assert abs(dot - of_quiet[key][1]) <= 1e-5 * norm, key


def test_a_timed_launch_takes_none(launch: Launch) -> None:
    """A timed launch does nothing but its training steps."""
    assert launch("intel", "small_net", "NHWC", "train")["fingerprint"] == []
