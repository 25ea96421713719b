"""Begins a comparison, for every command that measures one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.cli.measuring import UntimedWork, command_line
from runner.cli.progress import say
from runner.engines.protocol import Engine
from runner.machine import conditions
from runner.session.image_lock_in_use import images_json
from runner.session.opening import Create, begin, make_ready
from runner.session.options import EngineOptions
from runner.session.planned import PlannedComparison
from runner.session.state import Session
from runner.stats.noise_floor import last_floor
from runner.storage import runs
from runner.storage.runs import Run


def begin_comparison(
    planned: PlannedComparison, engine: Engine, folder: Path, options: EngineOptions, untimed: UntimedWork,
    create: Create = runs.create, *, aa: bool = False,
) -> Session:  # fmt: skip
    """Make everything ready for a new comparison, make its folder, and open its first session.

    Raises:
        UsageError: the folder holds a run, or the user's own topology cannot be built.
        HostError: the host cannot measure, or an installation cannot be made.
        DiskError: the folder cannot be written.
    """
    ready = make_ready(planned, engine, folder, say)
    floor = last_floor(conditions(planned.machine), planned.plan.pin, engine.name)
    known: Mapping[str, Any] = {} if floor is None or aa else {"noise_floor": asdict(floor)}
    also = {**known, "peak": untimed.peak, "probes": untimed.probe, **images_json(options)}
    return begin(ready, folder, command_line(), options.memory_bytes, also, create)


def untimed_of(resumed: Run, *, no_peak: bool = False, no_probe: bool = False) -> UntimedWork:
    """The untimed work of a run that is continued: none that it was begun without, and none of versions without it."""
    return UntimedWork(peak=bool(resumed.about.peak) and not no_peak, probe=bool(resumed.about.probes) and not no_probe)
