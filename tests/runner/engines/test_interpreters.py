"""Finding an interpreter: candidates have to prove themselves by running."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.engines.interpreters import find_interpreter
from runner.errors import HostError

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
ABSENT = "3.99"


def fake_python(path: Path, **answer: object) -> Path:
    """A program that answers the probe as a Python with these properties would."""
    told = {
        "version": f"{ABSENT}.1", "executable": str(path), "bits": 64, "machine": "x86_64", "libc": "glibc",
        "venv": True, "implementation": "CPython", **answer,
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\nimport json\nprint(json.dumps({told!r}))\n")
    path.chmod(0o755)
    return path


def test_the_running_python_is_found() -> None:
    assert find_interpreter([RUNNING], {"PATH": "/nonexistent"}).version.startswith(RUNNING)


def test_the_first_python_that_is_there_is_taken(tmp_path: Path) -> None:
    python = fake_python(tmp_path / f"python{ABSENT}")
    environment = {"PATH": str(tmp_path)}
    assert find_interpreter(["3.98", ABSENT, RUNNING], environment).executable == python
    found = find_interpreter([RUNNING, ABSENT], environment)
    assert (found.executable, found.python) == (Path(sys.executable), RUNNING)


@pytest.mark.parametrize(
    ("place", "variable"),
    [
        ("bin/python3.99", "PATH"),
        ("versions/3.99.1/bin/python3.99", "PYENV_ROOT"),
        ("cpython-3.99.1-linux-x86_64-gnu/bin/python3.99", "UV_PYTHON_INSTALL_DIR"),
    ],
)
def test_path_pyenv_and_uv_are_searched(tmp_path: Path, place: str, variable: str) -> None:
    python = fake_python(tmp_path / place)
    folder = tmp_path / "bin" if variable == "PATH" else tmp_path
    assert find_interpreter([ABSENT], {"PATH": "/nonexistent", variable: str(folder)}).executable == python


def test_a_shim_that_does_not_answer_is_passed_over(tmp_path: Path) -> None:
    """A file of the right name that fails to run, as pyenv's shims do, does not end the search."""
    shim = tmp_path / "bin" / "python3.99"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    python = fake_python(tmp_path / "versions" / "3.99.2" / "bin" / "python3.99")
    found = find_interpreter([ABSENT], {"PATH": str(shim.parent), "PYENV_ROOT": str(tmp_path)})
    assert found.executable == python


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"libc": ""}, "musl"),
        ({"bits": 32}, "32-bit"),
        ({"machine": "aarch64"}, "aarch64"),
        ({"venv": False}, "pythonX.Y-venv"),
        ({"implementation": "PyPy"}, "PyPy"),
    ],
)
def test_an_interpreter_that_does_not_fit_is_named_with_the_reason(
    tmp_path: Path, answer: dict[str, object], words: str
) -> None:
    fake_python(tmp_path / "bin" / "python3.99", **answer)
    with pytest.raises(HostError, match=words):
        find_interpreter([ABSENT], {"PATH": str(tmp_path / "bin")})


def test_all_pythons_that_would_do_are_named() -> None:
    with pytest.raises(HostError, match=r"needs Python 3\.99 or 3\.98\..*as python3\.99 or python3\.98"):
        find_interpreter([ABSENT, "3.98"], {"PATH": "/nonexistent", "HOME": "/nonexistent"})


def test_no_interpreter_is_told_with_three_ways_to_install_one() -> None:
    with pytest.raises(HostError, match=r"apt-get install python3\.99.*pyenv install 3\.99.*uv python install 3\.99"):
        find_interpreter([ABSENT], {"PATH": "/nonexistent", "HOME": "/nonexistent"})
