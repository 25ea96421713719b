"""Which launches took turns, which did not, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from runner.planning.memory import why_not_together
from runner.report.measured import measured
from runner.report.sequence import groups_by_turns, is_by_turns, sequence_sentences
from runner.stats.results import Results
from runner.storage.runs import load

COMPARE = ("compare", "--variants", "stock,intel", "--topologies", "resnet50,vgg16", "--blocks", "2", "--no-probe",
           "--no-peak", "--out", "run")  # fmt: skip


def results_of_run(folder: Path, change: Callable[[dict[str, object]], None], *notes: str) -> Results:
    """The run in this folder, with every planned launch changed, and with these notes of its plan."""
    path = folder / "run/run.json"
    header = json.loads(path.read_text())
    header["notes"] = list(notes)
    for launch in header["plan"]["launches"]:
        change(launch)
    path.write_text(json.dumps(header))
    return measured(load(folder / "run"))


def alone(launch: dict[str, object]) -> None:
    """VGG16's launches have the CPUs to themselves."""
    if launch["topology"] == "vgg16":
        launch["turns"] = {"member": 0, "order": [[0, "warmup", 1], [0, "timed", 1], [0, "end", 0]],
                           "burst_seconds": 2.0}  # fmt: skip


def test_a_cell_whose_threads_never_sleep_is_named_with_the_reason(
    in_folder: Path, finished_run: Callable[..., Path]
) -> None:
    def spin(launch: dict[str, object]) -> None:
        alone(launch)
        if launch["variant"] == "intel" and launch["topology"] == "vgg16":
            launch["environment"] = {"KMP_BLOCKTIME": "infinite"}

    found = results_of_run(finished_run(*COMPARE), spin)
    assert is_by_turns(found)
    assert [group.topology for group in groups_by_turns(found)] == ["resnet50"]
    (sentence,) = sequence_sentences(found)
    assert sentence.startswith("tf-2.14 VGG16, batch size 4: the launches of a block followed one another")
    assert "the OpenMP threads of intel never sleep" in sentence


def test_a_cell_that_has_no_room_to_live_together_has_the_reason_of_the_plan(
    in_folder: Path, finished_run: Callable[..., Path]
) -> None:
    note = why_not_together("vgg16", 4, launches=2, memory_bytes=10**9)
    assert note is not None
    (sentence,) = sequence_sentences(results_of_run(finished_run(*COMPARE), alone, note))
    assert sentence.startswith("tf-2.14 VGG16, batch size 4: the launches of a block followed one another")
    assert "of the 1 GB that are free" in sentence


def test_a_reason_that_was_not_recorded_is_not_made_up(in_folder: Path, finished_run: Callable[..., Path]) -> None:
    (sentence,) = sequence_sentences(results_of_run(finished_run(*COMPARE), alone))
    assert "does not record why" in sentence


def test_a_run_of_an_earlier_version_is_told_nothing_about_turns(
    in_folder: Path, finished_run: Callable[..., Path]
) -> None:
    def forget(launch: dict[str, object]) -> None:
        del launch["turns"]

    found = results_of_run(finished_run(*COMPARE), forget)
    assert (is_by_turns(found), sequence_sentences(found)) == (False, ())
