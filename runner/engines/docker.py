"""The Docker engine, the engine of record: a launch is a hardened container pinned to a cpuset.

No network, read-only root, no capabilities, no new privileges, the caller's uid; job folder read-only, result folder
writable. Knows plans and images; the SDK is docker_sdk's.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping

from runner.engines.docker_images import ImageBuilder
from runner.engines.docker_sdk import ContainerSpec, Docker
from runner.engines.protocol import Artifact, LaunchFolders, Outcome, Tell
from runner.errors import HostError
from runner.machine.cpulist import format_cpu_list
from runner.pin import Pin
from runner.stacks import Installation, Stack
from runner.vocabulary import EngineName, Launch

RUN_LABEL = "tensorflow-speedup-kit.run"
LAUNCH_LABEL = "tensorflow-speedup-kit.launch"
JOB, RESULT = "/job", "/result"
# OpenMP and TensorFlow keep little in shared memory and /tmp; both are memory, so they are bounded.
SHM_BYTES = 1 << 30
TMPFS_BYTES = 1 << 30


class DockerEngine:
    """Runs launches as containers of the local Docker engine, one at a time."""

    name: EngineName = "docker"
    cannot_enforce: tuple[str, ...] = ()
    prepares_in_parallel = False

    def __init__(self, docker: Docker, images: ImageBuilder, memory_bytes: int | None = None) -> None:
        self._docker = docker
        self._images = images
        self._memory_bytes = memory_bytes

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Check that the engine can hold containers to CPUs, and that each stack's base image is to be had.

        Raises:
            HostError: it cannot, or a base is not.
        """
        require_cpusets(self._docker.info())
        for stack in stacks:
            self._images.require_base(stack)

    def prepare(self, stack: Stack, installation: Installation, tell: Tell) -> Artifact:
        """Build the installation's image; the artifact's location is the image's id, which no retagging changes."""
        return self._images.prepare(stack, installation, tell)

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Run the launch's container to its end; on Ctrl-C it is removed before the interrupt is passed on."""
        started = time.monotonic()
        ended = self._docker.run(self._spec(launch, pin, artifact.location, folders), deadline_seconds, folders.log)
        return Outcome(
            exit_code=ended.exit_code,
            seconds=time.monotonic() - started,
            stopped_by_deadline=ended.stopped_by_deadline,
            out_of_memory=ended.out_of_memory,
            peak_memory_bytes=None,
        )

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """The equivalent `docker run`, by the image's tag."""
        image = ImageBuilder.tag(launch.cell.stack, launch.installation)
        return docker_run_line(self._spec(launch, pin, image, folders))

    def cleanup(self, run_id: str) -> None:
        """Remove the containers that a crashed session of this run left behind, and no others."""
        self._docker.remove_labelled(f"{RUN_LABEL}={run_id}")

    def _spec(self, launch: Launch, pin: Pin, image: str, folders: LaunchFolders) -> ContainerSpec:
        return ContainerSpec(
            image_id=image,
            command=("--job", f"{JOB}/job.json", "--result-dir", RESULT),
            name=f"tensorflow-speedup-kit-{os.getpid()}-{launch.launch_id}",
            labels={RUN_LABEL: folders.run, LAUNCH_LABEL: launch.launch_id},
            environment=dict(launch.environment),
            cpuset_cpus=format_cpu_list(pin.cpus),
            cpuset_mems=format_cpu_list(pin.mems),
            memory_bytes=self._memory_bytes,
            shm_bytes=SHM_BYTES,
            tmpfs_bytes=TMPFS_BYTES,
            user=f"{os.getuid()}:{os.getgid()}",
            read_only={folders.job.resolve(): JOB},
            writable={folders.result.resolve(): RESULT},
        )


def require_cpusets(info: Mapping[str, object]) -> None:
    """Check that the engine can pin containers.

    Raises:
        HostError: it says that it cannot, as a rootless engine without cpuset delegation does.
    """
    if info.get("CPUSet") is False:
        rootless = any("rootless" in str(option) for option in info.get("SecurityOptions") or [])  # type: ignore[attr-defined]
        kind = "This rootless Docker engine" if rootless else "This Docker engine"
        raise HostError(
            f"{kind} cannot pin containers to CPUs: it has no cpuset controller. Delegate cpuset to the user's systemd "
            "slice (Delegate=cpu cpuset io memory pids), use a rootful engine, or run with --engine venv."
        )


def docker_run_line(spec: ContainerSpec) -> str:
    """A container as a `docker run` line for a shell."""
    words = ["docker", "run", "--rm", "--init", "--network", "none", "--read-only", "--cap-drop", "ALL",
             "--security-opt", "no-new-privileges", "--user", spec.user, "--cpuset-cpus", spec.cpuset_cpus,
             "--cpuset-mems", spec.cpuset_mems, "--shm-size", str(spec.shm_bytes),
             "--tmpfs", f"/tmp:size={spec.tmpfs_bytes},mode=1777"]  # fmt: skip
    if spec.memory_bytes is not None:
        words += ["--memory", str(spec.memory_bytes), "--memory-swap", str(spec.memory_bytes)]
    for name, value in spec.environment.items():
        words += ["--env", f"{name}={value}"]
    for path, target in spec.read_only.items():
        words += ["--volume", f"{path}:{target}:ro"]
    for path, target in spec.writable.items():
        words += ["--volume", f"{path}:{target}:rw"]
    return shlex.join([*words, spec.image_id, *spec.command])
