"""Which Python the Makefile takes, on hosts with other ones than this."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Each stands for an interpreter of that version; what it is asked is answered by the one that runs the tests. It makes
# no environment.
SCRIPT = """#!/bin/sh
case $1 in
  --version) echo Python {major}.{minor}.0; exit ;;
  -m) exit 1 ;;
esac
exec {python} -c '
import sys
sys.version_info = ({major}, {minor}, 0)
for name in {missing}:
    sys.modules[name] = None
exec(sys.argv[1])
' "$2"
"""
SHIM = "#!/bin/sh\necho pyenv: python3.13: command not found >&2\nexit 127\n"
BROKEN = "#!/bin/sh\nexit 1\n"


def found(folder: Path, **interpreters: str) -> str:
    """What the Makefile's search prints where PATH has only these; empty if it finds none."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    match = re.search(r"^FIND_PYTHON := (.*?[^\\])\n", makefile, re.MULTILINE | re.DOTALL)
    assert match is not None
    search = match[1].replace("\\\n", "").replace("$$", "$")
    put(folder, interpreters)
    done = subprocess.run(["/bin/sh", "-c", search], env={"PATH": str(folder)}, capture_output=True, text=True)
    assert (done.returncode == 0) == bool(done.stdout)
    return done.stdout.strip()


def python(major: int, minor: int, missing: tuple[str, ...] = ()) -> str:
    """An interpreter of this version, without some modules."""
    names = json.dumps(missing)  # in double quotes: the shell's are single ones
    return SCRIPT.format(python=sys.executable, major=major, minor=minor, missing=names)


@pytest.mark.parametrize("minor", [10, 11, 12, 13])
def test_the_default_python_is_taken_where_it_is_supported(tmp_path: Path, minor: int) -> None:
    """python3 comes first, whatever else is there."""
    assert found(tmp_path, python3=python(3, minor), python3_13=python(3, 13)) == "python3"


UNUSABLE = {
    "too old": python(3, 9),
    "too new": python(3, 14),
    "a shim for nothing": SHIM,
    "broken": BROKEN,
    "without ensurepip": python(3, 12, ("ensurepip",)),
    "without venv": python(3, 12, ("venv",)),
}


@pytest.mark.parametrize("default", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_another_one_is_taken_where_the_default_cannot_be(tmp_path: Path, default: str) -> None:
    """python3 is too old, too new, a shim that runs nothing, or lacks what makes environments."""
    assert found(tmp_path, python3=default, python3_13=SHIM, python3_11=python(3, 11)) == "python3.11"


def test_the_newest_is_taken_where_there_is_no_default(tmp_path: Path) -> None:
    """Versions are compared by name. One without venv is passed over, and plain `python` comes last."""
    others = {"python3_11": python(3, 11), "python3_10": python(3, 10), "python": python(3, 13)}
    assert found(tmp_path, python3_12=python(3, 12), **others) == "python3.12"
    assert found(tmp_path, python3_12=python(3, 12, ("venv",)), **others) == "python3.11"


def test_plain_python_is_taken_where_there_is_no_other(tmp_path: Path) -> None:
    """An environment of conda is an example."""
    assert found(tmp_path, python3_12=BROKEN, python=python(3, 12)) == "python"


def test_none_is_taken_where_none_can_be(tmp_path: Path) -> None:
    assert found(tmp_path, python3=python(3, 9), python3_12=UNUSABLE["without venv"], python=python(2, 7)) == ""


def test_make_says_what_to_install_where_there_is_none(tmp_path: Path) -> None:
    """It names the versions, the modules and how to get them, and makes nothing."""
    done = make(tmp_path, python3=python(3, 9), python3_12=UNUSABLE["without ensurepip"])
    assert done.returncode == 2
    assert "no Python 3.10 to 3.13 with the modules venv and ensurepip was found" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr
    assert "setting up" not in done.stdout


def test_make_says_which_one_it_takes(tmp_path: Path) -> None:
    """The one that the search found, by its version; where that makes no environment, it is not the packages' fault."""
    done = make(tmp_path, python3=python(3, 14), python3_11=python(3, 11))
    assert "setting up environment with Python 3.11.0\n" in done.stdout
    assert done.returncode == 2
    assert "error: python3.11 could not make an environment in environment" in done.stderr
    assert "could not be installed" not in done.stderr


@pytest.mark.parametrize(("given", "is_measured"), [("COVERAGE=1", True), ("COVERAGE=", False)])
def test_coverage_is_measured_where_it_is_asked_for(given: str, is_measured: bool) -> None:
    """It takes time, and a floor for all tests is none for some of them."""
    done = subprocess.run(["make", "--dry-run", "test", given], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ("--cov" in done.stdout.split()) is is_measured


def make(folder: Path, **interpreters: str) -> subprocess.CompletedProcess[str]:
    """Ask make for an environment where PATH has only these interpreters."""
    put(folder, interpreters)
    return subprocess.run(
        ["make", "--file", str(ROOT / "Makefile"), "VENV=environment", "environment/compare.stamp"],
        cwd=folder, env={"PATH": f"{folder}:{tools(folder)}"}, capture_output=True, text=True,
    )  # fmt: skip


def put(folder: Path, interpreters: dict[str, str]) -> None:
    """Write each script under its name, with a dot for the underscore."""
    for name, script in interpreters.items():
        path = folder / name.replace("_", ".")
        path.write_text(script)
        path.chmod(0o755)


def tools(folder: Path) -> Path:
    """A folder with make, and with the lock that the target depends on."""
    made = folder / "tools"
    made.mkdir()
    make = subprocess.run(["/bin/sh", "-c", "command -v make"], check=True, capture_output=True, text=True).stdout
    (made / "make").symlink_to(make.strip())
    (folder / "runner" / "locks").mkdir(parents=True)
    (folder / "runner" / "locks" / "compare.txt").touch()
    return made
