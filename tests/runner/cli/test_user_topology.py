"""`--topology-file` from end to end on a fake engine: names, hashes, branches, copies, refusals."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.engines.protocol import Outcome
from runner.evidence import store
from runner.planning.ladder_file import WHOLE, load_ladder
from runner.storage import records
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine
from tests.runner.fake_results import DESCRIPTION
from tests.runner.told import tells

Kit = Callable[..., int]
ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "tests" / "data" / "my_net.py"
OPTIONS = ("--topology-file", "nets/my_net.py", "--blocks", "2", "--out", "run")
COMPARE, ABLATE = ("compare", *OPTIONS, "--variants", "stock,intel"), ("ablate", *OPTIONS)
LADDER = load_ladder("main")
RUNGS = [name + rung.id for rung in (*LADDER.rungs, *LADDER.branches) for name in ("", WHOLE)]


@pytest.fixture(autouse=True)
def file(in_folder: Path) -> Path:
    """The user's file, in a folder of its own."""
    (in_folder / "nets").mkdir()
    path = in_folder / "nets" / "my_net.py"
    path.write_bytes(EXAMPLE.read_bytes())
    return path


def header() -> dict[str, Any]:
    """The run's run.json."""
    content: dict[str, Any] = json.loads(Path("run/run.json").read_text())
    return content


def inter_op_threads() -> dict[str, set[int]]:
    """The inter-op threads of the planned launches, by topology."""
    found: dict[str, set[int]] = {}
    for launch in header()["plan"]["launches"]:
        found.setdefault(launch["topology"], set()).add(launch["inter_op_threads"])
    return found


def test_the_file_is_a_topology_in_every_table_and_its_hash_in_every_record(kit: Kit, file: Path) -> None:
    assert kit(*COMPARE) == 0
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    with Path("run/speedups.csv").open() as lines:
        assert [(row["topology"], row["speedup"]) for row in csv.DictReader(lines)] == [("my_net", "4")]
    found = records.read(Path("run/records.jsonl"))
    assert {(each.case["topology"], each.conditions["topology_sha256"]) for each in found} == {("my_net", sha256)}
    assert header()["own_topology"]["file"] == {"name": "my_net.py", "sha256": sha256}
    assert "my_net" in Path("run/figure1.svg").read_text()
    assert tells(Path("run/report.md").read_text(), sha256)
    schema = json.loads((ROOT / "results" / "record.schema.json").read_text())
    for line in Path("run/records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)


def test_every_launch_gets_the_file_in_its_job_folder(kit: Kit, file: Path) -> None:
    """The folder that the container mounts read-only holds the job, which names the file, and the file's bytes."""
    kit(*COMPARE)
    jobs = sorted(Path("run/launches").glob("block*/job"))
    assert len(jobs) == 4
    for folder in jobs:
        assert json.loads((folder / "job.json").read_text())["topology_file"] == "my_net.py"
        assert (folder / "my_net.py").read_bytes() == file.read_bytes()


def test_the_users_topology_is_built_once_in_each_installation_before_anything_is_measured(
    kit: Kit, engine: FakeEngine
) -> None:
    """Both sides of the pair are seen to build the same network."""
    kit(*COMPARE)
    assert engine.built == ["describe-my_net-intel-NHWC", "describe-my_net-stock-NHWC"]


def test_inter_op_threads_are_its_disjoint_branches(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit(*COMPARE) == 0
    assert inter_op_threads() == {"my_net": {DESCRIPTION["disjoint_branches"]}}
    assert tells(capsys.readouterr().out, "3 disjoint branches", "a, b, c", "inter-op threads 3")


def test_topologies_that_are_named_run_beside_it_with_the_articles_one_thread(kit: Kit) -> None:
    """Without --topologies it runs alone; with it, besides those that are named."""
    assert kit(*COMPARE, "--topologies", "vgg16,googlenet") == 0
    assert inter_op_threads() == {"my_net": {3}, "vgg16": {1}, "googlenet": {1}}


@pytest.mark.parametrize(
    ("options", "expected"), [(("--inter-op", "2"), {2}), (("--inter-op", "0"), {0}), (("--bkms", "none"), {0})]
)
def test_inter_op_threads_can_be_asked_for(kit: Kit, options: tuple[str, ...], expected: set[int]) -> None:
    """--inter-op overrides on every topology; a set of BKMs without the setting leaves them to TensorFlow."""
    assert kit(*COMPARE, "--topologies", "vgg16", *options) == 0
    assert inter_op_threads() == {"my_net": expected, "vgg16": expected}


def _does_not_build(_launch: Launch, result: dict[str, Any]) -> None:
    frames = 'Traceback (most recent call last):\n  File "my_net.py", line 7, in add_layers\nValueError: bad\n'
    message = "my_net.py, line 7, in add_layers: ValueError: bad"
    error = {"kind": "topology_error", "type": "ValueError", "message": message, "traceback": frames}
    result.update(status="error", error=error, description=None)


@pytest.mark.parametrize("command", [COMPARE, ABLATE], ids=["compare", "ablate"])
def test_a_file_that_does_not_build_ends_before_anything_is_compared_or_measured(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """Its own traceback, exit code 2, no launch, no folder."""
    engine.before_build = _does_not_build
    engine.seconds = {**engine.seconds, **dict.fromkeys(RUNGS, 1.0)}
    assert kit(*command) == 2
    said = capsys.readouterr()
    assert tells(said.err, "nets/my_net.py", "tf-2.14/intel", "my_net.py, line 7, in add_layers: ValueError: bad")
    assert '  File "my_net.py", line 7, in add_layers' in said.err
    assert "comparing every file" not in said.out
    assert engine.ran == engine.multiplied == []
    assert not Path("run").exists()


def test_a_file_that_builds_two_networks_is_refused(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network that depends on the installation would be compared with another one."""

    def depends(launch: Launch, result: dict[str, Any]) -> None:
        result["description"]["parameters"] += launch.installation == "intel"

    engine.before_build = depends
    assert kit(*COMPARE) == 2
    assert tells(capsys.readouterr().err, "parameters 1234568 and 1234567")


def test_an_installation_that_breaks_is_not_the_files_fault(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A workload that leaves no result is the host's error."""
    died = Outcome(-11, 1.0, stopped_by_deadline=False, out_of_memory=False)
    engine.outcomes["describe-my_net-intel-NHWC"] = died
    assert kit(*COMPARE) == 3
    assert tells(capsys.readouterr().err, "SIGSEGV", "a line of the log")


def test_resume_goes_by_the_runs_copy(kit: Kit, engine: FakeEngine, file: Path) -> None:
    """What the user does to the file meanwhile changes nothing in a run that has begun."""

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        if len(engine.ran) >= 3:
            raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*COMPARE) == 130
    before = file.read_bytes()
    file.write_text("IMAGE_SIZE = 32\n")
    engine.before_result = lambda launch, result: None
    assert kit("compare", "--resume", "run") == 0
    assert Path("run/topology/my_net.py").read_bytes() == before
    assert len({each.conditions["topology_sha256"] for each in records.read(Path("run/records.jsonl"))}) == 1


@pytest.mark.parametrize(("harm", "word"), [("change", "changed"), ("remove", "read")])
def test_resume_refuses_another_copy(
    kit: Kit, engine: FakeEngine, harm: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.before_result = _interrupt
    assert kit(*COMPARE) == 130
    copy = Path("run/topology/my_net.py")
    if harm == "change":
        copy.write_text("IMAGE_SIZE = 32\n")
    else:
        copy.unlink()
    engine.ran.clear()
    assert kit("compare", "--resume", "run") == 2
    assert tells(capsys.readouterr().err, "run/topology/my_net.py", word)
    assert engine.ran == []


def _interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_a_launch_that_built_another_file_is_not_a_number(kit: Kit, engine: FakeEngine) -> None:
    """The hash that the workload saw must be the plan's."""

    def swap(launch: Launch, _result: dict[str, Any]) -> None:
        Path(f"run/launches/{launch.launch_id}/job/my_net.py").write_text("IMAGE_SIZE = 32\n")

    engine.before_result = swap
    assert kit(*COMPARE) == 1
    errors = [each.error for each in records.read(Path("run/records.jsonl"))]
    assert all(
        error and error["kind"] == "not_as_planned" and "topology_sha256" in error["message"] for error in errors
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet50.py", "resnet50"),
        ("my-net.py", "identifier"),
        ("my_net.txt", "identifier"),
        ("absent.py", "No such file"),
    ],
)
def test_a_name_that_cannot_be_a_topologys_is_refused(
    kit: Kit, name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Colliding, no identifier, or not there: exit code 2, and what to do."""
    if name != "absent.py":
        Path(name).write_text("IMAGE_SIZE = 32\n")
    assert kit("compare", "--topology-file", name) == 2
    assert words in capsys.readouterr().err


def test_plan_shows_the_branches_of_every_topology(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """Counted for the user's own, known for the kit's; the printed command copies the file."""
    assert kit("plan", "--topology-file", "nets/my_net.py", "--topologies", "inception3,vgg16", "--blocks", "2") == 0
    out = capsys.readouterr().out
    networks = {name: line for name in ("inception3", "vgg16", "my_net") for line in out.splitlines()
                if line.startswith("network") and tells(line, f"{name}:")}  # fmt: skip
    assert tells(networks["inception3"], "6 disjoint branches", "inter-op threads 1")
    assert tells(networks["vgg16"], "1 disjoint branch", "inter-op threads 1")
    assert tells(networks["my_net"], "3 disjoint branches", "a, b, c", "inter-op threads 3")
    assert "cp nets/my_net.py results/runs/RUN/launches/block1-tf-2.14-" in out


def test_plan_json_is_json_alone(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("plan", "--topology-file", "nets/my_net.py", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["disjoint_branches"] == {"my_net": 3}
    assert plan["launches"][0]["topology_file"]["name"] == "my_net.py"


def test_plan_does_not_make_what_it_needs_to_count(
    kit: Kit, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a ready installation the plan says what to do; with --inter-op it needs none."""
    engine.is_ready = False
    arguments = ("plan", "--topology-file", "nets/my_net.py")
    assert kit(*arguments) == 3
    assert tells(capsys.readouterr().err, "tf-2.14/intel", "tf-2.14/stock", "python -m runner build")
    assert kit(*arguments, "--inter-op", "2") == 0
    assert tells(capsys.readouterr().out, "my_net", "not counted", "inter-op threads 2")


def test_bench_trains_the_users_own_topology(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("bench", "--topology-file", "nets/my_net.py", "--cpus", str(min(os.sched_getaffinity(0)))) == 0
    out = capsys.readouterr().out
    assert tells(out, "my_net", "410 GFLOP/s")
    (run,) = Path("results/runs").iterdir()
    assert (run / "report.md").exists()


def test_a_ladder_trains_it_with_its_branches_as_inter_op_threads(kit: Kit, engine: FakeEngine, file: Path) -> None:
    """Every rung trains the copy; the rung that sets inter-op threads sets the number of its disjoint branches."""
    engine.seconds = dict.fromkeys(RUNGS, 1.0)
    assert kit(*ABLATE) == 0
    found = records.read(Path("run/records.jsonl"))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert {(each.case["topology"], each.conditions["topology_sha256"]) for each in found} == {("my_net", sha256)}
    threads = {each["variant"]: each["inter_op_threads"] for each in header()["plan"]["launches"]}
    assert (threads["threads"], threads["inter-op"]) == (0, DESCRIPTION["disjoint_branches"])
    assert tells(Path("run/report.md").read_text(), sha256)
    file.unlink()  # the run's copy counts
    Path("run/records.jsonl").write_text("")
    assert kit("ablate", "--resume", "run") == 0


def test_a_ladder_of_it_takes_no_other_topology(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """Inter-op threads follow from a network's branches, and a rung has one setting."""
    assert kit(*ABLATE, "--topologies", "resnet50") == 2
    assert "--topologies" in capsys.readouterr().err


def test_probe_looks_at_it_alone_or_beside_others(kit: Kit, engine: FakeEngine, file: Path) -> None:
    """Evidence without a run: of the user's network, with its copy beside it."""
    assert kit("probe", "--topology-file", "nets/my_net.py", "--topologies", "alexnet", "--out", "probed") == 0
    assert {evidence.subject.topology for evidence in store.read(Path("probed")).values()} == {"alexnet", "my_net"}
    assert Path("probed/topology/my_net.py").read_bytes() == file.read_bytes()


def test_probe_of_one_variant_builds_it_in_that_variants_installation_alone(kit: Kit, engine: FakeEngine) -> None:
    assert kit("probe", "--topology-file", "nets/my_net.py", "--variants", "stock", "--out", "probed") == 0
    assert engine.built == ["describe-my_net-stock-NHWC"]
