"""The result file: atomic, complete in every outcome, and errors named by kind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from unittest import mock

import pytest
from workload.job import InvalidJobError
from workload.result import describe_error, empty_result, error_kind, write_result
from workload.stepping import NonFiniteLossError, TimeLimitError


class ResourceExhaustedError(Exception):
    """Stands for TensorFlow's class of this name, whose text is in `message`."""

    def __init__(self, message: str) -> None:
        super().__init__(None, None, message)
        self.message = message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidJobError("batch_size is 0"), "invalid_job"),
        (NonFiniteLossError("nan"), "non_finite_loss"),
        (TimeLimitError("10 s"), "time_limit"),
        (MemoryError(), "out_of_memory"),
        (ResourceExhaustedError("OOM when allocating tensor"), "out_of_memory"),
        (RuntimeError("std::bad_alloc"), "out_of_memory"),
        (RuntimeError("Conv2DCustomBackpropInputOp only supports NHWC."), "unsupported_layout"),
        (RuntimeError("Default MaxPoolingOp only supports NHWC on device type CPU"), "unsupported_layout"),
        (
            RuntimeError("Generic conv implementation only supports NHWC tensor format for now."),
            "unsupported_layout",
        ),
        (RuntimeError("The Conv2D op currently only supports the NHWC tensor format on the CPU"), "unsupported_layout"),
        (RuntimeError("No OpKernel was registered"), "framework_error"),
    ],
)
def test_each_error_has_one_kind(error: Exception, kind: str) -> None:
    assert error_kind(error) == kind


def test_frameworks_own_message_is_kept_whole() -> None:
    """The message is TensorFlow's own text, not the wrapping of its exception."""
    text = "OOM when allocating tensor with shape[128,64,112,112]\n\t [[node conv1]]"
    described = describe_error(ResourceExhaustedError(text))
    assert described["message"] == text
    assert described["type"] == "ResourceExhaustedError"


def test_traceback_names_where_the_error_was_raised() -> None:
    with pytest.raises(KeyError) as raised:
        empty_result(None)["no such key"]
    described = describe_error(raised.value)
    assert "test_traceback_names_where_the_error_was_raised" in described["traceback"]


def test_written_result_is_read_back(tmp_path: Path) -> None:
    """The file holds the result, readable by others than its writer, and nothing is left beside it."""
    result = empty_result({"launch_id": "launch-7", "kind": "train"})
    path = write_result(str(tmp_path), result)
    assert json.loads(Path(path).read_text(encoding="utf-8")) == result
    assert os.listdir(tmp_path) == ["result.json"]
    assert Path(path).stat().st_mode & 0o777 == 0o644


def test_failed_write_leaves_the_old_result(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("old", encoding="utf-8")
    with (
        mock.patch("os.fsync", side_effect=OSError(28, "No space left on device")),
        pytest.raises(OSError, match="space"),
    ):
        write_result(str(tmp_path), empty_result(None))
    assert os.listdir(tmp_path) == ["result.json"]
    assert (tmp_path / "result.json").read_text(encoding="utf-8") == "old"


def test_infinite_numbers_become_null(tmp_path: Path) -> None:
    """A loss that is not a number is written as null, since JSON has no such number."""
    result = empty_result(None)
    result["steps"] = [{"index": 0, "loss": float("nan")}, {"index": 1, "loss": float("-inf")}]
    path = write_result(str(tmp_path), result)
    written = json.loads(Path(path).read_text(encoding="utf-8"))
    assert [step["loss"] for step in written["steps"]] == [None, None]
