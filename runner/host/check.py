"""The words of a check: what was found on a host, why it matters, what to do; and how the pin was asked for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["ok", "advice", "problem"]


@dataclass(frozen=True)
class Check:
    """One finding. ``advice``: figures may suffer; ``problem``: a run would fail or mislead."""

    name: str
    status: Status
    found: str
    why: str = ""
    what_to_do: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict."""
        return asdict(self)


@dataclass(frozen=True)
class PinRequest:
    """How the pin was asked for: advice on --cores must go with the rest. `listed`: its CPUs are those of --cpus."""

    headroom: int = 0
    listed: bool = False

    def cores_option(self, count: int, more: str = "") -> str:
        """The option that takes so many cores, with what it cannot go together with."""
        return f"--cores {count}{more}{' instead of --cpus' if self.listed else ''}"
