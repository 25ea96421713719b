"""`plan`, `doctor`, `build` and `--help`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.sysroots import ec2_c5_18xlarge, hybrid_laptop, write

Kit = Callable[..., int]
ROOT = Path(__file__).resolve().parents[3]


def test_plan_json_of_a_c5_18xlarge_is_the_articles_setup(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the article's own machine: all 36 cores of both sockets, one thread each, and its settings."""
    write(ec2_c5_18xlarge(), in_folder / "host")
    assert kit("plan", "--sysroot", "host", "--preset", "figure1", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert {key: plan["pin"][key] for key in ("cpus", "mems", "threads")} == {
        "cpus": "0-35",
        "mems": "0-1",
        "threads": 36,
    }
    assert plan["machine"]["platform"]["instance_type"] == "c5.18xlarge"
    first = plan["launches"][0]
    assert {"stack", "variant", "topology", "batch_size"} <= set(first)
    assert first["environment"]["OMP_NUM_THREADS"] == "36"
    assert (first["intra_op_threads"], first["inter_op_threads"], first["batch_size"]) == (36, 1, 32)
    assert len(plan["launches"]) == 4 * 3 * 4
    assert plan["enforced"]["mems"] is None


def test_plan_takes_cores_on_one_node_when_they_fit(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--cores 18 stays on one socket of two."""
    write(ec2_c5_18xlarge(), in_folder / "host")
    kit("plan", "--sysroot", "host", "--cores", "18", "--json")
    pin = json.loads(capsys.readouterr().out)["pin"]
    assert (pin["cpus"], pin["mems"], pin["threads"], pin["nodes"]) == ("0-17", "0", 18, 1)


def test_plan_for_people_prints_every_launch(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """Pin, settings with sources, and one command for each launch."""
    assert kit("plan", "--topologies", "alexnet", "--blocks", "2") == 0
    out = capsys.readouterr().out
    assert out.count("run block") == 6
    assert "OMP_NUM_THREADS=" in out
    assert "take turns" in out


def test_the_plan_of_launches_in_sequence_has_commands_that_work_alone(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    """No note on turns, no folder of FIFOs, and each launch an order of its own with the same bursts."""
    command = ("plan", "--topologies", "alexnet", "--blocks", "2", "--in-sequence")
    assert kit(*command) == 0
    out = capsys.readouterr().out
    assert "take turns" not in out
    assert "/turns/" not in out
    assert kit(*command, "--json") == 0
    launches = json.loads(capsys.readouterr().out)["launches"]
    orders = [launch["turns"]["order"] for launch in launches]
    assert len(launches) == 6
    assert all({member for member, _, _ in order} == {0} for order in orders)
    assert [[phase for _, phase, _ in order].count("timed") for order in orders] == [2] * 6


def test_the_size_of_the_turns_can_be_asked_for(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("plan", "--topologies", "alexnet", "--blocks", "2", "--bursts", "2", "--burst-seconds", "0.5")
    assert kit(*command, "--steps", "5", "--json") == 0
    for launch in json.loads(capsys.readouterr().out)["launches"]:
        timed = [steps for member, phase, steps in launch["turns"]["order"]
                 if (member, phase) == (launch["turns"]["member"], "timed")]  # fmt: skip
        assert timed == [3, 3], "as many in each burst, and no fewer than were asked for"
        assert (launch["timed_steps"], launch["turns"]["burst_seconds"]) == (6, 0.5)


def test_an_odd_number_of_bursts_is_refused_with_an_even_one(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """The order is mirrored from burst to burst, which needs two of them."""
    assert kit("plan", "--topologies", "alexnet", "--bursts", "3") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "--bursts 3 is odd" in error
    assert "Ask for 4" in error


def test_doctor_on_a_captured_host_names_what_to_do(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A laptop with hybrid cores gets advice, not a refusal."""
    write(hybrid_laptop(), in_folder / "host")
    assert kit("doctor", "--sysroot", "host") == 0
    assert "advice" in capsys.readouterr().out


def test_doctor_on_this_host_looks_at_the_engine_too(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    kit("doctor")
    assert "engine" in capsys.readouterr().out


def test_build_makes_every_installation(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("build") == 0
    out = capsys.readouterr().out
    assert "ready: tf-2.14/stock" in out
    assert "ready: tf-2.14/intel" in out


def test_help_imports_nothing_heavy() -> None:
    """`--help` must answer at once, so that nothing that takes long to import may be imported for it."""
    heavy = (
        "pandas",
        "scipy",
        "matplotlib",
        "rich",
        "jinja2",
        "numpy",
        "docker",
        "boto3",
        "botocore",
        "requests",
        "yaml",
    )
    command = [sys.executable, "-X", "importtime", "-m", "runner", "--help"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "runner.cli.parser" in imported
    assert [name for name in heavy if name in imported] == []


def test_help_answers(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("--help") == 0
    out = capsys.readouterr().out
    for command in ("doctor", "build", "plan", "compare", "report", "bench"):
        assert command in out


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`python -m runner plan | head -1` ends without a traceback."""
    command = f"{sys.executable} -m runner plan --preset full | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
