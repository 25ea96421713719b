"""Carries out launches that live together and take turns. If one of them fails, the others are stopped at once.

Each launch is waited for in a thread of its own, which sleeps until its launch has ended. Knows no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from runner.engines.protocol import Artifact, Engine, LaunchFolders, Outcome
from runner.host.pin import Pin
from runner.vocabulary import Launch

# A launch that is being started cannot be stopped yet. So stopping is repeated until all launches have ended.
STOP_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Start:
    """All that is needed to carry one launch out, besides the pin and the deadline that a block shares."""

    engine: Engine
    launch: Launch
    artifact: Artifact
    folders: LaunchFolders


def run_together(starts: Sequence[Start], pin: Pin, deadline_seconds: float) -> list[Outcome]:
    """Start all launches, wait until all have ended, and return their outcomes in the order of `starts`.

    The outcome of a launch that was stopped names in `stopped_with` the launch that had failed. A KeyboardInterrupt
    ends all launches before it is passed on.

    Raises:
        HostError: a launch could not be started or not be ended. The others are stopped before.
    """
    with ThreadPoolExecutor(len(starts)) as pool:
        running = [
            pool.submit(each.engine.run, each.launch, pin, each.artifact, each.folders, deadline_seconds)
            for each in starts
        ]
        try:
            failed = _first_failure(running)
        except BaseException:
            _stop(starts, running)
            raise
        if failed is not None:
            _stop(starts, running)
    outcomes = [each.result() for each in running]
    if failed is None:
        return outcomes
    culprit = starts[failed].launch.launch_id
    return [
        outcome if number == failed or outcome.exit_code == 0 else replace(outcome, stopped_with=culprit)
        for number, outcome in enumerate(outcomes)
    ]


def _first_failure(running: Sequence[Future[Outcome]]) -> int | None:
    """Wait until one launch has failed, and return its number; None once all have ended well."""
    left = set(running)
    while left:
        ended, left = wait(left, return_when=FIRST_COMPLETED)
        for each in running:
            if each in ended and (each.exception() is not None or each.result().exit_code != 0):
                return running.index(each)
    return None


def _stop(starts: Sequence[Start], running: Sequence[Future[Outcome]]) -> None:
    """End every launch that still runs, and wait for the ends."""
    left = [(start, future) for start, future in zip(starts, running, strict=True) if not future.done()]
    while left:
        for start, _ in left:
            start.engine.stop(start.launch, start.folders)
        wait([future for _, future in left], timeout=STOP_AGAIN_SECONDS)
        left = [(start, future) for start, future in left if not future.done()]
