"""Short containers that answer a question before anything is measured: where an engine runs them, what an image holds.

They are as hardened as a launch's, but for the pin, and removed whatever happens.
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

# Two small files take about a second; all sources of an image, compiled again, about a quarter of a minute.
ANSWER_SECONDS = 600.0
# Where an image has its Python environment and the workload (images/Dockerfile.j2).
ENVIRONMENT, WORKLOAD = "/opt/environment", "/opt/workload"
_ASK_AGAIN = "Run the same command again, or look at the engine (docker info; journalctl -u docker)."

# Fits a container to the users that the engine maps.
Adapt = Callable[[ContainerSpec], ContainerSpec]


def require_this_kernel(info: EngineInfo) -> None:
    """Check, without a container, that an engine does not itself tell of another kernel than this host's.

    Raises:
        HostError: it does, as one in a virtual machine.
    """
    told, own = info.kernel, os.uname().release
    if told is not None and told != own:
        raise HostError(_elsewhere(f"it tells of the kernel {told} ({info.operating_system}), and this host's "
                                   f"is {own}"))  # fmt: skip


def require_this_machine(docker: Docker, image: str, label: str, adapt: Adapt, here: Identity) -> None:
    """Check that an engine's containers run on this host: its CPUs are what a pin names.

    `image` is any that has `cat`; a container of it prints its kernel's boot id and processor.

    Raises:
        HostError: they run elsewhere, or none could be asked.
    """
    spec = adapt(_question(image, ("cat",), (f"/{BOOT_ID}", "/proc/cpuinfo"), label))
    _, text = _ask(docker, spec)
    there = identity_in(text)
    if there == Identity(None, None):
        raise HostError(
            f"A container of {image} was asked on which machine it runs, and could not tell: it printed "
            f"{text.strip()[:200]!r}, where a boot id and the processors were expected. {_ASK_AGAIN}"
        )
    if found := difference(here, there):
        raise HostError(_elsewhere(f"in a container of {image}, {found}"))


def wrong_bytecode(docker: Docker, image: str, label: str, adapt: Adapt) -> tuple[str, ...]:
    """The paths of an image's byte-code that is not what its own Python makes of the source.

    Raises:
        HostError: the image could not be asked.
    """
    script = Path(bytecode.__file__).read_text(encoding="utf-8")
    python = (f"{ENVIRONMENT}/bin/python", "-I", "-S", "-B", "-W", "ignore", "-c", script)
    code, text = _ask(docker, adapt(_question(image, python, (ENVIRONMENT, WORKLOAD), label)))
    try:
        return tuple(json.loads(text.splitlines()[-1])["wrong"])
    except (LookupError, ValueError, TypeError) as error:
        last = " / ".join(text.splitlines()[-3:])
        raise HostError(
            f"The byte-code of the image {image} was to be compiled again and compared, and that ended with exit code "
            f"{code}. Its last lines: {last}. {_ASK_AGAIN}"
        ) from error


def _question(image: str, entrypoint: tuple[str, ...], command: tuple[str, ...], label: str) -> ContainerSpec:
    return ContainerSpec(
        image_id=image, command=command, name=f"tensorflow-speedup-kit-{os.getpid()}-question",
        labels={label: "question"}, environment={}, cpuset_cpus="", cpuset_mems="", memory_bytes=None,
        shm_bytes=64 << 20, tmpfs_bytes=64 << 20, user=f"{os.getuid()}:{os.getgid()}", entrypoint=entrypoint,
    )  # fmt: skip


def _ask(docker: Docker, spec: ContainerSpec) -> tuple[int, str]:
    """A container's exit code and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "answer.txt"
        ended = docker.run(spec, ANSWER_SECONDS, log)
        return ended.exit_code, log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _elsewhere(found: str) -> str:
    return (
        f"The Docker engine runs its containers on another machine than this host: {found}. So it is with an engine in "
        "a virtual machine (Docker Desktop, colima, a podman machine) and with a runtime that starts one (Kata "
        "Containers, gVisor): the CPUs of a pin would be that machine's, and the conditions recorded would be this "
        "one's. Use an engine and a runtime that run on this host itself (docker context ls lists the engines), run "
        "the kit inside that machine, or run with --engine venv."
    )
