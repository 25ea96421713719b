"""Which Python the Makefile takes, on hosts with other ones than this."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Each stands for an interpreter of that version; what it is asked is answered by the one that runs the tests.
SCRIPT = """#!/bin/sh
exec {python} -c '
import sys, types
sys.version_info = ({major}, {minor}, 0)
for name in {missing}:
    sys.modules[name] = None
exec(sys.argv[1])
' "$2"
"""
SHIM = "#!/bin/sh\necho pyenv: python3.13: command not found >&2\nexit 127\n"


def found(folder: Path, **interpreters: str) -> str:
    """What the Makefile's search prints where PATH has only these; empty if it finds none."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    match = re.search(r"^FIND_PYTHON := (.*?[^\\])\n", makefile, re.MULTILINE | re.DOTALL)
    assert match is not None
    search = match[1].replace("\\\n", "").replace("$$", "$")
    for name, script in interpreters.items():
        path = folder / name.replace("_", ".")
        path.write_text(script)
        path.chmod(0o755)
    done = subprocess.run(["/bin/sh", "-c", search], env={"PATH": str(folder)}, capture_output=True, text=True)
    assert (done.returncode == 0) == bool(done.stdout)
    return done.stdout.strip()


def python(major: int, minor: int, missing: tuple[str, ...] = ()) -> str:
    """An interpreter of this version, without some modules."""
    return SCRIPT.format(python=sys.executable, major=major, minor=minor, missing=missing)


@pytest.mark.parametrize("minor", [10, 11, 12, 13])
def test_the_default_python_is_taken_where_it_is_supported(tmp_path: Path, minor: int) -> None:
    """python3 comes first, whatever else is there."""
    assert found(tmp_path, python3=python(3, minor), python3_13=python(3, 13)) == "python3"


@pytest.mark.parametrize("default", [python(3, 9), python(3, 14), SHIM, python(3, 12, ("ensurepip",))])
def test_another_one_is_taken_where_the_default_cannot_be(tmp_path: Path, default: str) -> None:
    """Too old, too new, a shim for nothing, or one without what makes environments."""
    assert found(tmp_path, python3=default, python3_13=SHIM, python3_11=python(3, 11)) == "python3.11"


def test_none_is_taken_where_none_can_be(tmp_path: Path) -> None:
    """The target that asks then says what to install."""
    assert found(tmp_path, python3=python(3, 9), python=python(2, 7)) == ""
    done = subprocess.run(
        ["make", "--file", str(ROOT / "Makefile"), "VENV=environment", "environment/compare.stamp"],
        cwd=tmp_path, env={"PATH": f"{tmp_path}:{tools(tmp_path)}"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert "no Python 3.10 to 3.13" in done.stderr + done.stdout


def tools(folder: Path) -> Path:
    """A folder with make, and with the lock that the target depends on."""
    made = folder / "tools"
    made.mkdir()
    make = subprocess.run(["/bin/sh", "-c", "command -v make"], check=True, capture_output=True, text=True).stdout
    (made / "make").symlink_to(make.strip())
    (folder / "runner" / "locks").mkdir(parents=True)
    (folder / "runner" / "locks" / "compare.txt").touch()
    return made
