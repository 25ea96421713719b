"""Obtains evidence of each variant and topology by launches that are not part of the measurement.

The first launch has every verbose switch on. Its log says which kernels ran; its times are not used, because logging
slows it down. The second launch is quiet, in the environment of the timed launches, and one of its steps is traced.
Knows engines through their protocol alone. If a probe fails, its evidence is missing, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from runner.errors import DiskError, HostError
from runner.evidence import store
from runner.evidence.cell_plan import CellPlan, cell_plan_of
from runner.evidence.counters import counters_of
from runner.evidence.default import PLAIN, plain_install_plan, without_switch
from runner.evidence.perf_output import Counted
from runner.evidence.probed import Evidence, Subject, evidence_of, no_evidence, with_quiet
from runner.evidence.store import EvidenceCache
from runner.evidence.verbose import with_switches
from runner.planning.job import TrainingKind, training_job
from runner.session.counting import Counting
from runner.session.execute import GRACE_SECONDS, keep_graph_of, make_folders
from runner.session.observation import find_error, read_result
from runner.session.perf_stat import permission
from runner.session.state import Session
from runner.status import Status
from runner.storage.runs import Run
from runner.vocabulary import Cell, Launch, Steps

# With two or more images in a batch the kernels are the same; two are quick also on the largest network.
BATCH_SIZE = 2
STEPS = Steps(warmup=1, timed=1)
# A traced step is compared with the median of ordinary steps of its launch; with three, one may be disturbed.
QUIET_STEPS = Steps(warmup=1, timed=3)


@dataclass(frozen=True)
class Probe:
    """The launches to carry out, with and without verbose switches, and the key of what they will show.

    `cell_plan` is what is planned for the timed launches that they represent. `quiet` is None for a plain installation,
    which is probed only for what it logs about oneDNN.
    """

    launch: Launch
    quiet: Launch | None
    cell_plan: CellPlan
    key: str

    @property
    def subject(self) -> Subject:
        """What is probed."""
        return Subject(self.launch.cell.stack, self.launch.cell.variant, self.launch.cell.topology)


@dataclass(frozen=True)
class Progress:
    """One probe that has ended: which of how many, what it showed, and whether it was known before."""

    number: int
    total: int
    evidence: Evidence
    was_known: bool


Began = Callable[[int, int, Subject], None]
Ended = Callable[[Progress], None]


def probes_of(session: Session, launches: Iterable[Launch], batch_size: int = BATCH_SIZE) -> list[Probe]:
    """One probe for each stack, variant and topology among the launches, in the order they first appear.

    They are followed by one probe of each stock build that decides about oneDNN by itself, without its switch, on the
    first topology.
    """
    firsts: dict[Subject, Launch] = {}
    for launch in launches:
        firsts.setdefault(Subject(launch.cell.stack, launch.cell.variant, launch.cell.topology), launch)
    planned = [(launch, cell_plan_of(session.run.about, launch.cell.stack, launch.cell.variant, launch.environment))
               for launch in firsts.values()]  # fmt: skip
    return [_probe(session, launch, cell_plan, batch_size) for launch, cell_plan in [*planned, *_plain(planned)]]


def missing(run: Run, probes: Iterable[Probe]) -> list[Probe]:
    """The probes of which a run has no evidence yet; failed attempts count as none."""
    known = {subject: evidence for subject, evidence in store.read(run.folder).items() if _is_whole(evidence)}
    plain_known = {subject.stack for subject in known if subject.variant == PLAIN}
    return [probe for probe in probes if probe.subject not in known
            and not (probe.subject.variant == PLAIN and probe.subject.stack in plain_known)]  # fmt: skip


def obtain(session: Session, probes: Iterable[Probe], cache: EvidenceCache, began: Began, ended: Ended) -> None:
    """Carry probes out, or take their evidence from the cache. Append each to the run's evidence.jsonl as it ends.

    Raises:
        DiskError: the run's folder cannot be written.
    """
    todo = list(probes)
    for number, probe in enumerate(todo, start=1):
        began(number, len(todo), probe.subject)
        known = cache.find(probe.key)
        evidence = known or _carry_out(session, probe)
        store.append(session.run.folder, evidence)
        if known is None and _is_whole(evidence) and (evidence.counters is None or evidence.counters.is_worth_keeping):
            cache.keep(evidence)
        ended(Progress(number, len(todo), evidence, known is not None))


def _is_whole(evidence: Evidence) -> bool:
    """Whether nothing is left to obtain. Runs of versions without fingerprints have an empty one."""
    return evidence.error is None and evidence.quiet_error is None and bool(evidence.fingerprint)


def _plain(planned: Sequence[tuple[Launch, CellPlan]]) -> list[tuple[Launch, CellPlan]]:
    """The first launch of a stock build of each stack, without its switch for oneDNN.

    A stack in which a planned launch already has no such switch is left out.
    """
    without = {launch.cell.stack for launch, cell_plan in planned if cell_plan.kernels == "either"}
    found: dict[str, tuple[Launch, CellPlan]] = {}
    for launch, cell_plan in planned:
        plainly = plain_install_plan(cell_plan)
        if plainly is not None and launch.cell.stack not in without:
            cell = replace(launch.cell, variant=PLAIN)
            plain = replace(launch, cell=cell, environment=without_switch(launch.environment))
            found.setdefault(launch.cell.stack, (plain, plainly))
    return list(found.values())


def _probe(session: Session, launch: Launch, cell_plan: CellPlan, batch_size: int) -> Probe:
    context = session.context
    cell = Cell(launch.cell.stack, launch.cell.variant, launch.cell.topology, batch_size)
    name = f"{cell.stack}-{cell.variant}-{cell.topology}-b{batch_size}"
    quiet = replace(launch, launch_id=f"quiet-{name}", block=0, position=0, cell=cell, steps=QUIET_STEPS, turns=None)
    probe = replace(quiet, launch_id=f"probe-{name}", steps=STEPS, environment=with_switches(launch.environment))
    # The key includes what was planned, because the same log gives another verdict for a baseline.
    key = store.key_of(
        launch=_settings_of(probe),
        quiet=_settings_of(quiet),
        artifact=dict(session.artifact_of(launch).provenance),
        kernels=cell_plan.kernels,
        holds=cell_plan.holds,
        pin=context.pin.to_json(),
        engine=context.engine,
        enforced=dict(context.enforced),
        machine=dict(context.machine_conditions),
        workload=context.workload_sha256,
        counted_by=None if cell.variant == PLAIN else permission(),
    )
    return Probe(probe, None if cell.variant == PLAIN else quiet, cell_plan, key)


def _settings_of(launch: Launch) -> dict[str, Any]:
    """The settings of a probe's launch, without those that change from run to run."""
    return {name: value for name, value in launch.to_json().items() if name != "time_limit_seconds"}


def _carry_out(session: Session, probe: Probe) -> Evidence:
    """Run both launches. The quiet one is run only if the first one succeeded and the probe has one."""
    size = probe.launch.cell.batch_size
    seen = _seen(session, probe.launch, "probe")
    if seen.error is not None:
        return no_evidence(probe.subject, size, probe.key, **seen.error)
    evidence = evidence_of(probe.subject, size, probe.key, probe.cell_plan, seen.log, seen.result)
    if probe.quiet is None:
        return evidence
    quiet = _seen(session, probe.quiet, "quiet")
    if quiet.error is not None:
        return replace(evidence, quiet_error=quiet.error, fingerprint=())  # without sensitivities there is no tolerance
    counters = None if quiet.counted is None else counters_of(quiet.counted, quiet.result["steps"])
    return with_quiet(evidence, size, quiet.result, counters)


@dataclass(frozen=True)
class _Seen:
    """What one launch of a probe left: its result, its log and what was counted, or what went wrong."""

    result: Mapping[str, Any]
    log: str
    error: Mapping[str, str] | None = None
    counted: Counted | None = None


def _seen(session: Session, launch: Launch, kind: TrainingKind) -> _Seen:
    """Carry one launch out, as the workload's `kind` of job. A quiet launch is counted from outside.

    Raises:
        DiskError: the run's folder cannot be written.
    """
    artifact, context = session.artifact_of(launch), session.context
    folders = make_folders(session.run, launch, session.number, training_job(launch, kind))
    seconds = launch.time_limit_seconds + GRACE_SECONDS
    counting = Counting(lambda: session.engine.process_of(launch, folders)) if kind == "quiet" else None
    try:
        with counting or nullcontext():
            outcome = session.engine.run(launch, context.pin, artifact, folders, seconds)
    except DiskError:
        raise
    except HostError as error:
        return _Seen({}, "", {"kind": Status.FAILED.value, "message": str(error)})
    result = read_result(folders.result / "result.json", launch.launch_id)
    wrong = find_error(launch, artifact, context, outcome, result, folders)
    if wrong is not None or result is None:
        return _Seen({}, "", wrong or {"kind": Status.FAILED.value, "message": "no result"})
    keep_graph_of(session.run, launch, folders, result)
    counted = None if counting is None else counting.counted
    return _Seen(result, folders.log.read_text(encoding="utf-8", errors="replace"), counted=counted)
