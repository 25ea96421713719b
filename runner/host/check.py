"""The result of a check (what was found on a host, why it matters, what to do), and how the pin was requested."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

CheckStatus = Literal["ok", "advice", "problem"]


@dataclass(frozen=True)
class Check:
    """One finding. Status ``advice``: figures may be worse than need be. ``problem``: a run would fail or mislead."""

    name: str
    status: CheckStatus
    found: str
    why: str = ""
    what_to_do: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a plain dict."""
        return asdict(self)


@dataclass(frozen=True)
class PinRequest:
    """How the pin was requested, so that advice on --cores fits the other options. `listed`: --cpus was given."""

    headroom: int = 0
    listed: bool = False

    def cores_option(self, count: int, more: str = "") -> str:
        """The option that takes `count` cores, and which given option it replaces."""
        return f"--cores {count}{more}{' instead of --cpus' if self.listed else ''}"
