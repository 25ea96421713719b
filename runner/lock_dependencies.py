"""`make locks`: writes every lock with hashes, for the runner itself and for each installation of each stack.

Needs uv and a package index. Both installations of a stack come from the same shared requirements plus one wheel, for
the same Python and platform, so that their locks differ in one requirement.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from runner.stacks import Installation, Stack, load_stacks

ROOT = Path(__file__).resolve().parent.parent
RUNNER_LOCKS = ROOT / "runner" / "locks"
# The oldest Python that the runner supports; markers in the lock cover the others.
OLDEST_PYTHON = "3.10"
_FLAGS = ("--quiet", "--generate-hashes", "--no-annotate", "--no-header")


def main() -> None:
    """Write all locks, telling which."""
    lock_runner("compare", [])
    lock_runner("test", ["--extra", "test"])
    for stack in load_stacks().values():
        for installation in stack.installations.values():
            lock_installation(stack, installation)


def lock_runner(name: str, extras: list[str]) -> None:
    """Lock the runner's dependencies for all supported Pythons at once."""
    path = RUNNER_LOCKS / f"{name}.txt"
    path.parent.mkdir(exist_ok=True)
    target = ["--universal", "--python-version", OLDEST_PYTHON]
    _compile([str(ROOT / "pyproject.toml"), *extras, *target], path)


def lock_installation(stack: Stack, installation: Installation) -> None:
    """Lock one installation: the stack's shared requirements and its wheel."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.in"
        requirements.write_text("\n".join([*stack.shared_requirements, installation.wheel]) + "\n", encoding="utf-8")
        target = ["--python-version", stack.python, "--python-platform", stack.lock_platform]
        _compile([str(requirements), *target], installation.lock)


def _compile(arguments: list[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"locking {path.relative_to(ROOT)}")
    subprocess.run([sys.executable, "-m", "uv", "pip", "compile", *_FLAGS, *arguments, "--output-file", str(path)],
                   check=True)  # fmt: skip


if __name__ == "__main__":
    main()
