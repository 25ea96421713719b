"""A rung on one stack as frozen data: the settings of its launches, what they change, or why it is not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runner.host.pin import Pin
from runner.vocabulary import AllocatorFile, Layout


@dataclass(frozen=True)
class RungSettings:
    """All settings of a rung's launches that may differ from rung to rung."""

    variant: str
    installation: str
    wheel: str
    layout: Layout
    pin: Pin
    intra_op_threads: int
    inter_op_threads: int
    graph_optimisation: bool
    environment: Mapping[str, str]
    allocator: AllocatorFile | None = None

    def to_json(self) -> dict[str, Any]:
        """The settings as run.json keeps them."""
        settings = {**asdict(self), "pin": self.pin.to_json()}
        return settings if self.allocator else {key: value for key, value in settings.items() if key != "allocator"}


@dataclass(frozen=True)
class PlannedRung:
    """A rung on one stack. `of` is the id of the rung that it is compared with; it is empty for the first.

    `left_out` says why the rung is not run; it is empty if the rung is run. `changes` are name, value before and value
    now; a rung that is left out has none.
    """

    id: str
    title: str
    sentence: str
    source: str
    note: str
    is_branch: bool
    could_be_baseline: bool
    of: str
    left_out: str
    acts_through: tuple[str, ...]
    changes: tuple[tuple[str, str, str], ...]
    settings: RungSettings

    def to_json(self) -> dict[str, Any]:
        """The rung as run.json keeps it."""
        return {**asdict(self), "settings": self.settings.to_json()}


def describe_changes(rung: PlannedRung) -> str:
    """A rung's changes in words."""
    return "; ".join(f"{name}: {before} -> {now}" for name, before, now in rung.changes)
