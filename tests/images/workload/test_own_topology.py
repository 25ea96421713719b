"""The user's own topology in a stack's environment: trained for real, and refused for real."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workload

from tests.images.workload.job_content import OWN_JOB

WORKLOAD = Path(workload.__file__).parent
EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "my_net.py"
HEAD = "IMAGE_SIZE = 32\ndef add_layers(network, images):\n"
TRAINING = ("seed", "warmup_steps", "timed_steps", "graph_optimisation")

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def launch(stack_python: Callable[[str], str], tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run a job with a topology file, on stock unless told otherwise; return the exit code and the result."""

    def run(text: str, installation: str = "stock", **changes: Any) -> tuple[int, dict[str, Any]]:
        job = {key: value for key, value in {**OWN_JOB, **changes}.items() if value != "absent"}
        (tmp_path / "my_net.py").write_text(text, encoding="utf-8")
        (tmp_path / "job.json").write_text(json.dumps(job), encoding="utf-8")
        done = subprocess.run(
            [stack_python(installation), str(WORKLOAD), "--job", str(tmp_path / "job.json"),
             "--result-dir", str(tmp_path)],
            env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "2"},
            check=False,
        )  # fmt: skip
        return done.returncode, json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))

    return run


Launcher = Callable[..., tuple[int, dict[str, Any]]]


def test_the_example_of_the_readme_trains(launch: Launcher) -> None:
    """The example of the README trains as the kit's own topologies do: loss falls, FLOPs and parameters are counted."""
    code, result = launch(EXAMPLE.read_text(encoding="utf-8"))
    assert (code, result["error"]) == (0, None)
    losses = [step["loss"] for step in result["steps"]]
    assert losses == sorted(losses, reverse=True)
    assert all(map(math.isfinite, losses))
    # By hand: weights and biases or scale and offset of each convolution, then the head's 1001 classes.
    by_hand = (3 * 3 * 3 * 32 + 2 * 32) + (5 * 5 * 32 * 48 + 48) + (32 * 16 + 16) + (3 * 3 * 16 * 48 + 48)
    assert result["parameters"] == by_hand + 96 * 1001 + 1001
    assert len(result["topology_sha256"]) == 64


def test_branches_and_normalisation_start_from_the_same_loss_in_both_layouts(launch: Launcher) -> None:
    """Concatenation, batch normalisation and means have the layout in their arguments: a wrong axis is another loss.

    Each layout has a process of its own, as in every launch: in one process Intel's build takes primitives that it made
    for the other layout, and the losses differ by a thousandth.
    """
    jobs = [{"layout": layout, "warmup_steps": 0, "timed_steps": 1} for layout in ("NHWC", "NCHW")]
    results = [launch(EXAMPLE.read_text(encoding="utf-8"), "intel", **job)[1] for job in jobs]
    nhwc, nchw = (result["steps"][0]["loss"] for result in results)
    assert nchw == pytest.approx(nhwc, rel=1e-4)


def test_it_is_described_with_its_branches(launch: Launcher) -> None:
    absent = dict.fromkeys(TRAINING, "absent")
    code, result = launch(EXAMPLE.read_text(encoding="utf-8"), kind="describe", **absent)
    assert (code, result["steps"]) == (0, [])
    description = result["description"]
    assert (description["disjoint_branches"], description["branch_layers"]) == (2, ["wide", "deep"])
    assert ("leaky", "operation") in {(layer["name"], layer["kind"]) for layer in description["layers"]}


def test_raw_operations_train_and_draw_the_same_every_time(launch: Launcher) -> None:
    """A variable made through the network inside a raw operation is trained; dropout is seeded."""
    text = (
        "from workload.initial_values import ones\n" + HEAD + "    def scaled(tf, x):\n"
        "        return tf.nn.dropout(x * network.variable('scale', [3], ones), rate=0.5)\n"
        "    return network.flatten(network.operation(scaled, images, 'scaled'), 'flat')\n"
    )
    results = [launch(text)[1] for _ in range(2)]
    assert [result["error"] for result in results] == [None, None]
    assert results[0]["parameters"] == 3 + 32 * 32 * 3 * 1001 + 1001
    assert [step["loss"] for step in results[0]["steps"]] == [step["loss"] for step in results[1]["steps"]]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("    return network.conv(images, 'c', 8, 64, padding='VALID')\n", "ValueError", "line 3, in add_layers"),
        ("    return network.conv(images, 'c', 8, 3)\n", "TopologyError", "(batch, features), here (4, any)"),
        ("    return network.operation(lambda tf, x: tf.layers.flatten(x) * tf.get_variable('w', []), images, 'o')\n",
         "ForeignVariablesError", "w was made by TensorFlow itself"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_build_is_an_error_of_its_own(launch: Launcher, body: str, kind: str, words: str) -> None:
    """Kind topology_error, the exception's own type, and a traceback of the file alone."""
    code, result = launch(HEAD + body)
    assert (code, result["status"]) == (1, "error")
    error = result["error"]
    assert (error["kind"], error["type"]) == ("topology_error", kind)
    assert words in error["message"]
    assert "site-packages" not in error["traceback"]


def test_describe_file_prints_or_fails(stack_python: Callable[[str], str], tmp_path: Path) -> None:
    """The command line does the same for people: JSON, or the file's traceback and exit code 1."""
    command = [stack_python("stock"), str(WORKLOAD), "--describe-file"]
    good = subprocess.run([*command, str(EXAMPLE)], check=True, capture_output=True, text=True)
    assert json.loads(good.stdout)["topology"] == "my_net"
    (tmp_path / "broken.py").write_text(HEAD + "    return images.no_such_attribute\n")
    bad = subprocess.run([*command, str(tmp_path / "broken.py")], check=False, capture_output=True, text=True)
    assert bad.returncode == 1
    assert 'File "broken.py", line 3, in add_layers' in bad.stderr
