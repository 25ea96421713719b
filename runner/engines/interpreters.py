"""Finds a Python interpreter of a given version on this host: on PATH, through pyenv, through uv. Installs nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.errors import HostError

_PROBE = """
import json, platform, struct, sys
try:
    import ensurepip, venv
    can_make_environments = True
except ImportError:
    can_make_environments = False
print(json.dumps({
    "version": platform.python_version(), "executable": sys.executable, "bits": struct.calcsize("P") * 8,
    "machine": platform.machine(), "libc": platform.libc_ver()[0], "venv": can_make_environments,
    "implementation": platform.python_implementation(),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter that could be started: its path and its full version."""

    executable: Path
    version: str

    @property
    def python(self) -> str:
        """The version's first two numbers, as stacks.toml has them."""
        return ".".join(self.version.split(".")[:2])


def find_interpreter(pythons: Sequence[str], environment: Mapping[str, str] = os.environ) -> Interpreter:
    """Find a CPython of one of these versions (such as "3.11"): 64-bit x86, glibc, with the modules venv and ensurepip.

    The first version that is on this host is taken.

    Raises:
        HostError: there is none; the message says what was found instead and what to install.
    """
    refused: list[str] = []
    for wanted in pythons:
        for candidate in _candidates(wanted, environment):
            found = _ask(candidate)
            if found is None or not str(found["version"]).startswith(f"{wanted}."):
                continue
            reason = _unfit(found)
            if reason is None:
                return Interpreter(Path(str(found["executable"])), str(found["version"]))
            refused.append(f"{candidate} ({reason})")
    looked = f" Found but not suitable: {'; '.join(refused)}." if refused else ""
    first, names = pythons[0], " or ".join(f"python{wanted}" for wanted in pythons)
    raise HostError(
        f"This stack needs Python {' or '.join(pythons)}. No suitable one was found as {names} on PATH, in pyenv's "
        f"versions or in uv's.{looked} Install one in any of these ways and run the same command again: "
        f"`apt-get install python{first} python{first}-venv` (where the distribution has it), "
        f"`pyenv install {first}`, or `uv python install {first}`."
    )


def _candidates(wanted: str, environment: Mapping[str, str]) -> Iterator[Path]:
    if f"{sys.version_info[0]}.{sys.version_info[1]}" == wanted:
        yield Path(sys.executable)
    for name in (f"python{wanted}", "python3", "python"):
        on_path = shutil.which(name, path=environment.get("PATH"))
        if on_path:
            yield Path(on_path)
    home = Path(environment.get("HOME", "/nonexistent"))
    pyenv = Path(environment.get("PYENV_ROOT", home / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{wanted}.*/bin/python{wanted}"), reverse=True)
    data = Path(environment.get("XDG_DATA_HOME", home / ".local" / "share"))
    uv = Path(environment.get("UV_PYTHON_INSTALL_DIR", data / "uv" / "python"))
    yield from sorted(uv.glob(f"cpython-{wanted}.*/bin/python{wanted}"), reverse=True)


def _ask(candidate: Path) -> dict[str, object] | None:
    # A file on PATH proves nothing: pyenv has a shim for every version, and only that of the active one works.
    try:
        answer = subprocess.run(
            [str(candidate), "-I", "-c", _PROBE], capture_output=True, text=True, timeout=30, check=True
        )
        found = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _unfit(found: Mapping[str, object]) -> str | None:
    if found["implementation"] != "CPython":
        return f"it is {found['implementation']}; TensorFlow's wheels are for CPython"
    if found["bits"] != 64 or found["machine"] != "x86_64":
        return f"it is {found['bits']}-bit on {found['machine']}; TensorFlow's wheels are for 64-bit x86"
    if found["libc"] != "glibc":
        return "it is not linked with glibc (musl, as on Alpine?); TensorFlow's wheels need glibc"
    if not found["venv"]:
        return "its modules venv and ensurepip are missing; Debian and Ubuntu keep them in pythonX.Y-venv"
    return None
