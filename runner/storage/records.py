"""The record: one JSON line for each launch, appended and forced to disk. Knows the schema, not its meaning.

Every field is described, with its unit, in results/README.md; results/record.schema.json is the formal version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.storage import json_lines
from runner.storage.json_lines import LineSchema, Upgrade
from runner.storage.launch_result import Failure, LaunchResult, failure, launch_result
from runner.vocabulary import Cell, Group

SCHEMA_VERSION = 2


def _without_turns(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 is of launches that followed one another. It has neither turns nor the times at which steps began."""
    return {**data, "schema_version": 2}


# Functions from version N to N + 1. `read` applies them, so that a run of any age can be reported beside a new one.
UPGRADES: dict[int, Upgrade] = {1: _without_turns}
SCHEMA = LineSchema("records", SCHEMA_VERSION, "let --resume measure its launch again.", UPGRADES)


@dataclass(frozen=True)
class Record:
    """One launch: its case, its conditions, and all its raw samples or its one error.

    `conditions` must be equal before two records are divided (rule 9 of CONTRIBUTING.md). `settings` are the declared
    differences of variants. `facts` (load, steal, temperatures, times of day) are for advice only. `result` is
    everything that the workload wrote.
    """

    launch_id: str
    session: int
    case: Mapping[str, Any]
    conditions: Mapping[str, Any]
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: Mapping[str, str] | None
    schema_version: int = field(default=SCHEMA_VERSION)

    @property
    def cell(self) -> Cell:
        """The cell that this launch is a sample of."""
        return Cell(*(self.case[key] for key in ("stack", "variant", "topology", "batch_size")))

    @cached_property
    def training(self) -> LaunchResult | None:
        """The result as frozen types; None if the workload wrote none.

        Raises:
            RunFormatError: a value in it is of another kind than expected.
        """
        return None if self.result is None else launch_result(self.result, self.launch_id)

    @cached_property
    def failure(self) -> Failure | None:
        """The error as a frozen type; None if the launch succeeded.

        Raises:
            RunFormatError: it lacks its kind or its message.
        """
        return None if self.error is None else failure(self.error, self.launch_id)

    @property
    def block(self) -> int:
        """The number of the block, from 1."""
        return int(self.case["block"])

    @property
    def sitting(self) -> int | None:
        """Which of its block's sittings the launch belongs to; None if the whole block lived together."""
        return self.case.get("sitting")

    def to_json(self) -> dict[str, Any]:
        """The object of its line in records.jsonl."""
        return asdict(self)


def append(path: Path, record: Record) -> None:
    """Add one record and force it to disk.

    Raises:
        DiskError: the record could not be written; earlier records are complete.
    """
    what = f"The record of {record.launch_id}"
    json_lines.append(path, record.to_json(), what, f"go on with --resume {path.parent}")


def read(path: Path) -> list[Record]:
    """Read every complete record, upgraded to this version's schema. An incomplete last line is ignored.

    Raises:
        RunFormatError: the file cannot be read, a line other than the last is damaged, or the schema is newer.
    """
    return json_lines.read(path, SCHEMA, lambda data: Record(**data))


def latest(records: Sequence[Record], passed_over: Collection[Cell] = ()) -> dict[str, Record]:
    """The record that counts for each launch, by launch id.

    Launches of two sessions are never divided by one another. So each block of a group has one chosen session: the one
    with the most successes in that block, and the earliest of several. What was measured has no part in the choice. For
    each launch counts a success of its block's session, else any success, else its last failure. A launch that
    succeeded only in another session keeps that record; runner/stats compares the sessions before it divides.
    Successes of the cells in `passed_over` are not counted in the choice: they are rungs that need not be measured
    again.
    """
    sessions = _sessions(records, passed_over)
    chosen: dict[str, Record] = {}
    for record in records:
        held = chosen.get(record.launch_id)
        if held is None or _rank(record, sessions) > _rank(held, sessions) or (held.error and record.error):
            chosen[record.launch_id] = record
    return chosen


BlockOf = tuple[Group, int]


def _sessions(records: Iterable[Record], passed_over: Collection[Cell]) -> dict[BlockOf, int]:
    """The chosen session of each block of each group that has a success."""
    found: dict[BlockOf, dict[int, set[str]]] = {}
    for record in records:
        if record.error is None and record.cell not in passed_over:
            sessions = found.setdefault((record.cell.group, record.block), {})
            sessions.setdefault(record.session, set()).add(record.launch_id)
    return {
        block: max(sorted(sessions), key=lambda session: len(sessions[session])) for block, sessions in found.items()
    }


def _rank(record: Record, sessions: Mapping[BlockOf, int]) -> int:
    """2 for a success of the block's session, 1 for any other success, 0 for a failure; the highest counts."""
    if record.error is not None:
        return 0
    return 2 if sessions.get((record.cell.group, record.block)) == record.session else 1
