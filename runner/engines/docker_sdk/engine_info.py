"""What a Docker engine says of itself (`docker info`), as far as the kit reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USUAL_ROOT = Path("/var/lib/docker")


@dataclass(frozen=True)
class EngineInfo:
    """An engine's host and settings.

    `kernel` and `operating_system` are of the machine that the engine says it runs on, None where it does not say.
    `root_folder` is where it keeps its images.
    """

    can_pin: bool = True
    is_rootless: bool = False
    maps_users: bool = False
    kernel: str | None = None
    operating_system: str | None = None
    root_folder: Path = USUAL_ROOT


def engine_info_of(told: Mapping[str, Any]) -> EngineInfo:
    """An engine's description from its answer. An engine that does not speak of cpusets is taken to have them."""
    options = [str(option) for option in told.get("SecurityOptions") or ()]
    return EngineInfo(
        can_pin=told.get("CPUSet") is not False,
        is_rootless=any("name=rootless" in option for option in options),
        maps_users=any("name=userns" in option for option in options),
        kernel=told.get("KernelVersion") or None,
        operating_system=told.get("OperatingSystem"),
        root_folder=Path(told.get("DockerRootDir") or USUAL_ROOT),
    )
