"""A launch's result and error as types: those of the committed runs, older ones, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import RunFormatError
from runner.storage import runs
from runner.storage.launch_result import Failure, failure, launch_result
from runner.storage.records import Record

ROOT = Path(__file__).resolve().parents[3]


def records_of(folder: str) -> list[Record]:
    """The records of a committed run that have a result."""
    return [record for record in runs.load(ROOT / folder).read_records() if record.result]


@pytest.mark.parametrize("folder", ["results/sample", "tests/data/earlier_run"])
def test_the_results_of_committed_runs_are_read_into_types(folder: str) -> None:
    """Each with the values that its record holds."""
    found = records_of(folder)
    assert found
    for record in found:
        assert record.result is not None
        typed = launch_result(record.result, record.launch_id)
        assert [(each.seconds, each.loss) for each in typed.steps] == [
            (each["seconds"], each["loss"]) for each in record.result["steps"]
        ]
        assert len(typed.timed_steps) == sum(step["phase"] == "timed" for step in record.result["steps"])
        assert len(typed.timed_steps) >= record.conditions["timed_steps"]
        assert typed.training_flops_per_step == record.result["training_flops_per_step"]
        assert typed.observed is not None
        assert typed.observed.cgroup.memory_peak_bytes == record.result["observed"]["cgroup"]["memory_peak_bytes"]
        assert typed.evidence is not None
        assert typed.evidence.wheel is not None
        assert [each.allowed_cpus for each in typed.evidence.threads] == [
            each["allowed_cpus"] for each in record.result["evidence"]["threads"]
        ]


def test_what_a_launch_did_not_come_to_is_none() -> None:
    """A launch that ended before its first step wrote every key, most of them null."""
    typed = launch_result({"steps": [], "observed": None, "evidence": None, "cpu": None, "mkl_enabled": None}, "b1")
    assert (typed.steps, typed.observed, typed.evidence, typed.cpu, typed.mkl_enabled) == ((), None, None, None, None)


def test_a_failure_has_its_kind_and_its_words() -> None:
    found = failure({"kind": "out_of_memory", "message": "killed"}, "b1")
    assert (found, found.status.words) == (Failure("out_of_memory", "killed"), "out of memory")


def test_what_is_wrong_names_launch_and_place() -> None:
    """A damaged record is told, and no figure is made of it."""
    step = {"index": 0, "phase": "timed", "seconds": "1.0", "loss": 8.0}
    with pytest.raises(RunFormatError, match=r"The result of b1, steps\[1\].seconds is '1.0'; a number was expected\."):
        launch_result({"steps": [step]}, "b1")
    with pytest.raises(RunFormatError, match=r"The error of b1 lacks message\."):
        failure({"kind": "failed"}, "b1")
