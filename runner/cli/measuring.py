"""Carries a session out on the terminal, for every command that measures. It writes a report also after Ctrl-C."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.cli.missing_evidence import probe_missing
from runner.cli.progress import Progress, say
from runner.cli.sized import measure_sized
from runner.cli.terminal import print_results
from runner.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_SOME_CELLS_FAILED, KitError
from runner.session.execute import execute
from runner.session.peak import measure_peaks
from runner.session.state import Session
from runner.stats.enough import Size
from runner.storage import runs
from runner.support.network import redact
from runner.vocabulary import Launch

# A run whose number of blocks is fixed in the plan.
ONE_STAGE = Size()


@dataclass(frozen=True)
class UntimedWork:
    """What is obtained before the first timed launch: the matrix product's peak, and the probes' evidence."""

    peak: bool
    probe: bool


def measure(
    session: Session, launches: Sequence[Launch], untimed: UntimedWork, size: Size = ONE_STAGE, go_on: str = ""
) -> int:
    """Run the untimed work, then a comparison's launches; return the exit code.

    With a `size` the launches are the first stage, and their results decide on a second. `go_on` is the command that
    resumes the run, `compare` unless another is given.
    """

    def work() -> None:
        started = time.monotonic()
        if untimed.probe:
            probe_missing(session, session.run.launches)
        if untimed.peak:
            measure_peaks(session, say)
        if size != ONE_STAGE:
            measure_sized(session, launches, size, started)
            return
        with Progress(session.run, launches) as progress:
            execute(session, launches, progress)

    return carry_through(session, go_on or resuming("compare", session.run.folder, size.options), work)


def resuming(command: str, folder: Path, options: str = "") -> str:
    """The command line that goes on with what is in a folder."""
    return f"python -m runner {command} --resume {shlex.quote(str(folder))} {options}".rstrip()


def carry_through(session: Session, go_on: str, work: Callable[[], None]) -> int:
    """Do the work and write the report, also after Ctrl-C. `go_on` is the command that resumes such a run.

    Returns the exit code: 1 if a cell failed, 130 if interrupted.

    Raises:
        KitError: the work cannot go on. Before it is raised, the command that resumes the run is printed.
    """
    interrupted = False
    try:
        work()
    except KeyboardInterrupt:
        interrupted = True
        _end_launches(session)
    except KitError:
        print(f"every finished launch is kept; when the error is mended, go on with: {go_on}", file=sys.stderr)
        raise
    # Read again: the first blocks of a run may have decided on more.
    all_well = print_results(runs.load(session.run.folder))
    if interrupted:
        print(f"interrupted; every finished launch is kept. Go on with: {go_on}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_DONE if all_well else EXIT_SOME_CELLS_FAILED


def _end_launches(session: Session) -> None:
    """End the launches of this run after an interrupt. The next command ends those that cannot be ended now."""
    with suppress(KitError):
        session.engine.cleanup(session.run.name)


def command_line() -> str:
    """The command line as it was typed, without the credentials of URLs."""
    return redact(shlex.join(["python", "-m", "runner", *sys.argv[1:]]))
