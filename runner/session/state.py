"""What one session of a run works with, in one object. Knows no command, and not how a session is opened.

A session is one sitting of a run: the run, the engine, what is ready on it, what all of its launches share, and how the
host's state is read before and after each launch. `opening.py` makes it; `execute.py`, `probing.py` and `peak.py` take
it.
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
    """One session of a run. `context` goes into each record; its number tells the sessions of a run apart."""

    run: Run
    engine: Engine
    artifacts: Artifacts
    context: Context
    read_facts: ReadFacts

    @property
    def number(self) -> int:
        """1 for the session that began the run, and one more for each that goes on with it."""
        return self.context.session

    def artifact_of(self, launch: Launch) -> Artifact:
        """The installation that a launch runs in."""
        return self.artifacts[launch.cell.stack, launch.installation]

    def pinned(self, pin: Pin) -> Session:
        """The same session for a launch with a pin of its own: the rungs of a ladder may differ in it."""
        return replace(self, context=self.context.pinned(pin))
