"""Reads what Intel's OpenMP runtime prints with KMP_AFFINITY=verbose and KMP_SETTINGS=1, in old and new versions.

This module knows nothing of TensorFlow or of what the lines prove.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_BOUND = re.compile(
    r"OMP: (?:Info #\d+: )?(?:\w+: )?pid (\d+) tid (\d+) thread (\d+) bound to OS proc set \{?([\d,\-]+)\}?"
)
_INITIAL = re.compile(r"OMP: Info #\d+: KMP_AFFINITY: Initial OS proc set (not )?respected: \{?([\d,\-]+)\}?")
_NOT_CAPABLE = re.compile(r"OMP: (?:Info|Warning) #\d+: KMP_AFFINITY: Affinity not capable")
_IGNORED = re.compile(r"OMP: Warning #\d+: (\w+): (ignored because .+?)\.?\s*$")
_HEADINGS = {"User settings:": "user", "Effective settings:": "effective"}
_SETTING = re.compile(r"^\s+((?:K?OMP|KMP|LIBOMP\w*)_\w+)\s*=\s*(.*?)\s*$")


@dataclass(frozen=True)
class Bound:
    """One thread and the CPUs that it was bound to, in the kernel's list format.

    `thread` is OpenMP's number of the thread in the whole process, `task` the kernel's id of it.
    """

    process: int
    task: int
    thread: int
    cpus: str


@dataclass(frozen=True)
class OpenMp:
    """What the runtime printed about itself. All fields are empty if no runtime was started.

    `initial_cpus` are the CPUs that the runtime was started on; `respected` says whether it stays on them.
    """

    initial_cpus: str | None = None
    respected: bool | None = None
    bound: tuple[Bound, ...] = ()
    user: Mapping[str, str] = field(default_factory=dict)
    effective: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    cannot_bind: bool = False

    @property
    def computing(self) -> tuple[Bound, ...]:
        """The bound threads without a main thread that does not compute.

        OpenMP knows such a main thread only because the workload asked it for the number of threads. A main thread that
        computes starts the runtime, as thread 0, or has a team of its own.
        """
        tasks = [bound.task for bound in self.bound]
        return tuple(
            bound
            for bound in self.bound
            if bound.process != bound.task or bound.thread == 0 or tasks.count(bound.task) > 1
        )


def parse_openmp(text: str) -> OpenMp:
    """Read a log. If it says something twice, the last line counts."""
    tables: dict[str, dict[str, str]] = {"user": {}, "effective": {}}
    bound: dict[tuple[int, int], Bound] = {}
    ignored: dict[str, str] = {}
    initial: str | None = None
    respected: bool | None = None
    heading: str | None = None
    for line in text.splitlines():
        heading = _HEADINGS.get(line.strip(), heading)
        setting = _SETTING.match(line)
        if setting and heading:
            tables[heading][setting[1]] = setting[2].strip("'")
        elif found := _BOUND.search(line):
            process, task, thread = (int(number) for number in found.groups()[:3])
            bound[process, thread] = Bound(process, task, thread, found[4])
        elif found := _INITIAL.search(line):
            initial, respected = found[2], found[1] is None
        elif found := _IGNORED.search(line):
            ignored[found[1]] = found[2]
    return OpenMp(
        initial_cpus=initial,
        respected=respected,
        bound=tuple(bound[key] for key in sorted(bound)),
        user=tables["user"],
        effective=tables["effective"],
        ignored=ignored,
        cannot_bind=_NOT_CAPABLE.search(text) is not None,
    )
