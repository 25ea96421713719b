"""The Docker engine, the engine of record: a launch is a hardened container pinned to a cpuset.

No network, read-only root, no capabilities, no new privileges, the caller's uid; job folder read-only, result folder
writable. Knows plans and images; the SDK is docker_sdk's.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from runner.catalogue.stacks import Installation, Stack
from runner.engines.container import ContainerLimits, ContainerSpec
from runner.engines.docker_images import ImageSource
from runner.engines.docker_questions import ENVIRONMENT, require_this_kernel, require_this_machine, wrong_bytecode
from runner.engines.docker_sdk import LOG_DRIVER, Docker, EngineInfo, Image
from runner.engines.protocol import Artifact, LaunchFolders, Notify, Outcome
from runner.errors import HostError
from runner.host.pin import Pin
from runner.machine.identity import read_identity
from runner.machine.sysroot import Sysroot
from runner.matching.snapshot import Snapshot, of_tar
from runner.planning.job import JOB_FILE
from runner.vocabulary import EngineName, Launch, runs_containers

RUN_LABEL = "tensorflow-speedup-kit.run"
LAUNCH_LABEL = "tensorflow-speedup-kit.launch"
# Compose puts it on every container of its projects.
COMPOSE_LABEL = "com.docker.compose.project"
JOB, RESULT = "/job", "/result"
# OpenMP and TensorFlow keep little in shared memory and /tmp; both are memory, so they are bounded.
SHM_BYTES = 1 << 30
TMPFS_BYTES = 1 << 30
# Held against the specification and no condition of their own: the rungs of a ladder may differ in their pins, and
# `conditions.pin` says so.
_OF_THE_PIN = ("cpuset_cpus", "cpuset_mems")


class DockerEngine:
    """Runs launches as containers of the local Docker engine, one at a time."""

    name: EngineName = "docker"
    is_contained = runs_containers(name)
    cannot_enforce: tuple[str, ...] = ()
    prepares_in_parallel = False

    def __init__(self, docker: Docker, images: ImageSource, memory_bytes: int | None = None) -> None:
        self._docker = docker
        self._images = images
        self._memory_bytes = memory_bytes
        self._is_here = False

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Check that the engine can hold containers to CPUs of this host, and that each stack's images are to be had.

        Where no image is here yet, a container is asked for its machine as soon as one is, before anything is built.

        Raises:
            HostError: it cannot, its containers run elsewhere, or a base is not to be had.
        """
        info = self._docker.info()
        require_cpusets(info)
        require_this_kernel(info)
        for stack in stacks:
            self._require_here(self._images.at_hand(stack))
            self._images.require(stack)

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """What the images take in the engine's own folder that are not on it; nothing if that is not ours to see."""
        root = self._info.root_folder
        missing = [
            stack.disk.image_bytes for stack, installation in wanted if self._images.find(stack, installation) is None
        ]
        try:
            is_ours = root.exists()
        except OSError:  # a folder above it may not be entered
            is_ours = False
        return {root: sum(missing)} if is_ours else {}

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Build or pull the installation's image; the artifact's location is its id, which no retagging changes."""
        if not self._is_here:
            self._require_here(self._images.fetch_first(stack, installation, notify))
        return self._images.prepare(stack, installation, notify)

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The installation's image, if the engine has it with this lock, workload and base."""
        return self._images.find(stack, installation)

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Run the launch's container to its end; on Ctrl-C it is removed before the interrupt is passed on.

        Raises:
            HostError: it could not be run.
        """
        started = time.monotonic()
        spec = self._spec(launch, pin, artifact.location, folders)
        ended = self._docker.run(spec, deadline_seconds, folders.log)
        return Outcome(
            exit_code=ended.exit_code,
            seconds=time.monotonic() - started,
            stopped_by_deadline=ended.stopped_by_deadline,
            out_of_memory=ended.out_of_memory,
            limits=limits_beside_the_pin(ended.limits),
            differences=differences_from_spec(spec, ended.limits),
        )

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """The equivalent `docker run`, by the image's tag, or by its digest where it comes from a registry."""
        image = self._images.reference(launch.cell.stack, launch.installation)
        return docker_run_line(self._spec(launch, pin, image, folders))

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Hash the image's files and read its settings; a container is made of it, and never started."""
        name = (
            f"tensorflow-speedup-kit-{os.getpid()}-snapshot-{artifact.installation.stack}-{artifact.installation.name}"
        )
        with self._docker.file_system(artifact.location, name, {RUN_LABEL: "snapshot"}) as stream:
            image = self._docker.find_image(artifact.location)
            return of_tar(stream, {} if image is None else image_settings(image), ENVIRONMENT)

    def wrong_bytecode(self, artifact: Artifact) -> tuple[str, ...]:
        """Have the image's own Python compile every source again, and compare."""
        return wrong_bytecode(self._docker, artifact.location, RUN_LABEL, self._adapted)

    def remove_leftovers(self) -> None:
        """Remove every container that this engine started for an earlier run; none of a Compose project's.

        Raises:
            HostError: one cannot be removed, or a Compose project measures at this moment.
        """
        found = self._docker.labelled(RUN_LABEL)
        composed = [each.name for each in found if COMPOSE_LABEL in each.labels and each.is_running]
        if composed:
            raise HostError(
                f"A run of the kit through Docker Compose is under way: its container {', '.join(composed)} would "
                "measure beside this one, and both results would be wrong. Wait until it has ended, or end it "
                "(docker compose down), then try again."
            )
        for each in found:
            if COMPOSE_LABEL not in each.labels:
                self._docker.remove(each.name)

    def cleanup(self, run_id: str) -> None:
        """Remove the containers that an interrupted session of this run left behind, and no others."""
        for each in self._docker.labelled(f"{RUN_LABEL}={run_id}"):
            if COMPOSE_LABEL not in each.labels:
                self._docker.remove(each.name)

    @cached_property
    def _info(self) -> EngineInfo:
        return self._docker.info()

    def _require_here(self, image: str | None) -> None:
        if image is not None and not self._is_here:
            require_this_machine(self._docker, image, RUN_LABEL, self._adapted, read_identity(Sysroot()))
            self._is_here = True

    def _adapted(self, spec: ContainerSpec) -> ContainerSpec:
        return as_the_caller(spec, self._info)

    def _spec(self, launch: Launch, pin: Pin, image: str, folders: LaunchFolders) -> ContainerSpec:
        spec = container_spec(
            launch,
            image=image,
            cpuset_cpus=pin.cpu_list,
            cpuset_mems=pin.mem_list,
            memory_bytes=self._memory_bytes,
            folders=folders,
        )
        return self._adapted(spec)


def as_the_caller(spec: ContainerSpec, info: EngineInfo) -> ContainerSpec:
    """A specification whose container may write the caller's folders, whatever users the engine maps to whom.

    In a rootless engine the caller is root inside and its own number is somebody else's. An engine that maps all
    users can be told not to (https://docs.docker.com/engine/security/userns-remap).
    """
    if info.is_rootless:
        return replace(spec, user="0:0")
    return replace(spec, userns_mode="host") if info.maps_users else spec


def image_settings(image: Image) -> dict[str, str]:
    """What an image tells its containers, one text for each setting."""
    variables = [each.partition("=") for each in image.environment]
    settings = {f"environment {name}": value for name, _, value in variables}
    settings |= {f"label {name}": value for name, value in image.labels.items()}
    return settings | {
        "user": str(image.user),
        "entry point": str(None if image.entrypoint is None else list(image.entrypoint)),
        "command": str(None if image.command is None else list(image.command)),
        "working folder": str(image.working_folder),
    }


def container_spec(
    launch: Launch, *, image: str, cpuset_cpus: str, cpuset_mems: str, memory_bytes: int | None, folders: LaunchFolders
) -> ContainerSpec:
    """The container of a launch: the one place that says how a launch becomes one, for the engine and for Compose."""
    return ContainerSpec(
        image_id=image,
        command=("--job", f"{JOB}/{JOB_FILE}", "--result-dir", RESULT),
        name=f"tensorflow-speedup-kit-{os.getpid()}-{launch.launch_id}",
        labels={RUN_LABEL: folders.run, LAUNCH_LABEL: launch.launch_id},
        environment=dict(launch.environment),
        cpuset_cpus=cpuset_cpus,
        cpuset_mems=cpuset_mems,
        memory_bytes=memory_bytes,
        shm_bytes=SHM_BYTES,
        tmpfs_bytes=TMPFS_BYTES,
        user=f"{os.getuid()}:{os.getgid()}",
        read_only={folders.job.resolve(): JOB},
        writable={folders.result.resolve(): RESULT},
    )


def require_cpusets(info: EngineInfo) -> None:
    """Check that the engine can pin containers.

    Raises:
        HostError: it says that it cannot, as a rootless engine without cpuset delegation does.
    """
    if not info.can_pin:
        kind = "This rootless Docker engine" if info.is_rootless else "This Docker engine"
        raise HostError(
            f"{kind} cannot pin containers to CPUs: it has no cpuset controller. Delegate cpuset to the user's systemd "
            "slice (Delegate=cpu cpuset io memory pids), use a rootful engine, or run with --engine venv."
        )


def differences_from_spec(spec: ContainerSpec, limits: ContainerLimits | None) -> tuple[str, ...]:
    """Where the engine says that it held a container to something else than was asked for, as behind a wrapper of it.

    What is not known is not counted either: the limits of a container that somebody removed.
    """
    if limits is None:
        return ("the container was removed before it could be asked what held it",)
    held = limits.to_json()
    return tuple(
        f"{name} {held[name]} instead of {asked}"
        for name, asked in spec.limits.to_json().items()
        if held[name] != asked
    )


def limits_beside_the_pin(limits: ContainerLimits | None) -> dict[str, object]:
    """What held a container as its record has it, without the pin; nothing where that is not known."""
    held = {} if limits is None else limits.to_json()
    return {name: value for name, value in held.items() if name not in _OF_THE_PIN}


def docker_run_line(spec: ContainerSpec) -> str:
    """A container as a `docker run` line for a shell; its labels let the next run find what a pasted line left.

    It has no name: the engine's own has the process in it that started the container, and here that is the shell.
    """
    labels = [f"{name}={value}" for name, value in spec.labels.items()]
    words = ["docker", "run", "--rm", *_each("--label", labels), "--log-driver", LOG_DRIVER,
             *(["--init"] if spec.init else []), "--network", spec.network_mode,
             *(["--read-only"] if spec.read_only_root else []),
             *_each("--cap-drop", spec.cap_drop), *_each("--security-opt", spec.security_opt), "--user", spec.user,
             "--cpuset-cpus", spec.cpuset_cpus, "--cpuset-mems", spec.cpuset_mems, "--shm-size", str(spec.shm_bytes),
             *_each("--tmpfs", [f"{folder}:{options}" for folder, options in spec.tmpfs.items()])]  # fmt: skip
    if spec.userns_mode:
        words += ["--userns", spec.userns_mode]
    if spec.memory_bytes is not None:
        words += ["--memory", str(spec.memory_bytes), "--memory-swap", str(spec.memory_bytes)]
    for name, value in spec.environment.items():
        words += ["--env", f"{name}={value}"]
    for path, target in spec.read_only.items():
        words += ["--volume", f"{path}:{target}:ro"]
    for path, target in spec.writable.items():
        words += ["--volume", f"{path}:{target}:rw"]
    return shlex.join([*words, spec.image_id, *spec.command])


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
