"""Tells whether a change did anything in the process, from what launches recorded of themselves.

Their speed is never used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from runner.planning.rungs import PlannedRung
from runner.storage.launch_result import Thread
from runner.storage.records import Record

_VERDICT = "inert:"


def inert_reason(
    rung: PlannedRung, before: Sequence[Record], now: Sequence[Record], verdicts: Mapping[str, str]
) -> str | None:
    """Return why a rung's change did nothing; None if it may have done something, or if nothing is known yet.

    `before` are usable launches of the rung that this one is compared with, and `now` are its own. `verdicts` are the
    texts of the verdicts of a probe of this build, by their ids.
    """
    if not before or not now:
        return None
    if "openmp" in rung.acts_through and all(_omp_max_threads(record) is None for record in now):
        return "no OpenMP runtime is mapped in the process, so nothing reads it"
    signs = [sign for sign in rung.acts_through if sign in _SIGNS]
    texts = [_unchanged(sign, before, now) for sign in signs]
    if signs and all(texts):
        return ", and ".join(text for text in texts if text)
    return _by_verdict([name for name, _, _ in rung.changes], verdicts)


def _by_verdict(names: Collection[str], verdicts: Mapping[str, str]) -> str | None:
    """Return the texts of a probe's verdicts if it found every changed setting inert; else None."""
    found = [verdicts.get(f"{_VERDICT}{name}") for name in names]
    return "; ".join(text for text in found if text) if found and all(found) else None


def _unchanged(sign: str, before: Sequence[Record], now: Sequence[Record]) -> str | None:
    read, text = _SIGNS[sign]
    values = [read(record) for record in (*before, *now)]
    unchanged = values[0] is not None and all(value == values[0] for value in values)
    return text.format(_words(values[0])) if unchanged else None


def _omp_max_threads(record: Record) -> int | None:
    observed = record.training.observed if record.training else None
    return observed.omp_max_threads if observed else None


def _threads(record: Record) -> tuple[Thread, ...]:
    evidence = record.training.evidence if record.training else None
    return evidence.threads if evidence else ()


def _said_of_onednn(record: Record) -> str | None:
    """Return "on" or "off" as TensorFlow answered in a launch; None if the launch did not record an answer."""
    said = record.training.mkl_enabled if record.training else None
    return None if said is None else "on" if said else "off"


def _cpus_of_threads(record: Record) -> Counter[str]:
    return Counter(str(thread.allowed_cpus) for thread in _threads(record))


def _words(value: object) -> str:
    if isinstance(value, Counter):
        return ", ".join(f"{count} on CPUs {cpus}" for cpus, count in sorted(value.items()))
    return str(value)


_Read = Callable[[Record], object]
_SIGNS: Mapping[str, tuple[_Read, str]] = {
    "onednn": (_said_of_onednn, "TensorFlow says that oneDNN is {} with and without the change"),
    "omp_max_threads": (
        _omp_max_threads,
        "the OpenMP runtime reports {} threads with and without the change",
    ),
    "thread_count": (lambda record: len(_threads(record)), "the process has {} threads with and without the change"),
    "thread_cpus": (_cpus_of_threads, "its threads are bound alike with and without the change ({})"),
}
