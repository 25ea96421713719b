"""Where the Docker engine is, and why it cannot be used. Knows environment and contexts, not the SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from runner.errors import HostError


class DockerUnavailableError(HostError):
    """No Docker engine that may and can be used; the message says which of the known cases it is."""


def engine_address(environment: Mapping[str, str]) -> str:
    """Where the engine is: DOCKER_HOST, else the current context's endpoint, else the usual socket."""
    if environment.get("DOCKER_HOST"):
        return environment["DOCKER_HOST"]
    folder = Path(environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/root")) / ".docker")
    name = environment.get("DOCKER_CONTEXT") or _current_context(folder)
    if name in ("", "default"):
        return "unix:///var/run/docker.sock"
    for path in folder.glob("contexts/meta/*/meta.json"):
        with suppress(OSError, ValueError, KeyError):
            meta = json.loads(path.read_text(encoding="utf-8"))
            if meta["Name"] == name:
                return str(meta["Endpoints"]["docker"]["Host"])
    raise DockerUnavailableError(
        f"The Docker context {name!r} is not known here. Choose another: docker context use default."
    )


def explain_no_connection(address: str, error: Exception) -> str:
    """Why a local engine cannot be used, and what to do."""
    if isinstance(error, PermissionError):
        return (
            f"A Docker engine is there ({address}), but this user may not use it: permission denied on its socket. Add "
            "the user to the group docker (sudo usermod -aG docker $USER, then log in again), or run as a user who may."
        )
    return (
        f"No Docker engine answers at {address} ({error}). Start it (sudo systemctl start docker), or install one; "
        "without it the kit runs on the venv engine."
    )


def _current_context(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("currentContext") or "")
    except (OSError, ValueError):
        return ""
