"""Obtains a run's missing evidence and prints a line on each probe, for `compare` and `probe`."""

from __future__ import annotations

from collections.abc import Iterable

from runner.cli.progress import say
from runner.engines.environments import default_cache
from runner.evidence.probed import Evidence, Subject
from runner.evidence.store import EvidenceCache
from runner.evidence.verdicts import INERT
from runner.session.probing import BATCH_SIZE, Progress, missing, obtain, probes_of
from runner.session.state import Session
from runner.vocabulary import Launch

CACHE_FOLDER = "evidence"


def probe_missing(session: Session, launches: Iterable[Launch], batch_size: int = BATCH_SIZE) -> None:
    """Probe every variant and topology of these launches that the run has no evidence of, with a line for each.

    Raises:
        DiskError: the run's folder cannot be written.
    """
    todo = missing(session.run, probes_of(session, launches, batch_size))
    obtain(session, todo, EvidenceCache(default_cache() / CACHE_FOLDER), _began, _ended)


def is_in_order(evidence: Evidence) -> bool:
    """Whether all of the evidence was obtained and no verdict failed."""
    obtained = evidence.error is None and evidence.quiet_error is None
    return obtained and not any(verdict.passed is False for verdict in evidence.verdicts)


def _began(number: int, total: int, subject: Subject) -> None:
    what = "untimed: one launch with verbose switches, one quiet"
    say(f"probe {number}/{total}  {subject.stack} {subject.variant} {subject.topology} ({what})")


def _ended(progress: Progress) -> None:
    evidence = progress.evidence
    known = " (known from an earlier run)" if progress.was_known else ""
    if evidence.error is not None:
        say(f"          no evidence: {evidence.error['kind']}: {evidence.error['message']}")
        return
    if evidence.quiet_error is not None:
        error = evidence.quiet_error
        say(f"          no trace and no fingerprint: {error['kind']}: {error['message']}")
    first, *others = evidence.verdicts
    for verdict in others if is_in_order(evidence) else (first, *others):
        if verdict.passed is not True and not verdict.id.startswith(INERT):
            say(f"          {'FAILED' if verdict.passed is False else 'not known'}: {verdict.text}")
    if is_in_order(evidence):
        say(f"          {first.text}{known}")
