"""The noise floor of a host: how far apart a variant seems to be from itself (an A/A run).

A later run on the same host, pin and engine keeps the last one in its run.json, so that its report needs no other run.
"""

from __future__ import annotations

from pathlib import Path

from runner.errors import RunFormatError
from runner.host.pin import Pin
from runner.stats.intervals import Estimate
from runner.stats.results import results_of
from runner.status import Status
from runner.storage import runs
from runner.storage.header import Header, NoiseFloor
from runner.storage.runs import RUNS, Run


def last_floor(conditions: object, pin: Pin, engine: str, folder: Path = RUNS) -> NoiseFloor | None:
    """The noise floor by the newest complete A/A run below a folder with these machine conditions, pin and engine.

    Runs that cannot be read are passed over: they are not this run's concern.
    """
    floors = [
        floor
        for run in map(_readable, folder.glob("*/run.json"))
        if run is not None and _is_of(run.about, conditions, pin, engine)
        if (floor := floor_of(run)) is not None
    ]
    return max(floors, key=lambda floor: floor.created, default=None)


def floor_of(run: Run) -> NoiseFloor | None:
    """The noise floor that an A/A run shows; None if it is none, or if a bar of it has no interval."""
    if not run.about.is_aa:
        return None
    try:
        rows = list(results_of(run).speedups.values())
    except RunFormatError:
        return None
    estimates = [row.alone for row in rows if row.alone is not None and row.alone.has_interval]
    is_complete = all(row.pair.status in (Status.OK, Status.NO_EVIDENCE) for row in rows)
    if not rows or not is_complete or len(estimates) < len(rows):
        return None
    farthest = max(factor_of(estimate) for estimate in estimates)
    return NoiseFloor(run.name, run.about.created, farthest, len(rows), min(row.blocks for row in rows))


def factor_of(estimate: Estimate) -> float:
    """The end of an interval that is farther from 1, as a factor of at least 1."""
    return max(estimate.high, 1 / estimate.low)


def is_below(estimate: Estimate, floor: NoiseFloor) -> bool:
    """Whether a speedup is nearer to 1 than the same variant was to itself."""
    return 1 / floor.factor < estimate.value < floor.factor


def _is_of(header: Header, conditions: object, pin: Pin, engine: str) -> bool:
    # A bench also has runs of one variant against itself, in which the two sides are started in different ways.
    is_floor = header.is_aa and "--by-hand" not in header.command.split()
    return is_floor and (header.machine_conditions, header.plan.pin, header.engine.name) == (
        conditions,
        pin,
        engine,
    )


def _readable(path: Path) -> Run | None:
    try:
        return runs.load(path.parent)
    except RunFormatError:
        return None
