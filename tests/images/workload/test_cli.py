"""The command line as far as it goes without TensorFlow: usage, invalid jobs and a missing framework."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from workload.cli import EXIT_ERROR, EXIT_INVALID_JOB, main

from tests.images.workload.job_content import TRAIN_JOB

WITHOUT_TENSORFLOW = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None, reason="TensorFlow is installed beside the tests"
)


def launch(folder: Path, job_text: str) -> tuple[int, dict[str, Any]]:
    """Run a job's text; return the exit code and the result."""
    (folder / "job.json").write_text(job_text, encoding="utf-8")
    code = main(["--job", str(folder / "job.json"), "--result-dir", str(folder)])
    return code, json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({**TRAIN_JOB, "batch_size": 0})])
def test_invalid_job_gives_a_result_and_its_own_exit_code(tmp_path: Path, text: str) -> None:
    """A job that is refused still leaves a result, of kind "invalid_job"."""
    code, result = launch(tmp_path, text)
    assert code == EXIT_INVALID_JOB
    assert (result["status"], result["error"]["kind"]) == ("error", "invalid_job")


def test_result_of_an_invalid_job_keeps_what_is_known(tmp_path: Path) -> None:
    """The result names its launch and says what was observed, although nothing was run."""
    _, result = launch(tmp_path, json.dumps({**TRAIN_JOB, "batch_size": 0}))
    assert (result["launch_id"], result["kind"]) == ("launch-7", "train")
    assert result["observed"]["allowed_cpus"]
    assert result["versions"]["workload"]
    assert len(result["workload_sha256"]) == 64


@WITHOUT_TENSORFLOW
def test_missing_framework_is_a_framework_error(tmp_path: Path) -> None:
    code, result = launch(tmp_path, json.dumps(TRAIN_JOB))
    assert code == EXIT_ERROR
    assert result["error"]["kind"] == "framework_error"
    assert "tensorflow" in result["error"]["message"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--job", "job.json"], ["--job", "j", "--result-dir", "/no/such/folder"], ["--describe", "lenet"],
     ["--describe", "alexnet", "--batch-size", "0"]],
)  # fmt: skip
def test_usage_errors_exit_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == EXIT_INVALID_JOB
    assert "error:" in capsys.readouterr().err
