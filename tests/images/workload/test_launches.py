"""Whole launches of the workload in a stack's own environment."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import workload
from workload.wheel import workload_sha256

from tests.images.workload.job_content import GEMM_JOB, PROBE_JOB, QUIET_JOB, TRAIN_JOB

FOLDER = Path(workload.__file__).parent
ALEXNET = {**TRAIN_JOB, "topology": "alexnet", "batch_size": 1}
Launch = Callable[[str, str], tuple[int, dict[str, Any]]]

# Each of these is run once, by the name that tests give it.
JOBS: dict[str, dict[str, Any]] = {
    "train": ALEXNET,
    "train in NCHW": {**ALEXNET, "layout": "NCHW"},
    "train until the time limit": {**ALEXNET, "timed_steps": 100_000, "time_limit_seconds": 5},
    "probe": {**PROBE_JOB, "topology": "alexnet", "batch_size": 1, "timed_steps": 1},
    "quiet": {**QUIET_JOB, "topology": "alexnet", "batch_size": 1},
    "train the graph as built": {**ALEXNET, "graph_optimisation": False},
    "gemm": GEMM_JOB,
}

# Counts the fused operations in the graph that a session really runs, with and without graph optimisation.
COUNT_FUSED = """
import sys
sys.path.insert(0, sys.argv[1])
from workload.tensorflow_compat import load_tensorflow
tf = load_tensorflow()
from workload.synthetic import make_batch
from workload.topologies import TOPOLOGIES
from workload.training import build_training_graph, open_session
for optimised in (True, False):
    built = build_training_graph(tf, TOPOLOGIES["alexnet"], 1, "NHWC", 1)
    session = open_session(tf, built, make_batch(1, 227, 1001, "NHWC", 1), 2, 1, optimised)
    metadata = tf.RunMetadata()
    session.run(built.loss, options=tf.RunOptions(output_partition_graphs=True), run_metadata=metadata)
    print(sum("Fused" in node.op for graph in metadata.partition_graphs for node in graph.node))
"""

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def launch(stack_python: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """Run a job in an installation, once for all tests; return the exit code and the result."""

    @cache
    def run(installation: str, job: str) -> tuple[int, dict[str, Any]]:
        folder = tmp_path_factory.mktemp("launch")
        (folder / "job.json").write_text(json.dumps(JOBS[job]), encoding="utf-8")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "KMP_", "TF_", "LD_"))
        }
        done = subprocess.run(
            [stack_python(installation), str(FOLDER), "--job", str(folder / "job.json"), "--result-dir", str(folder)],
            env={**environment, "OMP_NUM_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "2"},
            check=False,
        )
        return done.returncode, json.loads((folder / "result.json").read_text(encoding="utf-8"))

    return run


def names(result: dict[str, Any]) -> str:
    """Return the names of the mapped libraries that tell a build."""
    return " ".join(library["name"] for library in result["evidence"]["mapped_libraries"])


@pytest.mark.parametrize("installation", ["stock", "intel"])
def test_launch_is_complete(launch: Launch, installation: str) -> None:
    """A launch ends with its steps in order, every duration known, and the workload's own hash."""
    job = "train" if installation == "intel" else "train until the time limit"
    code, result = launch(installation, job)
    assert (code, result["status"], result["error"]) == (0, "ok", None)
    assert [step["index"] for step in result["steps"]] == list(range(len(result["steps"])))
    assert all(step["seconds"] > 0 and math.isfinite(step["loss"]) for step in result["steps"])
    assert result["seconds"]["first_step"] == result["steps"][0]["seconds"]
    assert all(seconds > 0 for seconds in result["seconds"].values())
    assert result["parameters"] == 61_842_345
    assert result["peak_memory_bytes"] > 4 * result["parameters"]
    assert result["workload_sha256"] == workload_sha256()


def test_steps_carry_their_phase(launch: Launch) -> None:
    """One warm-up step and two timed ones, and nothing else, stop the launch."""
    _, result = launch("intel", "train")
    assert [step["phase"] for step in result["steps"]] == ["warmup", "timed", "timed"]
    assert result["stopped_by"] == "steps"


def test_training_lowers_the_loss(launch: Launch) -> None:
    _, result = launch("intel", "train")
    losses = [step["loss"] for step in result["steps"]]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == len(losses)


def test_first_loss_does_not_depend_on_the_layout_or_build(launch: Launch) -> None:
    runs = [("intel", "train"), ("intel", "train in NCHW"), ("stock", "train until the time limit")]
    first, *others = (launch(installation, job)[1]["steps"][0]["loss"] for installation, job in runs)
    assert others == [pytest.approx(first, rel=1e-4)] * 2


def test_training_the_graph_as_built_is_the_same_training(launch: Launch) -> None:
    """Without graph optimisation the losses are the same, and the result says that it was off."""
    code, result = launch("intel", "train the graph as built")
    assert (code, result["observed"]["graph_optimisation"]) == (0, False)
    _, optimised = launch("intel", "train")
    assert optimised["observed"]["graph_optimisation"] is True
    assert [step["loss"] for step in result["steps"][:2]] == pytest.approx(
        [step["loss"] for step in optimised["steps"][:2]], rel=1e-4
    )


def test_a_graph_as_built_has_no_fused_operation(stack_python: Callable[[str], str]) -> None:
    """What is switched off is really off: the session that optimises fuses operations, the other does not."""
    done = subprocess.run(
        [stack_python("intel"), "-c", COUNT_FUSED, str(FOLDER.parent)], check=True, capture_output=True, text=True
    )
    optimised, as_built = (int(line) for line in done.stdout.split())
    assert optimised > as_built == 0


def test_time_limit_ends_a_launch_without_error(launch: Launch) -> None:
    _, result = launch("stock", "train until the time limit")
    assert result["stopped_by"] == "time_limit"
    assert 2 <= len(result["steps"]) < 1000


def test_stock_has_no_nchw(launch: Launch) -> None:
    """Stock TensorFlow on a CPU refuses NCHW, and its own message is kept."""
    code, result = launch("stock", "train in NCHW")
    assert (code, result["status"], result["error"]["kind"]) == (1, "error", "unsupported_layout")
    assert "only supports NHWC" in result["error"]["message"]
    assert result["seconds"]["graph_build"] > 0
    assert result["seconds"]["first_step"] is None


def test_evidence_of_intels_build(launch: Launch) -> None:
    """Intel's build has its OpenMP runtime mapped, which uses the threads it was told to."""
    _, result = launch("intel", "train")
    assert "libiomp5" in names(result)
    assert result["observed"]["omp_max_threads"] == 2
    assert result["mkl_enabled"] is True
    assert result["evidence"]["wheel"]["distribution"] == "intel_tensorflow"


def test_evidence_of_stock(launch: Launch) -> None:
    """Stock has no OpenMP runtime mapped, and with oneDNN off says that it is off."""
    _, result = launch("stock", "train until the time limit")
    assert not [name for name in names(result).split() if name.startswith(("libiomp", "libgomp", "libomp"))]
    assert result["observed"]["omp_max_threads"] is None
    assert result["mkl_enabled"] is False
    assert result["evidence"]["wheel"]["distribution"] == "tensorflow-cpu"


@pytest.mark.parametrize(("installation", "job"), [("intel", "train"), ("stock", "train until the time limit")])
def test_observation_is_of_this_process(launch: Launch, installation: str, job: str) -> None:
    """Allowed CPUs are this machine's, the environment is the launch's, and the threads have worked."""
    _, result = launch(installation, job)
    observed = result["observed"]
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    assert f"Cpus_allowed_list:\t{observed['allowed_cpus']}\n" in status
    assert (observed["intra_op_threads"], observed["inter_op_threads"]) == (2, 1)
    assert observed["environment"]["OMP_NUM_THREADS"] == "2"
    assert "libtensorflow" in names(result)
    assert sum(thread["cpu_seconds"] for thread in result["evidence"]["threads"]) > 0


@pytest.mark.parametrize("installation", ["stock", "intel"])
def test_the_timed_steps_cpu_seconds_are_recorded(launch: Launch, installation: str) -> None:
    """The process's are its threads' together and no more than the CPUs can give; no thread was last seen elsewhere."""
    _, result = launch(installation, "train")
    wall = sum(step["seconds"] for step in result["steps"] if step["phase"] == "timed")
    cpu, cpus = result["cpu"], len(os.sched_getaffinity(0))
    used = cpu["user_seconds"] + cpu["system_seconds"]
    assert 0 < used < 1.2 * cpus * wall
    assert sum(thread["cpu_seconds"] for thread in cpu["threads"]) == pytest.approx(used, rel=0.2, abs=0.05)
    assert {thread["id"] for thread in cpu["threads"]} <= {thread["id"] for thread in result["evidence"]["threads"]}
    assert {thread["last_cpu"] for thread in cpu["threads"]} <= os.sched_getaffinity(0)


@pytest.mark.parametrize("installation", ["stock", "intel"])
def test_a_quiet_launch_traces_one_step_by_operation(launch: Launch, installation: str) -> None:
    """Each of AlexNet's five convolutions counts once, under the build's own name for it, and all time is told."""
    code, result = launch(installation, "quiet")
    assert (code, result["kind"], len(result["steps"])) == (0, "quiet", 3)
    trace = {entry["operation"]: entry for entry in result["trace"]}
    forward = "_MklNativeFusedConv2D" if installation == "intel" else "_FusedConv2D"
    assert trace[forward]["count"] == 5
    assert trace["ApplyRMSProp"]["count"] == 16
    assert not {"other", "Conv2D"} & set(trace)
    assert [entry["milliseconds"] for entry in result["trace"]] == sorted(
        (entry["milliseconds"] for entry in result["trace"]), reverse=True
    )
    # One inter-op thread: the kernels ran one after the other, inside the step.
    assert 0 < sum(entry["milliseconds"] for entry in result["trace"]) < 1000 * result["traced_step_seconds"]


@pytest.mark.parametrize("job", ["train", "probe"])
def test_no_other_launch_traces(launch: Launch, job: str) -> None:
    """Tracing costs time, and verbose lines are written from inside the kernels that it would measure."""
    result = launch("intel", job)[1]
    assert (result["trace"], result["traced_step_seconds"]) == ([], None)


def test_every_repeat_of_every_size_is_reported(launch: Launch) -> None:
    code, result = launch("stock", "gemm")
    assert (code, result["stopped_by"], result["steps"]) == (0, "steps", [])
    assert [(entry["size"], len(entry["seconds"])) for entry in result["gemm"]] == [(64, 3), (128, 3)]
    for entry in result["gemm"]:
        assert entry["gflops_per_second"] == pytest.approx(2e-9 * entry["size"] ** 3 / min(entry["seconds"]))


def test_version_names_everything(stack_python: Callable[[str], str]) -> None:
    done = subprocess.run([stack_python("stock"), str(FOLDER), "--version"], check=True, capture_output=True, text=True)
    first, *rest = done.stdout.splitlines()
    assert first == f"workload {workload.__version__} sha256 {workload_sha256()}"
    assert [line.split()[0] for line in rest] == ["TensorFlow", "numpy", "Python"]


def test_self_check_passes(stack_python: Callable[[str], str]) -> None:
    """`--self-check` trains one step and says so in one line."""
    done = subprocess.run(
        [stack_python("intel"), str(FOLDER), "--self-check"], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("self-check passed: TensorFlow ")
    assert done.stdout.count("\n") == 1
