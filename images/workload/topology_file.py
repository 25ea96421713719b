"""Reads a user's own topology: one Python file that builds a network in the same way as the modules in topologies/.

The file defines IMAGE_SIZE, the height and width of the images, and add_layers(network, images), which adds layers to a
`workload.layers.Network` and returns (batch, features). The head is added as for every topology. Every error in the
file becomes a TopologyError with the file's own traceback. This module must not import TensorFlow or know training.
"""

import contextlib
import hashlib
import linecache
import os
import sys
import traceback
import types
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

from workload.layers import Network
from workload.topologies import Topology

# The name under which the file's module is loaded. It is not the file's own name, which may be that of another module.
MODULE_NAME = "own_topology"

Source = NamedTuple("Source", [("name", str), ("file_name", str), ("content", bytes), ("sha256", str)])


class TopologyError(Exception):
    """The file does not build a network. The message is one sentence; `frames` is the traceback inside of the file."""

    def __init__(self, message: str, cause_type: str = "TopologyError", frames: str = "") -> None:
        super().__init__(message)
        self.cause_type = cause_type
        self.frames = frames


def read_source(path: str) -> Source:
    """Read the file once, so that the content that is hashed is the content that is executed.

    Raises:
        TopologyError: the file cannot be read.
    """
    file_name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise TopologyError("cannot read the topology file {}: {}".format(path, error)) from error
    return Source(os.path.splitext(file_name)[0], file_name, content, hashlib.sha256(content).hexdigest())


def load_topology(source: Source) -> Topology:
    """Execute the file and return its topology.

    Raises:
        TopologyError: the file is not valid Python, raises an exception, or lacks IMAGE_SIZE or add_layers.
    """
    lines = source.content.decode("utf-8", "replace").splitlines(True)
    linecache.cache[source.file_name] = (len(source.content), None, lines, source.file_name)  # for its traceback
    module = types.ModuleType(MODULE_NAME)
    module.__file__ = source.file_name
    sys.modules[MODULE_NAME] = module
    with file_errors(source.file_name):
        exec(compile(source.content, source.file_name, "exec"), module.__dict__)
    return Topology(source.name, _image_size(source, module.__dict__), _checked(source, module.__dict__))


@contextlib.contextmanager
def file_errors(file_name: str) -> Iterator[None]:
    """Turn an exception during the building of a file's network into a TopologyError with the file's traceback."""
    try:
        yield
    except (TopologyError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file_name]
        where = ", line {}, in {}".format(own[-1].lineno, own[-1].name) if own else ""
        kind, words = type(error).__name__, (str(error).splitlines() or ["no message"])[0]
        raise TopologyError("{}{}: {}: {}".format(file_name, where, kind, words), kind, _text(own, error)) from error


def _text(own: List[traceback.FrameSummary], error: BaseException) -> str:
    head = ["Traceback (most recent call last):\n", *traceback.format_list(own)] if own else []
    return "".join(head + traceback.format_exception_only(type(error), error))


def _image_size(source: Source, names: Dict[str, Any]) -> int:
    size = names.get("IMAGE_SIZE")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise TopologyError(
            "{} must set IMAGE_SIZE, the images' height and width, to an integer of at least 1; found {!r}".format(
                source.file_name, size
            )
        )
    return size


def _checked(source: Source, names: Dict[str, Any]) -> Any:
    function = names.get("add_layers")
    if not callable(function):
        raise TopologyError(
            "{} must define a function add_layers(network, images) that returns (batch, features); found {!r}".format(
                source.file_name, function
            )
        )

    def add_layers(network: Network, images: Any) -> Any:
        features = function(network, images)
        fault = _fault(features, images)
        if fault is not None:
            raise TopologyError("{}, add_layers: {}".format(source.file_name, fault))
        return features

    return add_layers


def _fault(features: Any, images: Any) -> Optional[str]:
    """Return what is wrong with the return value of add_layers; None if the head can be added to it."""
    if not hasattr(features, "get_shape") or not hasattr(features, "op"):
        return "returned {!r}; a tensor of shape (batch, features) was expected".format(features)
    batch = images.get_shape().as_list()[0]
    shape = features.get_shape().as_list() if features.get_shape().ndims is not None else None
    if shape is None or len(shape) != 2 or shape[0] != batch or not shape[1]:
        return (
            "returned a tensor of shape {}; (batch, features), here ({}, any), was expected: "
            "end with network.flatten or network.global_average".format(
                "unknown" if shape is None else tuple(shape), batch
            )
        )
    if features.dtype.base_dtype.name != "float32":
        return "returned a tensor of {}; float32 was expected".format(features.dtype.base_dtype.name)
    return None
