"""Measures what the kit costs a launch: the same launch started by the kit and by hand, which take turns.

By hand means by the command line that `plan` prints, in a shell.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from runner.catalogue.stacks import AGAIN, against_itself
from runner.cli.progress import describe, say
from runner.engines.protocol import Artifact, Engine, LaunchFolders, Outcome
from runner.host.pin import Pin
from runner.planning.plan import make_plan
from runner.report.value_text import topology_title, with_interval
from runner.session.execute import Seat, carry_out_block, living_together
from runner.session.opening import Ready, begin
from runner.session.planned import PlannedComparison
from runner.stats.estimators import images_per_second
from runner.stats.intervals import FEWEST, geometric_estimate
from runner.storage import runs
from runner.storage.records import Record, append
from runner.vocabulary import Launch

COMMAND = "python -m runner bench --by-hand"


class ByHand:
    """An engine whose launches are started by their printed command line; all else is done by the engine itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def run(
        self, launch: Launch, pin: Pin, _artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Run the command line to its end. A launch whose neighbour dies ends by itself, so `stop` is not needed."""
        started, exit_code, late = time.monotonic(), -1, False
        with folders.log.open("wb") as log:
            command = ["sh", "-c", self._engine.command(launch, pin, folders)]
            try:
                done = subprocess.run(
                    command, stdout=log, stderr=subprocess.STDOUT, timeout=deadline_seconds, check=False
                )
                exit_code = done.returncode
            except subprocess.TimeoutExpired:
                late = True
        return Outcome(exit_code, time.monotonic() - started, stopped_by_deadline=late, out_of_memory=False)


def against_by_hand(planned: PlannedComparison) -> PlannedComparison:
    """The plan in which each stack's baseline takes turns with itself: one is for the kit, one to start by hand."""
    request = replace(planned.request, stacks=tuple(map(against_itself, planned.stacks)), variants=())
    plan = make_plan(request, planned.plan.pin, planned.plan.bkms)
    return replace(planned, label="bench-by-hand", request=request, plan=plan)


def measure_by_hand(ready: Ready, memory_bytes: int | None) -> None:
    """Run a plan of `against_by_hand` and print the ratio kit / by hand of each topology."""
    say("\nthe kit compared with a start by hand: the same launch, started by either, which take turns")
    kit = begin(ready, runs.RUNS / runs.new_name(ready.planned.label), COMMAND, memory_bytes)
    by_hand = replace(kit, engine=cast(Engine, ByHand(kit.engine)))
    ratios: dict[str, list[float]] = {}
    for block in living_together(kit.run.launches):
        sessions = [by_hand if launch.cell.variant.endswith(AGAIN) else kit for launch in block]
        records = carry_out_block([Seat(*seat) for seat in zip(sessions, block, strict=True)])
        for record in records:
            append(kit.run.records_file, record)
            say(describe(record))
        ratios.setdefault(block[0].cell.topology, []).extend(_ratio(records))
    for topology, found in ratios.items():
        say(f"kit / by hand: {topology_title(topology)} {_in_words(found)}")


def _ratio(records: Sequence[Record]) -> list[float]:
    if any(record.error is not None for record in records):
        return []
    speed = {record.cell.variant.endswith(AGAIN): images_per_second(record) for record in records}
    return [speed[False] / speed[True]]


def _in_words(ratios: Sequence[float]) -> str:
    if len(ratios) < FEWEST:
        return "has too few blocks that ended well"
    ratio = geometric_estimate(ratios)
    return f"{with_interval(ratio.value, ratio.low, ratio.high)} over {len(ratios)} blocks"
