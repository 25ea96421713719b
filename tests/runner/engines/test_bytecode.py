"""Byte-code against what its source compiles to, by the Python that runs the tests."""

from __future__ import annotations

import ast
import json
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.engines import bytecode
from tests.conftest import StackPython

MODES = [py_compile.PycInvalidationMode.CHECKED_HASH, py_compile.PycInvalidationMode.UNCHECKED_HASH,
         py_compile.PycInvalidationMode.TIMESTAMP]  # fmt: skip
SOURCE = "def f(x):\n    return x in {1, 2.0, 'a'} or 1e999 - 1e999\n\nclass A:\n    b = (f, None, ...)\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A module."""
    path = tmp_path / "package" / "module.py"
    path.parent.mkdir()
    path.write_text(SOURCE)
    return path


def compiled(source: Path, mode: py_compile.PycInvalidationMode) -> Path:
    """Its byte-code."""
    return Path(py_compile.compile(str(source), invalidation_mode=mode, doraise=True) or "")


def checked(folder: Path, python: str = sys.executable) -> list[str]:
    """What the script prints, run as in an image: isolated, from text, without site-packages."""
    script = Path(bytecode.__file__).read_text(encoding="utf-8")
    command = [python, "-I", "-S", "-B", "-c", script, str(folder)]
    printed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert printed["checked"] == 1
    return [str(path) for path in printed["wrong"]]


@pytest.mark.parametrize("mode", MODES)
def test_honest_byte_code_is_its_sources_whatever_its_header(
    source: Path, mode: py_compile.PycInvalidationMode
) -> None:
    """It may also hold constants that are not equal to themselves."""
    compiled(source, mode)
    assert checked(source.parent) == []


@pytest.mark.parametrize("mode", MODES)
def test_code_of_another_source_is_found_under_an_honest_header(
    source: Path, mode: py_compile.PycInvalidationMode
) -> None:
    """The header holds the source's hash, or its time and size, and says nothing of the code behind it."""
    honest = compiled(source, mode)
    header = honest.read_bytes()[: bytecode.HEADER_BYTES]
    other = source.with_name("other.py")
    other.write_text(SOURCE.replace("2.0", "3.0"))
    forged = compiled(other, mode)
    honest.write_bytes(header + forged.read_bytes()[bytecode.HEADER_BYTES :])
    forged.unlink()
    assert checked(source.parent) == [str(honest)]
    imported = subprocess.check_output([sys.executable, "-c", "import module; print(module.f(3.0))"], cwd=source.parent)
    assert imported == b"True\n", "the interpreter itself reads it"


def test_byte_code_that_no_source_or_no_code_stands_behind_is_found(source: Path) -> None:
    """The source was removed, or Python would import the file without a source, or the file cannot be read."""
    honest = compiled(source, MODES[0])
    honest.write_bytes(honest.read_bytes()[: bytecode.HEADER_BYTES] + b"nonsense")
    assert checked(source.parent) == [str(honest)]
    compiled(source, MODES[0])
    source.unlink()
    assert checked(source.parent) == [str(honest)]
    shutil.move(honest, source.with_suffix(".pyc"))
    assert checked(source.parent) == [str(source.with_suffix(".pyc"))]


def test_byte_code_of_another_python_is_not_read(source: Path) -> None:
    """Its first bytes tell the interpreter to compile the source anew."""
    honest = compiled(source, MODES[0])
    honest.write_bytes(b"\0\0\r\n" + honest.read_bytes()[4:])
    assert checked(source.parent) == []


def test_the_script_is_for_the_oldest_python_of_an_image() -> None:
    """tf-1.12 has Python 3.6, which must parse the script and evaluate its annotations."""
    tree = ast.parse(Path(bytecode.__file__).read_text(encoding="utf-8"), feature_version=(3, 6))
    builtin_names = {"list", "dict", "tuple", "set", "frozenset", "type"}
    annotations = [
        annotation
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
    ]
    assert annotations
    for part in (part for annotation in annotations for part in ast.walk(annotation)):
        assert not isinstance(part, ast.BinOp), f"line {part.lineno}: no | in an annotation before 3.10"
        if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name):
            assert part.value.id not in builtin_names, f"line {part.lineno}: no subscripted builtin before 3.9"


@pytest.mark.tensorflow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stack", ["tf-1.12", "tf-1.15"])
def test_the_old_interpreters_run_it(source: Path, stack: str, stack_python: StackPython) -> None:
    """Honest byte-code of their own passes, and code of another source is found."""
    python = stack_python("stock", stack)
    for text, wrong in ((SOURCE, 0), (SOURCE.replace("2.0", "3.0"), 1)):
        source.write_text(text)
        subprocess.run([python, "-m", "py_compile", str(source)], check=True)
        source.write_text(SOURCE)
        assert len(checked(source.parent, python)) == wrong
