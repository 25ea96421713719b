"""Makes a stack's virtual environments from its package locks, once, in a cache folder. Knows nothing of launches.

An environment is complete when its `complete.json` exists, which is written last. A folder without that file is left
from an interrupted installation and is removed. A lock file beside the folder keeps two runs from making the same
environment at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Installation, Stack
from runner.engines.debian_package import libraries_of, libraries_provenance
from runner.engines.interpreters import Interpreter, find_interpreter
from runner.engines.protocol import Artifact, Notify
from runner.errors import DiskError, HostError
from runner.support import disk
from runner.support.atomic import write_whole
from runner.support.network import PackageIndex, redact

MARKER = "complete.json"
INSTALLER = "installer.txt"
# The files that the kit itself keeps in an environment.
NOTES = frozenset({MARKER, INSTALLER})


@dataclass(frozen=True)
class EnvironmentCache:
    """A folder of environments, and the package index that their packages come from."""

    root: Path
    index: PackageIndex

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Find the environment of an installation, or make it.

        Raises:
            HostError: there is no interpreter, no network or no room on the disk, or a wheel does not install.
        """
        interpreter = find_interpreter(stack.pythons)
        stack, installation = _for_interpreter(stack, installation, interpreter)
        folder = self.root / environment_name(stack, installation, interpreter)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with _environment_lock(folder.with_name(f"{folder.name}.lock"), notify) as lock:
                if not (folder / MARKER).exists():
                    self._make(folder, stack, installation, interpreter, notify, lock)
                provenance = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        except OSError as error:
            raise DiskError(
                f"The environment {folder} cannot be made or read: {error}. Free some room or permissions there, or "
                "name another cache folder with KIT_CACHE."
            ) from error
        return Artifact(installation, str(folder), provenance)

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The environment of an installation, if it is complete; else None. Nothing is made."""
        try:
            interpreter = _interpreter(stack.pythons)
            stack, installation = _for_interpreter(stack, installation, interpreter)
            folder = self.root / environment_name(stack, installation, interpreter)
            return Artifact(installation, str(folder), json.loads((folder / MARKER).read_text(encoding="utf-8")))
        except (HostError, OSError):
            return None

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """The bytes that making the missing environments takes, by folder, with what pip unpacks and caches."""
        missing = [stack for stack, installation in wanted if self.find(stack, installation) is None]
        fetched = sum(stack.disk.download_bytes for stack in missing)
        needs = defaultdict[Path, int](int, {self.root: sum(stack.disk.environment_bytes for stack in missing)})
        needs[disk.temporary_folder()] += fetched
        needs[pip_cache(self.index.base_environment)] += fetched
        return needs

    def location(self, stack: Stack, installation: Installation) -> str:
        """The folder of an installation's environment. Without its interpreter here, the name lacks the hash."""
        try:
            interpreter = _interpreter(stack.pythons)
            name = environment_name(*_for_interpreter(stack, installation, interpreter), interpreter)
        except HostError:
            name = f"{stack.name}-{installation.name}"
        return str(self.root / name)

    def _make(
        self,
        folder: Path,
        stack: Stack,
        installation: Installation,
        interpreter: Interpreter,
        notify: Notify,
        lock: int,
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        notify(f"making the environment {stack.name}/{installation.name} with Python {interpreter.version}")
        log = folder.with_name(f"{folder.name}.log")
        log.unlink(missing_ok=True)
        try:
            run_logged([str(interpreter.executable), "-m", "venv", str(folder)], self.index, log, lock)
            requirement = folder / INSTALLER
            requirement.write_text(f"{stack.installer.requirement} --hash=sha256:{stack.installer.sha256}\n")
            self._pip(folder, ["--upgrade", "-r", str(requirement)], log, lock)
            notify(f"installing {installation.wheel} and its locked dependencies")
            self._pip(folder, ["-r", str(installation.lock)], log, lock)
            site = folder / "lib" / f"python{interpreter.python}" / "site-packages"
            for place, content in libraries_of(installation, self.index, self.root, notify).items():
                write_whole(site / place, content)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        provenance = _provenance(installation, interpreter, self.index, stack)
        os.sync()  # otherwise, after a power failure, the marker could exist while files of the environment do not
        write_whole(folder / MARKER, json.dumps(provenance, indent=1, sort_keys=True) + "\n")

    def _pip(self, folder: Path, arguments: list[str], log: Path, lock: int) -> None:
        # --no-compile: the first import compiles the modules that are really used, a tenth of what is in these wheels.
        flags = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile", "--no-input",
                 "--disable-pip-version-check"]  # fmt: skip
        python = str(folder / "bin" / "python")
        run_logged([python, "-I", "-m", "pip", "install", *flags, *arguments],
                   self.index, log, lock)  # fmt: skip


def environment_name(stack: Stack, installation: Installation, interpreter: Interpreter) -> str:
    """A folder name that changes with the package lock, the installer, and the interpreter's version and path."""
    inputs = (installation.lock_sha256(), stack.installer.sha256, interpreter.version, str(interpreter.executable))
    digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()
    return f"{stack.name}-{installation.name}-{digest[:12]}"


def run_logged(command: list[str], index: PackageIndex, log: Path, lock: int) -> None:
    """Run a step of an installation. Its output is appended to `log`.

    The step inherits `lock`, the descriptor of the environment's lock file. If the runner is killed, the step goes on
    writing, and the lock stays held until the step has ended.

    Raises:
        HostError: the step failed; the message ends with the last lines it printed, without secrets.
    """
    with log.open("ab") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=index.environment(),
            pass_fds=(lock,),
        )  # fmt: skip
    if done.returncode == 0:
        return
    text = index.redact(log.read_text(encoding="utf-8", errors="replace"))
    raise HostError(explain_failure(command, done.returncode, text, log))


def explain_failure(command: list[str], exit_code: int, text: str, log: Path) -> str:
    """One paragraph on a failed installation step: the likely cause, what to do, and the last lines that it printed."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("WARNING: Location")]
    last = " / ".join(line.strip() for line in lines[-4:])
    advice = "Read the whole log and try again."
    for sign, hint in _SIGNS.items():
        if sign in text:
            advice = hint
            break
    step = "pip install" if "pip" in command else "python -m venv"
    return f"{step} ended with exit code {exit_code}. {advice} Its last lines: {last} (all of them: {log})"


# What pip prints, and the advice that fits. The first text that is found counts.
_SIGNS: Mapping[str, str] = {
    "No space left on device": "The disk is full: free some room or name another cache folder with KIT_CACHE.",
    "THESE PACKAGES DO NOT MATCH THE HASHES": (
        "A package is not the one that was locked: the index serves another file, or something between here and the "
        "index changes it. Nothing was installed."
    ),
    "CERTIFICATE_VERIFY_FAILED": (
        "The index's TLS certificate is not trusted here. Behind an intercepting proxy, name the CA bundle with "
        "--ca-bundle FILE or SSL_CERT_FILE."
    ),
    "Failed to establish a new connection": (
        "The package index cannot be reached. Check the network and HTTPS_PROXY, or name a reachable index with "
        "--pip-index URL."
    ),
    "Name or service not known": (
        "The package index's host name is unknown here. Check the network, or name a reachable index with "
        "--pip-index URL."
    ),
    "Could not find a version": (
        "The index lacks a locked version. If it is a mirror, let it sync, or name another with --pip-index URL."
    ),
}


def pip_cache(environment: Mapping[str, str]) -> Path:
    """The folder in which pip caches downloads (https://pip.pypa.io/en/stable/topics/caching, on Linux)."""
    # os.path.expanduser, because Path.home() raises an exception where there is no home folder.
    caches = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(environment.get("PIP_CACHE_DIR") or Path(caches) / "pip")


def _provenance(
    installation: Installation, interpreter: Interpreter, index: PackageIndex, stack: Stack
) -> dict[str, Any]:
    return {
        "wheel": installation.wheel,
        "lock_sha256": installation.lock_sha256(),
        "installer": stack.installer.requirement,
        "interpreter": str(interpreter.executable),
        "python": interpreter.version,
        **libraries_provenance(installation),
        "package_index": redact(index.environment().get("PIP_INDEX_URL", "")) or None,
        "ca_bundle": index.ca_bundle_sha256(),
    }


@cache
def _interpreter(pythons: tuple[str, ...]) -> Interpreter:
    return find_interpreter(pythons)


def _for_interpreter(stack: Stack, installation: Installation, interpreter: Interpreter) -> tuple[Stack, Installation]:
    """The stack and its installation, with the lock for the interpreter's Python."""
    stack = stack.for_python(interpreter.python)
    return stack, stack.installations[installation.name]


@contextmanager
def _environment_lock(path: Path, notify: Notify) -> Iterator[int]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            notify("waiting: another run is making this environment")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def default_cache() -> Path:
    """The folder in which environments are kept: KIT_CACHE, else a folder in the user's cache folder (XDG)."""
    if "KIT_CACHE" in os.environ:
        return Path(os.environ["KIT_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "tensorflow-speedup-kit"
