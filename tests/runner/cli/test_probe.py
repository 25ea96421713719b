"""Probes from end to end on a fake engine: in `compare`, by themselves, from the cache, and what each mistake does."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from runner.engines.protocol import Outcome
from runner.errors import HostError
from runner.evidence import store
from runner.evidence.probed import Subject
from runner.host.pin import Pin
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine
from tests.runner.fake_results import make_log
from tests.runner.report import markdown
from tests.runner.told import tells

Kit = Callable[..., int]
SUBJECTS = {
    Subject("tf-2.14", variant, topology) for variant in ("stock", "intel") for topology in ("resnet50", "vgg16")
}
PLAIN = Subject("tf-2.14", "plain-install", "resnet50")
TWO_CORES = Pin(cores=((0,), (1,)), mems=(0,), nodes=1, sockets=1)


def rows(folder: str = "run") -> list[dict[str, str]]:
    """The lines of speedups.csv."""
    with (Path(folder) / "speedups.csv").open() as file:
        return list(csv.DictReader(file))


def report(folder: str = "run") -> str:
    """The report for reading."""
    return (Path(folder) / "report.md").read_text()


def fingerprints() -> list[dict[str, str]]:
    """The rows of the report's table of fingerprints."""
    return markdown.rows(report(), "tensors judged")


def test_compare_probes_each_variant_and_topology_once_before_anything_is_timed(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """Four probes at the small batch with every switch on, and one of the plain installation on the first topology.

    The timed launches have none of the switches.
    """
    seen: dict[str, Launch] = {}
    first_timed: list[int] = []

    def remember(launch: Launch, _result: dict[str, Any]) -> None:
        seen[launch.launch_id] = launch

    def timed(launch: Launch, _result: dict[str, Any]) -> None:
        first_timed.append(len(engine.probed))
        assert not any(name.endswith("_VERBOSE") for name in launch.environment)

    engine.before_probe, engine.before_result = remember, timed
    assert kit(*small) == 0
    assert set(store.read(Path("run"))) == {*SUBJECTS, PLAIN}
    assert (len(engine.probed), min(first_timed), len(engine.ran)) == (5, 5, 8)
    left = {name: "TF_ENABLE_ONEDNN_OPTS" in launch.environment for name, launch in seen.items()}
    assert [name for name, has_it in left.items() if not has_it and "intel" not in name] == [
        "probe-tf-2.14-plain-install-resnet50-b2"
    ]
    assert {launch.cell.batch_size for launch in seen.values()} == {2}
    assert all(launch.environment["ONEDNN_VERBOSE"] == "1" for launch in seen.values())
    assert {launch.turns for launch in seen.values()} == {None}, "a probe has the CPUs to itself"


def test_each_probe_is_traced_in_a_launch_without_any_verbose_switch(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """Lines are written from inside the kernels that a trace measures: it has the timed launches' own environment."""
    quiet: dict[Subject, Launch] = {}
    timed: dict[Subject, Launch] = {}

    def subject(launch: Launch) -> Subject:
        return Subject(launch.cell.stack, launch.cell.variant, launch.cell.topology)

    engine.before_trace = lambda launch, _result: quiet.update({subject(launch): launch})
    engine.before_result = lambda launch, _result: timed.update({subject(launch): launch})
    assert kit(*small) == 0
    assert set(quiet) == set(timed) == SUBJECTS
    for each, launch in quiet.items():
        assert launch.environment == timed[each].environment
        assert (launch.cell.batch_size, launch.steps.timed, launch.turns) == (2, 3, None)
    found = store.read(Path("run"))[Subject("tf-2.14", "intel", "vgg16")]
    assert found.quiet == {"batch_size": 2, "step_seconds": [0.25] * 3, "traced_step_seconds": 0.25}
    assert sum(entry["milliseconds"] for entry in found.trace) == 250


def test_a_failed_quiet_launch_loses_trace_and_fingerprint(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdicts stand, its cell is marked, nothing of it is cached, and `probe RUN` obtains what is missing."""
    engine.outcomes["quiet-tf-2.14-intel-vgg16-b2"] = Outcome(-9, 5.0, stopped_by_deadline=False, out_of_memory=True)
    assert kit(*small) == 0
    assert [row["status"] for row in rows()] == ["ok", "no_evidence"]
    assert tells(capsys.readouterr().out, "no trace", "out_of_memory")
    found = store.read(Path("run"))[Subject("tf-2.14", "intel", "vgg16")]
    assert (found.error, found.trace, found.quiet) == (None, (), None)
    assert found.quiet_error is not None
    assert found.quiet_error["kind"] == "out_of_memory"
    assert found.verdicts
    assert kit("probe", "run") == 1, "what is asked for is still not there"
    assert "no trace" in capsys.readouterr().out
    engine.outcomes, engine.traced = {}, []
    assert kit("probe", "run") == 0
    assert engine.traced == ["quiet-tf-2.14-intel-vgg16-b2"]
    assert store.read(Path("run"))[found.subject].trace


def test_a_fingerprint_is_of_the_kernels_on_record(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """Gradients are the verbose launch's, whose log shows the kernels; outputs and sensitivities the quiet one's."""

    def other_rounding(_launch: Launch, result: dict[str, Any]) -> None:
        result["fingerprint"][0][2:4] = [0.5000001, 0.2500001]

    engine.before_probe = other_rounding
    assert kit(*small) == 0
    found = store.read(Path("run"))[Subject("tf-2.14", "stock", "vgg16")].fingerprint
    assert [list(entry) for entry in found] == [
        ["output", "conv1", 300.0, -20.0, 1e-5],
        ["gradient", "conv1/weights", 0.5000001, 0.2500001, 1e-5],
        ["update", "conv1/weights", 3.5e-4, 1.7e-4, 1e-5],
    ]
    compared = fingerprints()
    assert [(each["stack"], each["topology"], each["pair"]) for each in compared] == [
        ("tf-2.14", "ResNet50", "intel / stock"), ("tf-2.14", "VGG16", "intel / stock"),
    ]  # fmt: skip
    assert {each["first step"] for each in compared} == {"same training"}
    found_of_vgg16 = [compared[1][name] for name in ("tensors judged", "not judged", "worst tensor", "difference")]
    assert found_of_vgg16 == ["3", "0", "first update of conv1/weights", "1.0e-06"]


@pytest.mark.parametrize("kind", ["output", "gradient"])
def test_a_pair_whose_first_step_differs_is_flagged(
    kit: Kit, small: Sequence[str], engine: FakeEngine, kind: str
) -> None:
    """Equal losses do not help: no verdict, no mean, and the first tensor that differs is named."""

    def zero(launch: Launch, result: dict[str, Any]) -> None:
        for entry in result["fingerprint"]:
            if launch.cell.variant == "intel" and launch.cell.topology == "vgg16" and entry[0] == kind:
                entry[2:4] = [0.0, 0.0]

    engine.before_probe = engine.before_trace = zero
    kit(*small)
    right, wrong = rows()
    assert (right["status"], wrong["status"], wrong["verdict"]) == ("ok", "losses_differ", "not counted")
    name = {"output": "output of conv1", "gradient": "gradient of conv1/weights"}[kind]
    assert tells(wrong["reason"], "1 of 3 tensors", name)
    assert [each["first step"] for each in fingerprints()] == ["same training", "DIFFERENT"]


def test_without_a_quiet_launch_the_losses_are_the_only_check(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """The report says so, and what the losses cannot show."""
    assert kit(*small, "--no-probe") == 0
    assert "tensors judged" not in report()
    judged = {each["topology"]: each["losses"].partition("; ")[2] for each in markdown.rows(report(), "losses")}
    assert judged == {"ResNet50": "", "VGG16": "layers not judged"}
    assert kit("probe", "run") == 0
    assert [each["first step"] for each in fingerprints()] == ["same training"] * 2


def test_a_second_run_takes_the_evidence_from_the_cache(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Same image, pin and settings: nothing is probed again, and the run's folder has the evidence all the same.

    How the timed launches take turns is no setting of a probe.
    """
    kit(*small)
    engine.probed, engine.traced = [], []
    assert kit(*small[:-1], "again", "--bursts", "2") == 0
    assert engine.probed == engine.traced == []
    assert "known" in capsys.readouterr().out
    shutil.rmtree("cache")
    assert set(store.read(Path("again"))) == {*SUBJECTS, PLAIN}
    assert kit("report", "again") == 0
    assert kit(*small[:-1], "other", "--bkms", "none") == 0
    assert len(engine.probed) == 5


def test_no_probe_leaves_them_out_and_hatches_nothing(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """What the timed launches say of themselves is judged all the same."""
    assert kit(*small, "--no-probe") == 0
    assert engine.probed == []
    assert not (Path("run") / "evidence.jsonl").exists()
    assert "not probed" in report()
    assert "no evidence" not in (Path("run") / "figure1.svg").read_text()


def test_a_run_from_before_there_were_probes_is_still_drawn(kit: Kit, small: Sequence[str]) -> None:
    """No evidence.jsonl and no word of probes in run.json."""
    kit(*small, "--no-probe")
    header = json.loads(Path("run/run.json").read_text())
    del header["probes"]
    Path("run/run.json").write_text(json.dumps(header))
    assert kit("report", "run") == 0
    assert [row["status"] for row in rows()] == ["ok", "ok"]


def test_a_failed_probe_is_no_lost_run(
    kit: Kit, small: Sequence[str], engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its cell is measured and marked in table and figure with the reason; the exit code is that of the timed cells."""
    probe = "probe-tf-2.14-intel-vgg16-b2"
    engine.outcomes[probe] = Outcome(-9, 5.0, stopped_by_deadline=False, out_of_memory=True)
    assert kit(*small) == 0
    assert len(engine.ran) == 8
    assert tells(capsys.readouterr().out, "no evidence", "out_of_memory")
    assert [(row["status"], row["speedup"]) for row in rows()] == [("ok", "4"), ("no_evidence", "4")]
    assert tells(rows()[1]["reason"], "probe", "out_of_memory")
    assert "no evidence" in (Path("run") / "figure1.svg").read_text()


def test_an_engine_that_cannot_start_a_probe_is_no_lost_run_either(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """The engine's own error is the reason."""

    def refuse(_launch: Launch, _result: dict[str, Any]) -> None:
        raise HostError("no more processes")

    engine.before_probe = refuse
    assert kit(*small) == 0
    assert {evidence.error["message"] for evidence in store.read(Path("run")).values() if evidence.error} == {
        "no more processes"
    }


def test_resume_obtains_what_is_missing_and_no_more(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """After Ctrl-C in the third probe nothing is timed yet; --resume does it, the probes after it, and all launches."""

    def interrupt(_launch: Launch, _result: dict[str, Any]) -> None:
        if len(engine.probed) == 3:
            raise KeyboardInterrupt

    engine.before_probe = interrupt
    assert kit(*small) == 130
    assert engine.ran == []
    done, engine.probed, engine.before_probe = engine.probed[:2], [], lambda launch, result: None
    assert kit("compare", "--resume", "run") == 0
    assert len(engine.probed) == 3
    assert not set(done) & set(engine.probed)
    assert len(engine.ran) == 8
    assert set(store.read(Path("run"))) == {*SUBJECTS, PLAIN}


def test_a_baseline_with_onednn_left_on_is_named_in_table_and_figure(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """The probe's log shows convolutions: the number stays, marked, and the exit code is 1."""
    engine.logs["stock"] = make_log("stock-onednn", TWO_CORES)
    assert kit(*small) == 1
    assert [(row["status"], row["speedup"]) for row in rows()] == [("evidence_failed", "4")] * 2
    assert tells(rows()[0]["reason"], "NOT", "Intel kernels")
    assert tells(report(), "baseline ran oneDNN")
    assert (Path("run") / "figure1.svg").read_text().count("baseline ran") == 4


def test_a_baseline_with_onednn_left_on_is_named_without_probes_too(
    kit: Kit, small: Sequence[str], engine: FakeEngine
) -> None:
    """Each timed launch says that oneDNN was on."""

    def left_on(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "stock":
            result["mkl_enabled"] = True

    engine.before_result = left_on
    assert kit(*small, "--no-probe") == 1
    assert [row["status"] for row in rows()] == ["evidence_failed"] * 2
    assert tells(rows()[0]["reason"], "oneDNN is ON")
    assert "baseline ran" in (Path("run") / "figure1.svg").read_text()


def test_threads_that_escape_their_cpuset_are_named(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """One launch of one cell is enough: only its topology is marked, and the launch is named."""

    def escape(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel" and launch.cell.topology == "vgg16" and launch.block == 2:
            result["evidence"]["threads"][-1]["allowed_cpus"] = "4095"

    engine.before_result = escape
    assert kit(*small) == 1
    assert [row["status"] for row in rows()] == ["ok", "evidence_failed"]
    assert tells(rows()[1]["reason"], "cpuset", "CPUs 4095")
    assert "block2-tf-2.14-intel-vgg16-b4" in report()
    assert "threads not" in (Path("run") / "figure1.svg").read_text()


def test_an_image_with_the_wrong_wheel_is_named(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """Stock's wheel where Intel's should be."""

    def other_wheel(launch: Launch, result: dict[str, Any]) -> None:
        if launch.cell.variant == "intel":
            result["evidence"]["wheel"]["distribution"] = "tensorflow_cpu"

    engine.before_result = engine.before_probe = other_wheel
    assert kit(*small) == 1
    assert tells(report(), "tensorflow_cpu==2.14.0", "intel-tensorflow==2.14.0")
    assert "not as planned" in (Path("run") / "figure1.svg").read_text()
