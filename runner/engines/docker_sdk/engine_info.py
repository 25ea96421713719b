"""The part that the kit reads of a Docker engine's description of itself (`docker info`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USUAL_ROOT = Path("/var/lib/docker")


@dataclass(frozen=True)
class EngineInfo:
    """An engine's host and settings.

    `kernel` and `operating_system` are those of the machine that the engine runs on, None where it does not report
    them. `root_folder` is the folder in which it keeps its images.
    """

    can_pin: bool = True
    is_rootless: bool = False
    maps_users: bool = False
    kernel: str | None = None
    operating_system: str | None = None
    root_folder: Path = USUAL_ROOT


def engine_info_of(answer: Mapping[str, Any]) -> EngineInfo:
    """An engine's description from its answer. An engine that does not mention cpusets is assumed to support them."""
    options = [str(option) for option in answer.get("SecurityOptions") or ()]
    return EngineInfo(
        can_pin=answer.get("CPUSet") is not False,
        is_rootless=any("name=rootless" in option for option in options),
        maps_users=any("name=userns" in option for option in options),
        kernel=answer.get("KernelVersion") or None,
        operating_system=answer.get("OperatingSystem"),
        root_folder=Path(answer.get("DockerRootDir") or USUAL_ROOT),
    )
