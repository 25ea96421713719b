"""peaks.jsonl: the speed of the matrix product in each installation and environment of a run, one JSON line for each.

Knows the lines, not how they are measured. Every field is described in results/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runner.storage import json_lines
from runner.storage.json_lines import LineSchema
from runner.storage.launch_result import Failure, failure

SCHEMA_VERSION = 1
SCHEMA = LineSchema("peaks", SCHEMA_VERSION, "let --resume measure it again.")

Key = tuple[str, str, tuple[tuple[str, str], ...]]


def peak_key(stack: str, installation: str, besides: Mapping[str, str]) -> Key:
    """What identifies a measurement: stack, installation, and the variables that it had besides its variant's."""
    return (stack, installation, tuple(sorted(besides.items())))


@dataclass(frozen=True)
class Peak:
    """One launch that multiplied matrices: the installation, its conditions, and all raw samples or the one error.

    `variant` is the one whose environment variables the launch had; it had those of `besides` in addition. `result` is
    everything that the workload wrote.
    """

    stack: str
    installation: str
    variant: str
    session: int
    conditions: Mapping[str, Any]
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: Mapping[str, str] | None
    besides: Mapping[str, str] = field(default_factory=dict)
    schema_version: int = field(default=SCHEMA_VERSION)

    @property
    def key(self) -> Key:
        """Stack, installation and the variables besides, for each of which there is one measurement."""
        return peak_key(self.stack, self.installation, self.besides)

    @property
    def failure(self) -> Failure | None:
        """The error as a frozen type; None if the speed was measured."""
        what = f"the matrix product of {self.stack}/{self.installation}"
        return None if self.error is None else failure(self.error, what)

    @property
    def sizes(self) -> Sequence[Mapping[str, Any]]:
        """What was measured for each size of matrix; empty if nothing was."""
        return self.result["gemm"] if self.result and self.error is None else ()

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The entry of `sizes` with the most GFLOP/s; None if nothing was measured."""
        return max(self.sizes, key=lambda size: float(size["gflops_per_second"]), default=None)


def append(path: Path, peak: Peak) -> None:
    """Add one line and force it to disk.

    Raises:
        DiskError: it could not be written; earlier lines are complete.
    """
    go_on = f"go on with: python -m runner compare --resume {path.parent}"
    json_lines.append(path, asdict(peak), "The matrix product's peak", go_on)


def read(path: Path) -> tuple[Peak, ...]:
    """Read the line that counts for each measurement: its first success, else its last failure.

    The tuple is empty if there is no file.

    Raises:
        RunFormatError: the file cannot be read, is damaged, or has a newer schema.
    """
    chosen: dict[Key, Peak] = {}
    for peak in json_lines.read(path, SCHEMA, lambda data: Peak(**data)):
        if peak.key not in chosen or chosen[peak.key].error is not None:
            chosen[peak.key] = peak
    return tuple(chosen.values())
