"""The venv engine: a launch is a process of a locked virtual environment, pinned by CPU affinity.

It is used where no Docker engine answers. It runs the same workload from the same locks, and lists the conditions that
it cannot enforce on a plain process.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from runner.catalogue.stacks import WORKLOAD, Installation, Stack, find_stack
from runner.engines import pinned_exec
from runner.engines.environments import NOTES, EnvironmentCache
from runner.engines.interpreters import find_interpreter
from runner.engines.protocol import Artifact, LaunchFolders, Notify, Outcome, preloading
from runner.engines.sleeping import wait_asleep
from runner.errors import DiskError, HostError
from runner.host.pin import Pin
from runner.matching.snapshot import Snapshot, of_folder
from runner.planning.job import JOB_FILE
from runner.vocabulary import EngineName, Launch, runs_containers

# The variables that a process needs to start. All other variables that it gets are in the plan.
PROCESS_PATH = "/usr/bin:/bin"


class VenvEngine:
    """Runs launches as processes of this host; those of a block at the same time (`together.py`)."""

    name: EngineName = "venv"
    is_contained = runs_containers(name)
    cannot_enforce = ("memory nodes", "memory limit", "CPU quota", "no network", "read-only file system")

    prepares_in_parallel = True

    def __init__(self, cache: EnvironmentCache) -> None:
        self._cache = cache
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Check that each stack's interpreter is on this host.

        Raises:
            HostError: an interpreter is missing; the message says how to install it.
        """
        for stack in stacks:
            find_interpreter(stack.pythons)

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """The bytes that the missing environments will take, and what pip downloads for them, by folder."""
        return self._cache.room(wanted)

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Make the installation's environment in the cache, or find it there."""
        return self._cache.prepare(stack, installation, notify)

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The installation's environment, if it is complete in the cache; else None."""
        return self._cache.find(stack, installation)

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Start the workload in a session of its own and wait for its end or the deadline.

        Then its whole process group is killed.

        Raises:
            HostError: the process could not be started.
        """
        kills_before = _oom_kills()
        started = time.monotonic()
        with _open_log(folders.log) as log:
            process = _start(_arguments(pin, artifact, folders), _environment(launch, folders), folders.result, log)
            self._processes[folders.result] = process
            try:
                exit_code, late = wait_asleep(process, deadline_seconds), False
            except subprocess.TimeoutExpired:
                exit_code, late = _kill_group(process), True
            except BaseException:
                _kill_group(process)
                raise
            finally:
                del self._processes[folders.result]
            _kill_group(process)  # a process that it left in the background would run beside the next launch
        return Outcome(
            exit_code=exit_code,
            seconds=time.monotonic() - started,
            stopped_by_deadline=late,
            out_of_memory=not late and was_out_of_memory(exit_code, kills_before, _oom_kills()),
        )

    def stop(self, launch: Launch, folders: LaunchFolders) -> None:
        """Kill the launch's process group."""
        process = self._processes.get(folders.result)
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def process_of(self, launch: Launch, folders: LaunchFolders) -> int | None:
        """The launch's own process."""
        process = self._processes.get(folders.result)
        return None if process is None else process.pid

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """The shell command of the same launch."""
        environment = [f"{key}={value}" for key, value in _environment(launch, folders).items()]
        stack = find_stack(launch.cell.stack)
        python = f"{self._cache.location(stack, stack.installations[launch.installation])}/bin/python"
        pinned = ["taskset", "--cpu-list", pin.cpu_list, python]
        return " ".join([shlex.join(["env", "-i", *environment]), *pinned, shlex.join(_workload_arguments(folders))])

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Hash the environment's files, except byte-code and the files that the kit itself keeps in it."""
        return of_folder(Path(artifact.location), NOTES)

    def wrong_bytecode(self, artifact: Artifact) -> tuple[str, ...]:
        """Remove all byte-code of the environment and the workload; the next launch compiles it from the sources."""
        left = []
        for root in (Path(artifact.location), WORKLOAD):
            for folder in [*root.rglob("__pycache__")]:
                shutil.rmtree(folder, ignore_errors=True)
                left += [str(path) for path in folder.glob("*.pyc")]
        return tuple(left)

    def remove_leftovers(self) -> None:
        """Nothing to do: the kernel kills a launch with the runner that started it (see pinned_exec)."""

    def cleanup(self, run_id: str) -> None:
        """Nothing to do: the kernel kills a launch with the runner that started it (see pinned_exec)."""


def was_out_of_memory(exit_code: int, kills_before: int | None, kills_after: int | None) -> bool:
    """Whether a launch that ended with this exit code was killed by the kernel's out-of-memory killer.

    It is inferred from the counter `oom_kill` in /proc/vmstat before and after the launch. The counter is of the whole
    host: on a busy host the killed process may have been another one.
    """
    if exit_code != -signal.SIGKILL or kills_before is None or kills_after is None:
        return False
    return kills_after > kills_before


def _open_log(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise DiskError(
            f"The log {path} of a launch cannot be written: {error}. Free some room or permissions there, then go on "
            "with --resume; every finished launch is kept."
        ) from error


def _start(arguments: list[str], environment: dict[str, str], folder: Path, log: BinaryIO) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            arguments, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise HostError(
            f"A launch could not be started: {error}. Run `python -m runner build` and try again."
        ) from error


def _arguments(pin: Pin, artifact: Artifact, folders: LaunchFolders) -> list[str]:
    become = [sys.executable, "-I", "-S", str(Path(pinned_exec.__file__).resolve())]
    pinning = [str(os.getpid()), ",".join(str(cpu) for cpu in pin.cpus)]
    return [*become, *pinning, f"{artifact.location}/bin/python", *_workload_arguments(folders)]


def _workload_arguments(folders: LaunchFolders) -> list[str]:
    job = folders.job / JOB_FILE
    turns = [] if folders.turns is None else ["--turns-dir", str(folders.turns.resolve())]
    return [str(WORKLOAD), "--job", str(job.resolve()), "--result-dir", str(folders.result.resolve()), *turns]


def _environment(launch: Launch, folders: LaunchFolders) -> dict[str, str]:
    result = str(folders.result.resolve())
    return {
        "PATH": PROCESS_PATH,
        "HOME": result,
        "TMPDIR": result,
        **launch.environment,
        **preloading(launch, str(folders.job.resolve())),
    }


def _kill_group(process: subprocess.Popen[bytes]) -> int:
    with suppress(ProcessLookupError):  # it may just have ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _oom_kills(vmstat: Path = Path("/proc/vmstat")) -> int | None:
    try:
        lines = vmstat.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)
