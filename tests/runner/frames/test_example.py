"""The notebook example runs as it is printed, and without anything that could start a container."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import runner.frames

ROOT = Path(__file__).resolve().parents[3]
NO_ENGINE = """
import sys
loaded = [name for name in sys.modules if name.split(".")[0] == "docker" or name.startswith("runner.engines")]
assert not loaded, loaded
"""


def examples() -> dict[str, str]:
    """The example in the documentation of the room, and those in README."""
    printed = str(runner.frames.__doc__).partition("kit's folder:\n")[2].partition("\n`help(")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    of_readme = [block for block in blocks if "runner.frames" in block]
    return {"documentation": textwrap.dedent(printed), **{f"README {n}": each for n, each in enumerate(of_readme)}}


@pytest.mark.parametrize("name", examples())
def test_the_example_runs_as_it_is_printed(name: str) -> None:
    """A fresh interpreter that turns every warning into an error runs it."""
    code = examples()[name]
    assert "speedups(" in code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + NO_ENGINE], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "vgg16" in done.stdout
