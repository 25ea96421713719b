"""The attempts at the launches of a Compose run: each has a folder, and ran in a session.

Knows the names of the files that host.sh and launch.sh write, and nothing of what is in a launch's result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.engines.protocol import LaunchFolders
from runner.errors import RunFormatError
from runner.session.execute import launch_folders, living_together
from runner.vocabulary import Launch

# launch.sh puts this and the time at the end of the folder of an attempt that is followed by another one.
_MOVED = ".before-"


@dataclass(frozen=True)
class Attempt:
    """One attempt at a launch."""

    launch: Launch
    folders: LaunchFolders

    @property
    def base(self) -> Path:
        """The folder with all its files."""
        return self.folders.log.parent

    @property
    def has_ended(self) -> bool:
        """Whether it has an exit code, which is written last."""
        return (self.base / "exit_code").is_file()

    @property
    def may_still_end(self) -> bool:
        """Whether it goes on, as far as its files tell. One that was followed by another attempt does not."""
        return not self.has_ended and _MOVED not in self.base.name

    @property
    def written_session(self) -> int | None:
        """The session that it says it ran in; None if it has just begun, or is of an older file, which said nothing."""
        path = self.base / "session"
        text = text_of(path) if path.is_file() else ""
        return int(text) if text else None

    @property
    def session(self) -> int:
        """The session that it ran in, as host.sh counts them.

        Older Compose files did not record it. With them, an `up` that went on with a run first moved away the folder of
        a launch that had failed or not ended, and the time is in the new folder's name. So each such time before the
        launch may be the start of a session. This can count two sessions where there was one, and then launches are not
        divided that could be. It never counts one session where there were two.
        """
        written = self.written_session
        if written is not None:
            return written
        started = re.sub("[-:]", "", text_of(self.base / "started").removesuffix("+00:00")) + "Z"
        moved = {path.name.rpartition(_MOVED)[2] for path in self.base.parent.glob(f"*{_MOVED}*")}
        return 1 + sum(time <= started for time in moved)


def attempts(run: str, folder: Path, launches: Sequence[Launch]) -> Iterator[tuple[Attempt, tuple[Attempt, ...]]]:
    """All attempts that have ended, each with those that it took turns with, itself among them.

    They are in the order of the plan, and those of a launch in the order of time. Launches took turns if they are of
    one block and one session.
    """
    for together in living_together(launches):
        of_block = [each for launch in together for each in _attempts(run, folder, launch)]
        for one in of_block:
            if one.has_ended:
                yield one, tuple(each for each in of_block if each is one or _took_turns(one, each))


def _took_turns(one: Attempt, other: Attempt) -> bool:
    session = one.written_session
    return one.launch != other.launch and session is not None and other.written_session == session


def _attempts(run: str, folder: Path, launch: Launch) -> list[Attempt]:
    """The attempts at a launch, by time; launch.sh has moved the folders of earlier ones."""
    base = launch_folders(run, folder, launch).log.parent
    before = sorted(base.parent.glob(f"{base.name}{_MOVED}*"))
    return [
        Attempt(launch, LaunchFolders(run, each / "job", each / "result", each / "log.txt")) for each in (*before, base)
    ]


def text_of(path: Path) -> str:
    """What a file of a launch says.

    Raises:
        RunFormatError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise RunFormatError(
            f"{path} cannot be read ({error.strerror}). Every ended launch of a Compose run has this file. Copy the "
            "whole folder of the run from its host again."
        ) from error
