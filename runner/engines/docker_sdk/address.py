"""Finds the Docker engine that the docker command would use, and explains why it cannot be used."""

from __future__ import annotations

import os

from docker.context import Context, ContextAPI
from docker.context.config import get_current_context_name

from runner.errors import HostError


class DockerUnavailableError(HostError):
    """There is no Docker engine that the kit can use; the message says why."""


def engine_address() -> str:
    """Where the engine is: DOCKER_HOST, else the endpoint of DOCKER_CONTEXT, else that of the current context.

    The SDK looks for contexts beside the first config.json that it finds, in DOCKER_CONFIG and then in ~/.docker. It
    looks for the logins to registries in the same file. Without such a file it knows only the context `default`, which
    is the usual socket.

    Raises:
        DockerUnavailableError: the context is not known, or its description cannot be read.
    """
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    name = os.environ.get("DOCKER_CONTEXT") or get_current_context_name() or "default"
    context = _context(name)
    if context is None or not context.Host:
        raise DockerUnavailableError(
            f"The Docker context {name!r} is not known here: no description of it stands beside the docker command's "
            "config.json. Choose another: docker context use default."
        )
    return context.Host


def explain_no_connection(address: str, error: Exception) -> str:
    """Why a local engine cannot be used, and what to do."""
    if isinstance(error, PermissionError):
        return (
            f"There is a Docker engine at {address}, but this user may not use it: permission denied on its socket. "
            "Add the user to the group docker (sudo usermod -aG docker $USER, then log in again), or run the kit as a "
            "user who may use it."
        )
    return (
        f"No Docker engine answers at {address} ({error}). Start it (sudo systemctl start docker), or install one. "
        "Without Docker, run the kit with --engine venv."
    )


def _context(name: str) -> Context | None:
    try:
        return ContextAPI.get_context(name)
    except Exception as error:  # a plain Exception if the file is not JSON; KeyError if it lacks a key
        raise DockerUnavailableError(
            f"The description of the Docker context {name!r} cannot be read: {error!r}. Choose another: "
            "docker context use default."
        ) from error
