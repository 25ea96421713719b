"""The last part of `make locks`: downloads every wheel that a lock names and writes a digest of its list of files.

`python -m maintenance.lock_wheels` does this part alone, for the locks as they are.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from runner.catalogue.stacks import Installation, Stack, canonical_requirement, every_installation, load_stacks
from runner.engines.interpreters import find_interpreter
from runner.errors import HostError
from runner.matching import file_list, locked_wheels
from runner.matching.locked_wheels import LockedWheel
from runner.support.atomic import write_whole
from runner.support.data import read_toml
from runner.support.network import PackageIndex

# A package may have wheels for several versions of the C library. An installer takes the newest one that its host
# supports, so this is the newest version that uv supports: all of the wheels are then found.
NEWEST_PLATFORM = "x86_64-manylinux_2_40"


def main() -> None:
    """Write the list of wheels of every installation."""
    for stack, installation in every_locked():
        write_for(stack, installation)


def every_locked() -> list[tuple[Stack, Installation]]:
    """Every installation for every Python that it is locked for, with its stack for that Python."""
    stacks = load_stacks().values()
    return every_installation(stack.for_python(python) for stack in stacks for python in stack.pythons)


def write_for(stack: Stack, installation: Installation) -> None:
    """Download the wheels that one installation's lock names, and the installer's, and write the list of them."""
    print(f"reading the wheels of {stack.name}/{installation.name} for Python {stack.python}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        requirements = folder / "requirements.txt"
        requirements.write_text(installation.lock.read_text(encoding="utf-8") + installer_requirement(stack))
        fetch = _fetched_by_the_installer if stack.locked_by == "installer" else _named_by_the_resolver
        write_whole(installation.wheels, locked_wheels.write(fetch(stack, requirements, folder)))


def installer_requirement(stack: Stack) -> str:
    """The stack's pip as a line of a requirements file, with its hash."""
    return f"{stack.installer.requirement} --hash=sha256:{stack.installer.sha256}\n"


def make_installer(stack: Stack, folder: Path) -> Path:
    """Make an environment with the stack's own pip; return its Python."""
    python, pinned = folder / "environment" / "bin" / "python", folder / "installer.txt"
    pinned.write_text(installer_requirement(stack), encoding="utf-8")
    interpreter = find_interpreter([stack.python]).executable
    for command in (
        [str(interpreter), "-m", "venv", str(python.parent.parent)],
        [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(pinned)],
    ):
        subprocess.run(command, check=True, env=PackageIndex().environment())
    return python


def _fetched_by_the_installer(stack: Stack, requirements: Path, folder: Path) -> Iterator[LockedWheel]:
    """The one wheel of each requirement, downloaded by the stack's own pip, which checks its hash."""
    wheels = folder / "wheels"
    subprocess.run(
        [str(make_installer(stack, folder)), "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
         "--require-hashes", "--dest", str(wheels), "-r", str(requirements)],
        check=True, env=PackageIndex().environment(),
    )  # fmt: skip
    for wheel in wheels.glob("*.whl"):
        yield _described(wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())


def _named_by_the_resolver(stack: Stack, requirements: Path, folder: Path) -> Iterator[LockedWheel]:
    """Every wheel that an installer may take for the requirements, by the addresses that uv finds (PEP 751)."""
    listed = folder / "pylock.toml"
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-deps", "--python-version", stack.python,
         "--python-platform", NEWEST_PLATFORM, "--format", "pylock.toml", "--output-file", str(listed),
         str(requirements)],
        check=True,
    )  # fmt: skip
    locked = requirements.read_text(encoding="utf-8")
    # pylock.toml has another name for its version than `schema_version`, which `read_toml` requires.
    listed.write_text("schema_version = 1\n" + listed.read_text(encoding="utf-8"), encoding="utf-8")
    for package in read_toml(listed, 1)["packages"]:
        for wheel in package["wheels"]:
            if f"sha256:{wheel['hashes']['sha256']}" in locked:
                yield _at(wheel["url"], wheel["hashes"]["sha256"])


@cache
def _at(url: str, sha256: str) -> LockedWheel:
    """The wheel at an address. It is kept, because both installations of a stack share most of their wheels.

    Raises:
        HostError: the file at this address has another sha256.
    """
    with tempfile.TemporaryDirectory() as folder, urllib.request.urlopen(url) as answer:
        content = answer.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise HostError(f"The wheel at {url} is not the one that was locked: its sha256 is not {sha256}.")
        wheel = Path(folder) / unquote(PurePosixPath(urlsplit(url).path).name)
        wheel.write_bytes(content)
        return _described(wheel, sha256)


def _described(wheel: Path, sha256: str) -> LockedWheel:
    files = file_list.of_wheel(wheel)
    name, version, *_ = wheel.name.split("-")
    requirement = canonical_requirement(f"{name}=={version}")
    return LockedWheel(requirement, sha256, len(files), file_list.sha256_of(files))


if __name__ == "__main__":
    main()
