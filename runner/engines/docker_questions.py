"""Runs short containers to learn two things before a measurement: on which machine they run, what an image contains.

These containers are hardened like a launch's but have no pin. Each is removed in every case.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from runner.engines import bytecode
from runner.engines.container import ContainerSpec
from runner.engines.docker_sdk import Docker, EngineInfo
from runner.errors import HostError
from runner.machine.identity import BOOT_ID, Identity, difference, identity_in

# Printing two small files takes about a second. Compiling all sources of an image again takes about 15 seconds.
ANSWER_SECONDS = 600.0
# The folders of an image that hold its Python environment and the workload (images/Dockerfile.j2).
ENVIRONMENT, WORKLOAD = "/opt/environment", "/opt/workload"
_ASK_AGAIN = "Run the same command again, or look at the engine (docker info; journalctl -u docker)."

# Changes a container's specification to the way in which the engine maps users.
Adapt = Callable[[ContainerSpec], ContainerSpec]


def require_this_kernel(info: EngineInfo) -> None:
    """Check, without a container, that the kernel which an engine reports is this host's.

    Raises:
        HostError: the engine reports another kernel, as an engine in a virtual machine does.
    """
    reported, own = info.kernel, os.uname().release
    if reported is not None and reported != own:
        raise HostError(_elsewhere(f"it reports the kernel {reported} ({info.operating_system}), and this host's "
                                   f"kernel is {own}"))  # fmt: skip


def require_this_machine(docker: Docker, image: str, label: str, adapt: Adapt, here: Identity) -> None:
    """Check that an engine's containers run on this host, because a pin names this host's CPUs.

    A container of `image` prints its kernel's boot id and its processor. Any image that has `cat` will do.

    Raises:
        HostError: the containers run on another machine, or the container printed neither.
    """
    spec = adapt(_short_container(image, ("cat",), (f"/{BOOT_ID}", "/proc/cpuinfo"), label))
    _, text = _output_of(docker, spec)
    there = identity_in(text)
    if there == Identity(None, None):
        raise HostError(
            f"A container of {image} was started to learn on which machine containers run. It printed "
            f"{text.strip()[:200]!r}; a boot id and a list of processors were expected. {_ASK_AGAIN}"
        )
    if found := difference(here, there):
        raise HostError(_elsewhere(f"in a container of {image}, {found}"))


def wrong_bytecode(docker: Docker, image: str, label: str, adapt: Adapt) -> tuple[str, ...]:
    """The paths of an image's byte-code that differs from what the image's own Python compiles from the source.

    Raises:
        HostError: the container that compares them failed.
    """
    script = Path(bytecode.__file__).read_text(encoding="utf-8")
    python = (f"{ENVIRONMENT}/bin/python", "-I", "-S", "-B", "-W", "ignore", "-c", script)
    code, text = _output_of(docker, adapt(_short_container(image, python, (ENVIRONMENT, WORKLOAD), label)))
    try:
        return tuple(json.loads(text.splitlines()[-1])["wrong"])
    except (LookupError, ValueError, TypeError) as error:
        last = " / ".join(text.splitlines()[-3:])
        raise HostError(
            f"The sources in the image {image} were to be compiled again, to compare them with the image's byte-code. "
            f"That ended with exit code {code}. Its last lines: {last}. {_ASK_AGAIN}"
        ) from error


def _short_container(image: str, entrypoint: tuple[str, ...], command: tuple[str, ...], label: str) -> ContainerSpec:
    return ContainerSpec(
        image_id=image, command=command, name=f"tensorflow-speedup-kit-{os.getpid()}-question",
        labels={label: "question"}, environment={}, cpuset_cpus="", cpuset_mems="", memory_bytes=None,
        shm_bytes=64 << 20, tmpfs_bytes=64 << 20, user=f"{os.getuid()}:{os.getgid()}", entrypoint=entrypoint,
    )  # fmt: skip


def _output_of(docker: Docker, spec: ContainerSpec) -> tuple[int, str]:
    """Run a container; return its exit code and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "answer.txt"
        ended = docker.run(spec, ANSWER_SECONDS, log)
        return ended.exit_code, log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _elsewhere(found: str) -> str:
    return (
        f"The Docker engine runs its containers on another machine than this host: {found}. An engine in a virtual "
        "machine does so (Docker Desktop, colima, a podman machine), and so does a runtime with a kernel of its own "
        "(Kata Containers, gVisor). A pin would then name CPUs of that machine, while the recorded conditions would be "
        "those of this host. Use an engine and a runtime that run on this host itself (docker context ls lists the "
        "engines), run the kit inside of that machine, or run with --engine venv."
    )
