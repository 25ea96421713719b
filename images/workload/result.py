"""The result of a launch: its keys with their empty values, the kinds of error, and the atomic write.

It must not import TensorFlow, so that errors are recognised by the names of their classes and by their messages.
"""

import json
import os
import tempfile
import traceback
from typing import Any, Dict, List

from workload.job import InvalidJobError
from workload.stepping import NonFiniteLossError, TimeLimitError
from workload.topology_file import TopologyError
from workload.turns import TurnError

SCHEMA_VERSION = 2
FILE_NAME = "result.json"

# Parts of the messages of builds that have no kernel for a layout, for instance "Conv2DCustomBackpropInputOp only
# supports NHWC" or "The Conv2D op currently only supports the NHWC tensor format on the CPU".
_LAYOUT_PHRASES = (
    "only supports nhwc",
    "only supports the nhwc",
    "supports only nhwc",
    "nhwc tensor format on the cpu",
)
_MEMORY_PHRASES = ("bad_alloc", "oom when allocating", "cannot allocate memory", "unable to allocate")


def empty_result(content: Any) -> Dict[str, Any]:
    """Return a result with every key. Values are None or empty until they are known. `content` is the decoded job."""
    job = content if isinstance(content, dict) else {}
    return {
        "schema_version": SCHEMA_VERSION,
        "launch_id": job.get("launch_id"),
        "kind": job.get("kind"),
        "status": "ok",
        "error": None,
        "stopped_by": None,
        "steps": [],
        "bursts": [],
        "gemm": [],
        "description": None,
        "cpu": None,
        "trace": [],
        "traced_step_seconds": None,
        "fingerprint": [],
        "seconds": {"import": None, "graph_build": None, "initialise": None, "first_step": None},
        "peak_memory_bytes": None,
        "versions": {"workload": None, "python": None, "tensorflow": None, "numpy": None},
        "mkl_enabled": None,
        "parameters": None,
        "training_flops_per_step": None,
        "observed": None,
        "evidence": None,
        "workload_sha256": None,
        "topology_sha256": None,
        "graph_sha256": None,
        "graph_imported": None,
    }


def error_kind(error: BaseException) -> str:
    """Return the kind of an error. An error that is not recognised is a "framework_error"."""
    if isinstance(error, InvalidJobError):
        return "invalid_job"
    if isinstance(error, NonFiniteLossError):
        return "non_finite_loss"
    if isinstance(error, TimeLimitError):
        return "time_limit"
    if isinstance(error, TopologyError):
        return "topology_error"
    if isinstance(error, TurnError):
        return "turn_error"
    message = error_message(error).lower()
    if _is_out_of_memory(error, message):
        return "out_of_memory"
    if any(phrase in message for phrase in _LAYOUT_PHRASES):
        return "unsupported_layout"
    return "framework_error"


def _is_out_of_memory(error: BaseException, message: str) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return True
    return any(phrase in message for phrase in _MEMORY_PHRASES)


def error_message(error: BaseException) -> str:
    """Return the whole message. TensorFlow's errors have it in `message`, without the text that str() adds."""
    message = getattr(error, "message", None)
    return message if isinstance(message, str) else str(error)


def describe_error(error: BaseException) -> Dict[str, str]:
    """Return the content of "error" in a result. For an error of a user's file, it has the file's traceback only."""
    if isinstance(error, TopologyError):
        frames = error.frames or str(error)
        return {"kind": error_kind(error), "type": error.cause_type, "message": str(error), "traceback": frames}
    lines: List[str] = traceback.format_exception(type(error), error, error.__traceback__)
    return {
        "kind": error_kind(error),
        "type": type(error).__name__,
        "message": error_message(error),
        "traceback": "".join(lines),
    }


def write_result(folder: str, result: Dict[str, Any]) -> str:
    """Write the result, so that a reader finds either nothing or the whole file. Return the file's path.

    Numbers that JSON cannot hold (infinity, not a number) become null.

    Raises:
        OSError: the folder is missing, full or not writable.
    """
    text = json.dumps(_finite(result), indent=1, sort_keys=False, allow_nan=False)
    path = os.path.join(folder, FILE_NAME)
    descriptor, temporary_path = tempfile.mkstemp(dir=folder, prefix=FILE_NAME + ".")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary_path, 0o644)  # with mkstemp's 0600, the user who started the container could not read it
        os.replace(temporary_path, path)
    except BaseException:
        _remove_if_there(temporary_path)
        raise
    return path


def _remove_if_there(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
