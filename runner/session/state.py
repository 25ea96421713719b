"""One session of a run, in one object. Knows no command, and not how a session is opened.

A run that is resumed has several sessions. A session has the run, the engine, the installations that are ready, what
all of its launches share, and a function that reads the host's state before and after each launch. `opening.py` makes
it; `execute.py`, `probing.py` and `peak.py` use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runner.engines.protocol import Artifact, Engine
from runner.host.pin import Pin
from runner.session.observation import Context
from runner.storage.runs import Run
from runner.vocabulary import Launch

# Reads the host's load, steal, clock and temperature at this moment, as a record keeps them.
ReadFacts = Callable[[], Mapping[str, Any]]
# Every installation that was made ready, by stack and installation.
Artifacts = Mapping[tuple[str, str], Artifact]


@dataclass(frozen=True)
class Session:
    """One session of a run. `context` goes into each record; its number identifies the session within the run."""

    run: Run
    engine: Engine
    artifacts: Artifacts
    context: Context
    read_facts: ReadFacts

    @property
    def number(self) -> int:
        """1 for the session that began the run, 2 for the one that resumed it first, and so on."""
        return self.context.session

    def artifact_of(self, launch: Launch) -> Artifact:
        """The installation that a launch runs in."""
        return self.artifacts[launch.cell.stack, launch.installation]

    def pinned(self, pin: Pin) -> Session:
        """The same session for a launch with a pin of its own: the rungs of a ladder may differ in it."""
        return replace(self, context=self.context.pinned(pin))
