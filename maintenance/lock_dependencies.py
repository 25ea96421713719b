"""`make locks`: writes every lock with hashes, for the runner itself and for each installation of each stack.

It needs uv, a package index, and an interpreter for each stack whose Python uv does not support any more. Both
installations of a stack come from the same shared requirements and one wheel, for the same Python and platform. Their
locks therefore differ in one requirement, or in the additions that one of them declares.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name

from maintenance import lock_wheels
from runner.catalogue.stacks import Installation, Stack
from runner.support.atomic import write_whole
from runner.support.network import PackageIndex

ROOT = Path(__file__).resolve().parent.parent
RUNNER_LOCKS = ROOT / "runner" / "locks"
# The oldest Python that the runner supports; markers in the lock cover the others.
OLDEST_PYTHON = "3.10"
_FLAGS = ("--quiet", "--generate-hashes", "--no-annotate", "--no-header")


def main() -> None:
    """Write all locks, and print the name of each."""
    lock_runner("compare", [])
    lock_runner("test", ["--extra", "test"])
    for stack, installation in lock_wheels.every_locked():
        lock_installation(stack, installation)
        lock_wheels.write_for(stack, installation)


def lock_runner(name: str, extras: list[str]) -> None:
    """Lock the runner's dependencies for all supported Pythons at once."""
    path = RUNNER_LOCKS / f"{name}.txt"
    path.parent.mkdir(exist_ok=True)
    target = ["--universal", "--python-version", OLDEST_PYTHON]
    _compile([str(ROOT / "pyproject.toml"), *extras, *target], path)


def lock_installation(stack: Stack, installation: Installation) -> None:
    """Lock one installation: the stack's shared requirements, its wheel and its additions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        requirements = folder / "requirements.in"
        wanted = [*stack.shared_requirements, *installation.additions, installation.wheel]
        requirements.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        if stack.locked_by == "installer":
            installation.lock.parent.mkdir(parents=True, exist_ok=True)
            write_whole(installation.lock, _hashes_of_what_the_installer_fetches(stack, requirements, folder))
            return
        target = ["--python-version", stack.python, "--python-platform", str(stack.lock_platform)]
        _compile([str(requirements), *target], installation.lock)


def _hashes_of_what_the_installer_fetches(stack: Stack, requirements: Path, folder: Path) -> str:
    """Lock a complete list of pinned requirements by fetching each wheel with the stack's own pip.

    This is for stacks whose Python is too old for the resolver, or whose wheels a newer pip refuses.
    """
    print(f"locking {stack.name} with {stack.installer.requirement}: {requirements.read_text().splitlines()[-1]}")
    wheels = folder / "wheels"
    subprocess.run(
        [str(lock_wheels.make_installer(stack, folder)), "-m", "pip", "download", "--quiet", "--no-deps",
         "--only-binary", ":all:", "--dest", str(wheels), "-r", str(requirements)],
        check=True, env=PackageIndex().environment(),  # an old pip does not read the system's CA bundle
    )  # fmt: skip
    hashes = {_project(wheel.name): hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels.glob("*.whl")}
    lines = sorted(requirements.read_text(encoding="utf-8").split())
    return "".join(f"{line} \\\n    --hash=sha256:{hashes[_project(line.split('==')[0])]}\n" for line in lines)


def _project(file_or_name: str) -> str:
    """A project's normalised name, from the file name of a wheel or from a requirement (PEP 503, PEP 427)."""
    return canonicalize_name(re.split(r"-\d", file_or_name)[0])


def _compile(arguments: list[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"locking {path.relative_to(ROOT)}")
    subprocess.run([sys.executable, "-m", "uv", "pip", "compile", *_FLAGS, *arguments, "--output-file", str(path)],
                   check=True)  # fmt: skip


if __name__ == "__main__":
    main()
