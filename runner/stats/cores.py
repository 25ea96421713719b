"""How much CPU time the timed steps of each cell used, beside the cores that they were given. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runner.evidence.placement import why_few
from runner.machine.cpulist import parse_cpu_list
from runner.stats.estimators import timed_step_seconds
from runner.storage.records import Record
from runner.vocabulary import Cell

# Below this share of the pin's cores a cell is flagged. On an idle host with two cores stock used 0.81 to 0.92 of them
# (AlexNet and ResNet50, batch 2 to 4, tf-2.14); a variant whose threads all sit on one of two CPUs uses 0.5.
FEW = 0.6


@dataclass(frozen=True)
class CoresUsed:
    """One cell: CPU seconds (user, system) and wall seconds of the timed steps of its launches, and its pin.

    The seconds are summed over the `recorded` launches. The other launches were recorded before CPU seconds were, and
    have none. `cpus` and `cores` are the pin's logical CPUs and physical cores. `reason` says what the threads of the
    launch that used the fewest cores show. It is empty where the cell is not flagged.
    """

    cell: Cell
    launches: int
    recorded: int
    cpus: int
    cores: int
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    wall_seconds: float = 0.0
    reason: str = ""

    @property
    def parallelism(self) -> float | None:
        """CPU seconds over wall seconds: the cores that were busy on average. None if CPU seconds were not recorded."""
        return (self.user_seconds + self.system_seconds) / self.wall_seconds if self.recorded else None

    @property
    def is_few(self) -> bool:
        """Whether the cell used less than the share FEW of the cores that it was given."""
        return self.parallelism is not None and self.parallelism < FEW * self.cores


def cores_used(usable: Iterable[Record]) -> list[CoresUsed]:
    """Return one entry for each cell with usable launches, in the order of the records."""
    by_cell: dict[Cell, list[Record]] = {}
    for record in usable:
        by_cell.setdefault(record.cell, []).append(record)
    return [_of_cell(cell, records) for cell, records in by_cell.items()]


def _of_cell(cell: Cell, records: list[Record]) -> CoresUsed:
    pin = records[0].conditions["pin"]
    cpus = parse_cpu_list(pin["cpus"])
    told = [(record.result, record.training.cpu, sum(timed_step_seconds(record))) for record in records
            if record.result and record.training and record.training.cpu]  # fmt: skip
    found = CoresUsed(
        cell, len(records), len(told), len(cpus), pin["cores"],
        user_seconds=sum(cpu.user_seconds for _, cpu, _ in told),
        system_seconds=sum(cpu.system_seconds for _, cpu, _ in told),
        wall_seconds=sum(wall for *_, wall in told),
    )  # fmt: skip
    if not found.is_few:
        return found
    result, _, wall = min(told, key=lambda each: each[1].seconds / each[2])
    return replace(found, reason=why_few(result, cpus, wall))
