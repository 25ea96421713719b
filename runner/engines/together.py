"""Carries out launches that live together and take turns. If one of them fails, the others are stopped at once.

Each launch is waited for in a thread of its own, which sleeps until its launch has ended. Knows no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace

from runner.engines.protocol import Artifact, Engine, LaunchFolders, Outcome
from runner.errors import HostError
from runner.host.pin import Pin
from runner.vocabulary import Launch

# A launch that is being started cannot be stopped yet. So stopping is repeated until all launches have ended.
STOP_AGAIN_SECONDS = 0.5
STOP_ROUNDS = 120


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
        stopped: frozenset[int] = frozenset()
        try:
            failed = _first_failure(running)
        except BaseException:
            _stop(starts, running)
            raise
        if failed is not None:
            stopped = _stop(starts, running)
    outcomes = [each.result() for each in running]
    if failed is None:
        return outcomes
    culprit = starts[failed].launch.launch_id
    # What the kernel reports of a launch that was stopped here is not its own doing.
    return [
        replace(outcome, stopped_with=culprit, out_of_memory=False)
        if number in stopped and outcome.exit_code != 0
        else outcome
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


def _stop(starts: Sequence[Start], running: Sequence[Future[Outcome]]) -> frozenset[int]:
    """End every launch that still runs, wait for the ends, and return the numbers of these launches.

    An engine that cannot end one of them is asked again, and the others are ended meanwhile.

    Raises:
        HostError: a launch could not be ended in `STOP_ROUNDS` rounds.
    """
    left = [number for number, future in enumerate(running) if not future.done()]
    stopped = frozenset(left)
    for last in (*[False] * (STOP_ROUNDS - 1), True):
        for number in left:
            with suppress(*() if last else (HostError,)):
                starts[number].engine.stop(starts[number].launch, starts[number].folders)
        wait([running[number] for number in left], timeout=STOP_AGAIN_SECONDS)
        left = [number for number in left if not running[number].done()]
        if not left:
            break
    return stopped
