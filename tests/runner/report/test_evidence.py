"""The report's sections on evidence and traces: every cell has a verdict, and every trace is drawn side by side."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from runner.cli.missing_evidence import is_in_order
from runner.evidence import store
from runner.evidence.probed import Subject
from runner.report import cores_sections
from runner.report.trace_sections import MOST_KINDS, REST, kind_of, top_kinds
from tests.runner.claims.builders import EARLIER_RUN, SAMPLE
from tests.runner.evidence.captured import evidence
from tests.runner.report.markdown import rows

RUN = ("compare", "--preset", "figure1", "--topologies", "resnet50,vgg16", "--blocks", "2", "--out", "run")


@pytest.fixture
def run(in_folder: Path, finished_run: Callable[..., Path]) -> Path:
    """A finished run of two topologies and three variants, probed."""
    return finished_run(*RUN) / "run"


def test_deleting_and_redrawing_gives_the_same_bytes_with_evidence(run: Path) -> None:
    """Traces and evidence are drawn from the run's folder alone: not from the cache, nor from the probes' logs."""
    derived = ["report.md", "report.html", "figure1.svg", "trace-tf-2.14-resnet50.svg", "trace-tf-2.14-vgg16.png"]
    before = [(run / name).read_bytes() for name in derived]
    for name in derived:
        (run / name).unlink()
    for log in run.glob("launches/probe-*/log.txt"):
        log.unlink()
    assert main(["report", "run"]) == 0
    assert [(run / name).read_bytes() for name in derived] == before


def test_every_timed_cell_has_a_verdict(run: Path) -> None:
    launches = json.loads((run / "run.json").read_text())["plan"]["launches"]
    found = rows((run / "report.md").read_text(), "stack", "variant", "topology", "batch size", "evidence", "launches")
    assert {(row["stack"], row["variant"], row["topology"].lower(), row["batch size"]) for row in found} == {
        (each["stack"], each["variant"], each["topology"], str(each["batch_size"])) for each in launches
    }
    assert {(row["evidence"], row["launches"]) for row in found} == {("passed", "2")}


def test_the_report_shows_what_each_probe_found(run: Path) -> None:
    """Library, bound threads and primitives, as they stand in evidence.jsonl."""
    text = (run / "report.md").read_text()
    libraries = {row["variant"]: row for row in rows(text, "variant", "library", "runtime")}
    bound = rows(text, "variant", "topology", "OpenMP thread → CPU")
    primitives = rows(text, "variant", "topology", "primitive", "count")
    for subject, each in store.read(run).items():
        shown, library = libraries[subject.variant], each.library
        assert library is not None
        assert shown["library"] == f"{library['name']} {library['version']}"
        assert (shown["instruction set dispatched"], shown["runtime"]) == (library["isa"], library["runtime"])
        (threads,) = (row["OpenMP thread → CPU"] for row in bound if is_of(subject, row))
        assert re.findall(r"(\d+) → (\d+)", threads) == [
            (str(thread["thread"]), thread["cpus"]) for thread in each.threads["bound"]
        ]
        counts = [row["count"] for row in primitives if is_of(subject, row)]
        assert counts == [str(entry["count"]) for entry in (*each.primitives, each.reorders)]


def test_the_report_names_each_setting_that_did_nothing(run: Path) -> None:
    columns = ("stack", "variant", "setting")
    table = [row for row in rows((run / "report.md").read_text(), *columns) if set(row) == set(columns)]
    shown = {(row["variant"], name) for row in table for name in re.findall(r"([A-Z_]+)=", row["setting"])}
    assert ("stock", "KMP_BLOCKTIME") in shown
    assert shown == {
        (subject.variant, verdict.id.removeprefix("inert:"))
        for subject, each in store.read(run).items()
        for verdict in each.verdicts
        if verdict.id.startswith("inert:")
    }


def is_of(subject: Subject, row: dict[str, str]) -> bool:
    """Is a row of the report on this subject?"""
    return (row["stack"], row["variant"], row["topology"].lower()) == (
        subject.stack, subject.variant, subject.topology,
    )  # fmt: skip


def test_what_a_probe_showed_stands_apart_from_what_timed_launches_recorded(run: Path) -> None:
    """They ran at different batch sizes, and each sentence says which of the two it is of."""
    text = (run / "report.md").read_text()
    (row,) = (line for line in text.splitlines() if line.startswith("| tf-2.14 | stock | VGG16 | 32 | passed | 2 |"))
    assert "| In the probe (batch size 2): The baseline runs no layer in Intel's kernels (oneDNN's matrix" in row
    assert ". In each of 2 timed launches: " in row
    assert "at the timed size was not logged" in text


def test_a_silent_matrix_product_is_told_of_only_where_a_wheel_holds_it(run: Path) -> None:
    """A report on tf-2.14 alone does not mention it."""
    silent = "In TensorFlow 1.14 and 1.15 this matrix product prints no line"
    assert silent not in (run / "report.md").read_text()
    header = json.loads((run / "run.json").read_text())
    header["stacks"]["tf-2.14"]["holds"]["stock"] = "the matrix product alone"
    (run / "run.json").write_text(json.dumps(header))
    assert main(["report", "run"]) == 0
    assert silent in (run / "report.md").read_text()


def test_the_trace_is_drawn_side_by_side_with_its_sums(run: Path) -> None:
    """One bar for each variant and kind; the whole step's milliseconds stand in the legend."""
    svg = (run / "trace-tf-2.14-resnet50.svg").read_text()
    assert "](trace-tf-2.14-resnet50.svg)" in (run / "report.md").read_text()
    title = "one step of a quiet launch that is not timed, batch size 2"
    for words in ("Conv2D", "Relu", "1000 ms in all", "250 ms in all", title):
        assert words in svg
    row = "| Conv2D | 750 | 375 | 188 | +375 | 2.00x | +562 | 4.00x |"
    assert row in (run / "report.md").read_text()


def test_the_trace_is_held_against_the_training_that_was_timed(run: Path) -> None:
    """Kernels, ordinary steps of the same launches, and training, each as a ratio; no word on why they differ."""
    text = (run / "report.md").read_text()
    columns = "traced batch size | kernels traced | ordinary steps beside them | timed batch size | training timed |"
    assert columns in text
    assert "| tf-2.14 | ResNet50 | intel / stock | 2 | 4.00x | 4.00x | 32 | 4.00x |" in text
    assert "the small batch of a probe" not in text


def test_a_traced_step_is_held_against_the_ordinary_steps_of_its_own_launch(
    in_folder: Path, finished_run: Callable[..., Path]
) -> None:
    """Per variant, and against the timed step where the batch size is the same; a wide difference is said."""
    run = finished_run(*RUN, "--batch-sizes", "2") / "run"
    assert (
        "| tf-2.14 | intel | ResNet50 | 2 | 250 | 250 | 250 | 1.00 | 250 | 1.00 | 250 |"
        in (run / "report.md").read_text()
    )
    change(run, "intel", "resnet50", trace=[{"operation": "Conv2D", "count": 1, "milliseconds": 400.0}])
    assert main(["report", "run"]) == 0
    text = (run / "report.md").read_text()
    assert "| tf-2.14 | intel | ResNet50 | 2 | 400 | 250 | 250 | 1.60 | 250 | 1.60 | 250 |" in text
    assert (
        "tf-2.14 intel, ResNet50, batch size 2: the traced kernels took 400 ms, 1.60 of an ordinary step of the same "
        "launch (250 ms) and 1.60 of the timed step of the same size (250 ms)."
    ) in text
    assert "stock, ResNet50, batch size 2: the traced kernels" not in text


def test_a_trace_of_a_launch_that_logs_is_not_drawn(run: Path) -> None:
    """Runs of before traced with the verbose switch on: how many lines that made is told, and what was not measured."""
    for variant in ("stock", "stock-onednn", "intel"):
        change(run, variant, "resnet50", quiet=None)
    assert main(["report", "run"]) == 0
    text = (run / "report.md").read_text()
    assert "This run traced a step with oneDNN's verbose switch on. Lines written in all steps of a probe: " in text
    assert "was not measured" in text
    assert "stock's more" not in text
    assert "trace-tf-2.14-vgg16.svg" in text
    assert "trace-tf-2.14-resnet50.svg" not in text


def test_a_quiet_launch_that_failed_is_told_of(run: Path) -> None:
    change(run, "intel", "vgg16", trace=[], quiet=None, quiet_error={"kind": "timeout", "message": "killed."})
    assert main(["report", "run"]) == 0
    assert "No step was traced of tf-2.14 intel VGG16: timeout: killed." in (run / "report.md").read_text()


def change(run: Path, variant: str, topology: str, **changes: Any) -> None:
    """Write the evidence on one subject anew, changed; the later line counts."""
    path = run / store.FILE_NAME
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (line,) = (each for each in lines if (each["variant"], each["topology"]) == (variant, topology))
    with path.open("a") as file:
        file.write(json.dumps({**line, **changes}) + "\n")


def test_a_changed_verdict_changes_the_report(run: Path) -> None:
    """The comparison of bytes can fail, and a failed verdict is drawn wherever it belongs."""
    path = run / store.FILE_NAME
    path.write_text(path.read_text().replace('"passed": true', '"passed": false', 1))
    assert main(["report", "run"]) == 1
    assert "evidence failed" in (run / "report.md").read_text()


def test_a_run_from_before_there_were_probes_has_a_verdict_for_each_cell(in_folder: Path) -> None:
    """Its launches are judged by what they recorded of themselves."""
    shutil.copytree(EARLIER_RUN, in_folder / "earlier")
    assert main(["report", "earlier"]) == 0
    text = (in_folder / "earlier" / "report.md").read_text()
    assert text.count("| not probed | 4 | In each of 4 timed launches: TensorFlow says that oneDNN is") == 6
    assert "Where a training step's time goes" not in text


def test_every_cell_of_the_committed_sample_has_passing_evidence(in_folder: Path) -> None:
    """It redraws to the bytes that are committed beside its records."""
    shutil.copytree(SAMPLE, in_folder / "sample", ignore=shutil.ignore_patterns("launches"))
    assert main(["report", "sample"]) == 0
    for name in ("report.md", "speedups.csv"):
        assert (in_folder / "sample" / name).read_bytes() == (SAMPLE / name).read_bytes()
    evidence = store.read(SAMPLE).values()
    assert {each.subject.stack for each in evidence} == {"tf-1.12", "tf-2.14", "tf-2.21"}
    assert all(is_in_order(each) for each in evidence)


def test_threads_that_inherit_a_binding_are_told_of(in_folder: Path) -> None:
    """In this run TensorFlow 1.12 starts its pools from a thread that OpenMP has bound; 2.14 does not."""
    shutil.copytree(EARLIER_RUN.with_name("run_without_turns"), in_folder / "older")
    assert main(["report", "older"]) == 0
    text = (in_folder / "older" / "report.md").read_text()
    assert "On tf-1.12 intel 6 of 7 threads may run on CPU 0 only, and 4 of them are not OpenMP's" in text
    assert "On tf-2.14 intel" not in text


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("Conv2D", "Conv2D"),
        ("_FusedConv2D", "Conv2D"),
        ("_MklConv2DWithBias", "Conv2D"),
        ("_MklNativeFusedConv2D", "Conv2D"),
        ("_MklNativeConv2DBackpropFilterWithBias", "Conv2DBackpropFilter"),
        ("_MklConv2DBackpropInput", "Conv2DBackpropInput"),
        ("FusedBatchNorm", "FusedBatchNorm"),
        ("_MklNativeFusedBatchNormV3", "FusedBatchNorm"),
        ("_FusedBatchNormEx", "FusedBatchNorm"),
        ("_MklToTf", "ToTf"),
        ("ApplyRMSProp", "ApplyRMSProp"),
    ],
)
def test_one_kind_has_one_name_in_every_build(operation: str, kind: str) -> None:
    """What replaces an operation is compared with it."""
    assert kind_of(operation) == kind


@pytest.mark.parametrize("stack", ["tf-1.12", "tf-1.15", "tf-2.14"])
def test_the_kinds_of_real_traces_stand_beside_each_other(stack: str) -> None:
    """Both sides of every stack have the three convolutions, and nothing of a trace is lost."""
    traces = {variant: evidence(f"{stack}-{variant}") for variant in ("stock", "intel")}
    kinds = top_kinds(traces)
    assert len(kinds) == MOST_KINDS + 1
    assert REST in kinds
    for kind in ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"):
        assert min(kinds[kind].values()) > 0
    for variant, found in traces.items():
        whole = sum(entry["milliseconds"] for entry in found.trace)
        assert sum(by_variant[variant] for by_variant in kinds.values()) == pytest.approx(whole)


def test_a_subject_is_one_variant_on_one_topology(run: Path) -> None:
    """Seven lines: three variants on two topologies, and the plain installation on one of them."""
    assert set(store.read(run)) == {
        Subject("tf-2.14", variant, topology)
        for variant in ("stock", "stock-onednn", "intel")
        for topology in ("resnet50", "vgg16")
    } | {Subject("tf-2.14", "plain-install", "resnet50")}


def test_cores_used_stand_beside_the_pin_for_every_cell(run: Path) -> None:
    """CPU seconds over wall seconds of the timed steps; what is high proves nothing, and the report says so."""
    text = (run / "report.md").read_text()
    assert "## Cores used" in text
    assert "a thread that spins while it waits counts as busy" in text
    (row,) = (line for line in text.splitlines() if line.startswith("| tf-2.14 | intel | VGG16 | 32 | 2 | 2 | "))
    assert row.split(" | ")[6] == "2.00"
    assert "cores in its timed steps" not in text


def test_a_variant_on_one_of_its_cores_is_flagged_with_the_reason(run: Path) -> None:
    """All threads of one cell are on one CPU. The top of the report and the table both tell it."""
    squeeze(run, lambda case: (case["variant"], case["topology"]) == ("stock", "vgg16"))
    words = (
        "tf-2.14 stock, VGG16, batch size 32: used 1.00 of 2 cores in its timed steps (fewer than 60% of them): all 2 "
        "threads that computed were last seen on CPU 0, though they may run on "
    )
    assert (run / "report.md").read_text().count(words) == 2


def test_many_flagged_cells_do_not_fill_the_top_of_the_report(run: Path) -> None:
    """On a busy host every cell may be flagged: six here, of which the top names three."""
    squeeze(run, lambda case: True)
    text = (run / "report.md").read_text()
    assert text.count(": used 1.00 of 2 cores in its timed steps") == 3 + 6
    assert '3 more cells used fewer than 60% of the cores that they were given: see "Cores used".' in text


def squeeze(run: Path, which: Callable[[dict[str, Any]], bool]) -> None:
    """Let launches have had both threads on CPU 0, and draw the report anew."""
    path = run / "records.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if which(line["case"]):
            result = line["result"]
            wall = sum(step["seconds"] for step in result["steps"] if step["phase"] == "timed")
            used = {"cpu_seconds": wall / 2, "waited_seconds": wall / 2, "last_cpu": 0}
            result["cpu"] = {
                "user_seconds": wall,
                "system_seconds": 0.0,
                "threads": [{"id": n, **used} for n in (1, 2)],
            }
            model = result["evidence"]["threads"][0]
            result["evidence"]["threads"] = [{**model, "id": number} for number in (1, 2)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    main(["report", "run"])


def test_a_run_of_before_says_that_cores_used_were_not_recorded(in_folder: Path) -> None:
    shutil.copytree(EARLIER_RUN, in_folder / "earlier")
    assert main(["report", "earlier"]) == 0
    text = (in_folder / "earlier" / "report.md").read_text()
    assert cores_sections.NEITHER in text
    assert "| not recorded |" not in text
