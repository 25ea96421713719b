"""A user's own topology file as far as it goes without TensorFlow: what is refused, and how it is told."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from workload.result import describe_error
from workload.topologies import Topology
from workload.topology_file import TopologyError, file_errors, load_topology, read_source


def load(folder: Path, text: str) -> Topology:
    """Load a file of that text."""
    (folder / "my_net.py").write_text(text, encoding="utf-8")
    return load_topology(read_source(str(folder / "my_net.py")))


def refused(folder: Path, text: str) -> dict[str, str]:
    """Why a file of that text is refused, as a result tells it."""
    with pytest.raises(TopologyError) as raised:
        load(folder, text)
    return describe_error(raised.value)


def test_a_file_gives_its_topology(tmp_path: Path) -> None:
    """The stem is the name, IMAGE_SIZE the size; the hash is of the bytes that were run."""
    topology = load(tmp_path, "IMAGE_SIZE = 64\ndef add_layers(network, images):\n    return images\n")
    assert (topology.name, topology.image_size) == ("my_net", 64)
    source = read_source(str(tmp_path / "my_net.py"))
    assert source.sha256 == hashlib.sha256((tmp_path / "my_net.py").read_bytes()).hexdigest()


def test_loading_leaves_nothing_in_the_folder(tmp_path: Path) -> None:
    """The job's folder is read-only in a container, so no byte-code is written there."""
    load(tmp_path, "IMAGE_SIZE = 64\ndef add_layers(network, images):\n    return images\n")
    assert [path.name for path in tmp_path.iterdir()] == ["my_net.py"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must set IMAGE_SIZE"),
        ("IMAGE_SIZE = True", "must set IMAGE_SIZE"),
        ("IMAGE_SIZE = 0", "found 0"),
        ("IMAGE_SIZE = 64", "must define a function add_layers"),
        ("IMAGE_SIZE = 64\nadd_layers = 3", "found 3"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, text: str, words: str) -> None:
    error = refused(tmp_path, text)
    assert error["kind"] == "topology_error"
    assert words in error["message"]


def test_a_syntax_error_shows_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "IMAGE_SIZE = 64\ndef add_layers(network, images)\n    return images\n")
    assert error["type"] == "SyntaxError"
    assert "my_net.py" in error["message"]
    assert "def add_layers(network, images)" in error["traceback"]


def test_an_exception_has_the_files_own_traceback_and_nothing_of_the_kits(tmp_path: Path) -> None:
    """File, line, function and source of every frame in the file; none of the frames around them."""
    error = refused(tmp_path, "def size():\n    return 1 // 0\nIMAGE_SIZE = size()\n")
    assert error["message"] == "my_net.py, line 2, in size: ZeroDivisionError: integer division or modulo by zero"
    assert "return 1 // 0" in error["traceback"]
    assert error["traceback"].count('File "') == error["traceback"].count('File "my_net.py"') == 2


def test_a_file_that_ends_the_process_is_an_error(tmp_path: Path) -> None:
    """sys.exit in the file is not the end of the launch."""
    assert refused(tmp_path, "raise SystemExit(0)")["type"] == "SystemExit"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"absent\.py"):
        read_source(str(tmp_path / "absent.py"))


def test_memory_that_runs_out_is_not_the_files_fault() -> None:
    """It stays what it is, so that a cell is called out of memory."""
    with pytest.raises(MemoryError), file_errors("my_net.py"):
        raise MemoryError


class Tensor:
    """As much of a tensor as is looked at."""

    def __init__(self, shape: list[int | None] | None, dtype: str = "float32") -> None:
        self.op = object()
        self.dtype = type("Type", (), {"base_dtype": type("Base", (), {"name": dtype})})
        self.shape = shape

    def get_shape(self) -> Any:
        """The shape, known or not."""
        shape = self.shape
        return type("Shape", (), {"ndims": None if shape is None else len(shape), "as_list": lambda self: shape})()


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (None, "returned None"),
        (Tensor([4, 7, 7, 512]), r"shape \(4, 7, 7, 512\); \(batch, features\), here \(4, any\)"),
        (Tensor([2, 512]), "shape"),
        (Tensor([4, None]), "shape"),
        (Tensor(None), "shape unknown"),
        (Tensor([4, 512], "float64"), "float64; float32 was expected"),
    ],
)
def test_features_that_the_head_cannot_stand_on_are_refused(tmp_path: Path, features: Any, words: str) -> None:
    """Not a tensor, not (batch, features), or of another type: the message says what was expected."""
    topology = load(tmp_path, "IMAGE_SIZE = 64\ndef add_layers(network, images):\n    return network\n")
    with pytest.raises(TopologyError, match=words):
        topology.add_layers(features, Tensor([4, 64, 64, 3]))
    assert topology.add_layers(Tensor([4, 512]), Tensor([4, 64, 64, 3]))  # type: ignore[arg-type]
