"""The Docker engine, the engine of record: a launch is a hardened container that is pinned to a cpuset.

The container has no network, a read-only root, no capabilities, no new privileges and the caller's uid. Its job folder
is read-only and its result folder writable. This module knows plans and images; only `docker_sdk` imports the SDK.
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
from runner.engines.protocol import Artifact, LaunchFolders, Notify, Outcome, preloading
from runner.errors import HostError
from runner.host.pin import Pin
from runner.machine.identity import read_identity
from runner.machine.sysroot import Sysroot
from runner.matching.snapshot import Snapshot, of_tar
from runner.planning.job import JOB_FILE
from runner.vocabulary import EngineName, Launch, runs_containers

RUN_LABEL = "tensorflow-speedup-kit.run"
LAUNCH_LABEL = "tensorflow-speedup-kit.launch"
# Docker Compose puts this label on every container of its projects.
COMPOSE_LABEL = "com.docker.compose.project"
JOB, RESULT, TURNS = "/job", "/result", "/turns"
# OpenMP and TensorFlow keep little in shared memory and in /tmp. Both are held in memory, so both are limited.
SHM_BYTES = 1 << 30
TMPFS_BYTES = 1 << 30
# These two are compared with the specification. They are left out of a record's conditions, because the rungs of a
# ladder may have different pins; `conditions.pin` has the pin.
_OF_THE_PIN = ("cpuset_cpus", "cpuset_mems")


class DockerEngine:
    """Runs launches as containers of the local Docker engine; those of a block at the same time (`together.py`)."""

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
        """Check that the engine can pin containers to CPUs of this host, and that each stack's images can be had.

        That containers run on this host is found by starting one. Where the engine has no image yet, `prepare` checks
        it as soon as it has fetched one, and before it builds anything.

        Raises:
            HostError: the engine cannot pin containers, they run on another machine, or a base image cannot be had.
        """
        info = self._docker.info()
        require_cpusets(info)
        require_this_kernel(info)
        for stack in stacks:
            self._require_here(self._images.at_hand(stack))
            self._images.require(stack)

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """The bytes that the missing images will take in the engine's folder; nothing if we cannot see that folder."""
        root = self._info.root_folder
        missing = [
            stack.disk.image_bytes for stack, installation in wanted if self._images.find(stack, installation) is None
        ]
        try:
            is_ours = root.exists()
        except OSError:  # we may not enter a folder above it
            is_ours = False
        return {root: sum(missing)} if is_ours else {}

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Build or pull the installation's image. The artifact's location is the image's id, which a new tag keeps."""
        if not self._is_here:
            self._require_here(self._images.fetch_first(stack, installation, notify))
        return self._images.prepare(stack, installation, notify)

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """The installation's image, if the engine has it with this lock, workload and base."""
        return self._images.find(stack, installation)

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Run the launch's container to its end. On Ctrl-C the container is removed, then the interrupt is raised.

        Raises:
            HostError: the container could not be run.
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

    def stop(self, launch: Launch, folders: LaunchFolders) -> None:
        """Kill and remove the launch's container.

        Raises:
            HostError: it cannot be removed.
        """
        self._docker.remove(container_name(launch))

    def process_of(self, launch: Launch, folders: LaunchFolders) -> int | None:
        """The child of the init in the launch's container.

        None also if the process that the engine names is none of that container on this host, as where the runner
        itself is in a container.
        """
        found = self._docker.process(container_name(launch))
        return None if found is None else only_child(*found)

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """The equivalent `docker run`. It names the image by its tag, or by its digest if it comes from a registry."""
        image = self._images.reference(launch.cell.stack, launch.installation)
        return docker_run_line(self._spec(launch, pin, image, folders))

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Hash the image's files and read its settings, through a container that is created and never started."""
        name = (
            f"tensorflow-speedup-kit-{os.getpid()}-snapshot-{artifact.installation.stack}-{artifact.installation.name}"
        )
        with self._docker.file_system(artifact.location, name, {RUN_LABEL: "snapshot"}) as stream:
            image = self._docker.find_image(artifact.location)
            return of_tar(stream, {} if image is None else image_settings(image), ENVIRONMENT)

    def wrong_bytecode(self, artifact: Artifact) -> tuple[str, ...]:
        """Have the image's own Python compile every source again; the paths of byte-code that differs."""
        return wrong_bytecode(self._docker, artifact.location, RUN_LABEL, self._adapted)

    def remove_leftovers(self) -> None:
        """Remove every container that this engine started for an earlier run, but none of a Compose project.

        Raises:
            HostError: a container cannot be removed, or a Compose project of the kit is running.
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


def only_child(pid: int, container_id: str, proc: Path = Path("/proc")) -> int | None:
    """The newest child of a container's first process; None if it has none yet, or if the process is another one's."""
    try:
        if container_id not in (proc / str(pid) / "cgroup").read_text(encoding="utf-8"):
            return None
        children = (proc / str(pid) / "task" / str(pid) / "children").read_text(encoding="ascii").split()
    except OSError:
        return None
    return int(children[-1]) if children else None


def as_the_caller(spec: ContainerSpec, info: EngineInfo) -> ContainerSpec:
    """Change a specification so that its container may write to the caller's folders, however the engine maps users.

    In a rootless engine the caller is root inside of the container, and the caller's uid belongs to another user there.
    An engine with userns-remap can be told not to map the users of one container
    (https://docs.docker.com/engine/security/userns-remap).
    """
    if info.is_rootless:
        return replace(spec, user="0:0")
    return replace(spec, userns_mode="host") if info.maps_users else spec


def image_settings(image: Image) -> dict[str, str]:
    """The settings that an image gives to its containers, by name, each as one text."""
    variables = [each.partition("=") for each in image.environment]
    settings = {f"environment {name}": value for name, _, value in variables}
    settings |= {f"label {name}": value for name, value in image.labels.items()}
    return settings | {
        "user": str(image.user),
        "entry point": str(None if image.entrypoint is None else list(image.entrypoint)),
        "command": str(None if image.command is None else list(image.command)),
        "working folder": str(image.working_folder),
    }


def container_name(launch: Launch) -> str:
    """The name of a launch's container. It has this process's id, so that two runners never share a name."""
    return f"tensorflow-speedup-kit-{os.getpid()}-{launch.launch_id}"


def container_spec(
    launch: Launch, *, image: str, cpuset_cpus: str, cpuset_mems: str, memory_bytes: int | None, folders: LaunchFolders
) -> ContainerSpec:
    """The specification of a launch's container. Both the engine and the Compose files take it from here."""
    return ContainerSpec(
        image_id=image,
        command=(
            "--job",
            f"{JOB}/{JOB_FILE}",
            "--result-dir",
            RESULT,
            *(("--turns-dir", TURNS) if folders.turns else ()),
        ),
        name=container_name(launch),
        labels={RUN_LABEL: folders.run, LAUNCH_LABEL: launch.launch_id},
        environment={**launch.environment, **preloading(launch, JOB)},
        cpuset_cpus=cpuset_cpus,
        cpuset_mems=cpuset_mems,
        memory_bytes=memory_bytes,
        shm_bytes=SHM_BYTES,
        tmpfs_bytes=TMPFS_BYTES,
        user=f"{os.getuid()}:{os.getgid()}",
        read_only={folders.job.resolve(): JOB},
        writable={folders.result.resolve(): RESULT, **({folders.turns.resolve(): TURNS} if folders.turns else {})},
    )


def require_cpusets(info: EngineInfo) -> None:
    """Check that the engine can pin containers.

    Raises:
        HostError: it reports that it cannot, as a rootless engine without delegation of cpuset does.
    """
    if not info.can_pin:
        kind = "This rootless Docker engine" if info.is_rootless else "This Docker engine"
        raise HostError(
            f"{kind} cannot pin containers to CPUs: it has no cpuset controller. Delegate cpuset to the user's systemd "
            "slice (Delegate=cpu cpuset io memory pids), use a rootful engine, or run with --engine venv."
        )


def differences_from_spec(spec: ContainerSpec, limits: ContainerLimits | None) -> tuple[str, ...]:
    """A sentence for each limit that the engine reports with another value than the specification requests.

    Such a difference shows that something between the kit and the engine changes what is requested. Where the
    container was removed by somebody else, its limits are not known; the answer then says that, in one sentence.
    """
    if limits is None:
        return ("the container was removed before the engine could be asked for its limits",)
    held = limits.to_json()
    return tuple(
        f"{name} {held[name]} instead of {asked}"
        for name, asked in spec.limits.to_json().items()
        if held[name] != asked
    )


def limits_beside_the_pin(limits: ContainerLimits | None) -> dict[str, object]:
    """A container's limits as its record has them, without the pin; empty where they are not known."""
    held = {} if limits is None else limits.to_json()
    return {name: value for name, value in held.items() if name not in _OF_THE_PIN}


def docker_run_line(spec: ContainerSpec) -> str:
    """A `docker run` line for a shell. Its labels let the next run find a container that such a line left behind.

    It has no --name, because the kit's own names contain the number of the process that starts the container, and here
    the shell starts it.
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
