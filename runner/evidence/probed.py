"""Makes evidence from a probe's log and result: everything that is parsed, and every verdict. Pure functions.

Evidence is one line of evidence.jsonl; results/README.md describes every field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.evidence.cell_plan import CellPlan
from runner.evidence.compiled import parse_not_compiled_for
from runner.evidence.counters import Counters
from runner.evidence.inert_settings import Seen, judge_settings
from runner.evidence.onednn import Library, Verbose, parse_verbose
from runner.evidence.openmp import OpenMp, parse_openmp
from runner.evidence.stored import held_to_todays_rules
from runner.evidence.threads import judge_threads, worked_in
from runner.evidence.verdicts import Verdict, judge_kernels, judge_wheel, onednn_by_default

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Subject:
    """What was probed: one variant on one topology, at the batch size of probes."""

    stack: str
    variant: str
    topology: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Subject:
        """The subject of one line of evidence.jsonl."""
        return cls(data["stack"], data["variant"], data["topology"])


@dataclass(frozen=True)
class Evidence:
    """One line of evidence.jsonl.

    `error` says why nothing was obtained; then all other fields are empty. `quiet_error` says why there is no trace and
    no fingerprint although everything else was obtained.

    A probe has two launches. In the verbose launch the verbose switches are on; `logged_step_seconds` are the seconds
    of its steps. The quiet launch has none; `trace` is its trace and `quiet` describes its steps. Runs of earlier
    releases have traces of the verbose launch, and neither `quiet` nor `logged_step_seconds`.

    `compiled` is None if the build's message on instruction sets was not read. `onednn_by_default` is None unless the
    probe left oneDNN to TensorFlow and showed what TensorFlow decided.

    `fingerprint` has one list for each tensor of the first step: [kind, name, norm, dot product, sensitivity]. Outputs
    and all sensitivities come from the quiet launch. Norms and dot products of gradients and updates come from the
    verbose launch, whose log shows which kernels ran.

    `counters` is what the quiet launch did in each timed step, counted from outside. It is None in runs of earlier
    releases.
    """

    subject: Subject
    batch_size: int
    key: str
    library: Mapping[str, Any] | None = None
    further_libraries: tuple[Mapping[str, Any], ...] = ()
    primitives: tuple[Mapping[str, Any], ...] = ()
    reorders: Mapping[str, Any] = field(default_factory=dict)
    threads: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    trace: tuple[Mapping[str, Any], ...] = ()
    logged_step_seconds: tuple[float, ...] = ()
    quiet: Mapping[str, Any] | None = None
    quiet_error: Mapping[str, str] | None = None
    fingerprint: tuple[Sequence[Any], ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    steps: int = 0
    error: Mapping[str, str] | None = None
    compiled: Mapping[str, Any] | None = None
    onednn_by_default: bool | None = None
    counters: Counters | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as data."""
        return {
            "schema_version": SCHEMA_VERSION,
            "stack": self.subject.stack,
            "variant": self.subject.variant,
            "topology": self.subject.topology,
            "batch_size": self.batch_size,
            "key": self.key,
            "steps": self.steps,
            "library": self.library,
            "further_libraries": list(self.further_libraries),
            "primitives": list(self.primitives),
            "reorders": self.reorders,
            "threads": self.threads,
            "settings": self.settings,
            "trace": list(self.trace),
            "logged_step_seconds": list(self.logged_step_seconds),
            "quiet": self.quiet,
            "quiet_error": self.quiet_error,
            "fingerprint": list(self.fingerprint),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "error": self.error,
            "compiled": self.compiled,
            "onednn_by_default": self.onednn_by_default,
            "counters": None if self.counters is None else self.counters.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Evidence:
        """The evidence that `to_json` wrote. Verdicts that passed are checked again by today's rules."""
        return cls(
            subject=Subject.of(data),
            batch_size=data["batch_size"],
            key=data["key"],
            library=data["library"],
            further_libraries=tuple(data.get("further_libraries", ())),
            primitives=tuple(data["primitives"]),
            reorders=data["reorders"],
            threads=data["threads"],
            settings=data["settings"],
            trace=tuple(data["trace"]),
            logged_step_seconds=tuple(data.get("logged_step_seconds", ())),
            quiet=data.get("quiet"),
            quiet_error=data.get("quiet_error"),
            fingerprint=tuple(data.get("fingerprint", ())),
            verdicts=tuple(held_to_todays_rules(Verdict.from_json(each), data) for each in data["verdicts"]),
            steps=data.get("steps", 0),
            error=data.get("error"),
            compiled=data.get("compiled"),
            onednn_by_default=data.get("onednn_by_default"),
            counters=None if data.get("counters") is None else Counters.from_json(data["counters"]),
        )

    @property
    def milliseconds(self) -> float:
        """The time of all primitives in milliseconds."""
        return sum(float(primitive["milliseconds"]) for primitive in self.primitives)


def no_evidence(subject: Subject, batch_size: int, key: str, kind: str, message: str) -> Evidence:
    """The evidence of a probe that failed: only the reason."""
    return Evidence(subject, batch_size, key, error={"kind": kind, "message": message})


def evidence_of(
    subject: Subject, batch_size: int, key: str, cell_plan: CellPlan, log: str, result: Mapping[str, Any]
) -> Evidence:
    """Read a verbose launch's log and result, and give all verdicts on them."""
    verbose, openmp = parse_verbose(log), parse_openmp(log)
    observed, found = result["observed"], result["evidence"]
    omp_max_threads = observed["omp_max_threads"]
    verbose = _with_runtime(verbose, omp_max_threads)
    verdicts = (
        judge_kernels(cell_plan, verbose, result["mkl_enabled"]),
        judge_threads(cell_plan, openmp, omp_max_threads, found["threads"], worked_in(result)),
        judge_wheel(cell_plan, found["wheel"]),
        *judge_settings(Seen(cell_plan, verbose, openmp, omp_max_threads)),
    )
    said = verbose.to_json()
    return Evidence(
        subject=subject,
        batch_size=batch_size,
        key=key,
        library=said["library"],
        further_libraries=tuple(said["further_libraries"]),
        primitives=tuple(said["primitives"]),
        reorders=said["reorders"],
        threads=_threads(openmp, observed, found["threads"]),
        settings={
            "environment": dict(cell_plan.environment),
            "user": dict(openmp.user),
            "effective": dict(openmp.effective),
            "ignored": dict(openmp.ignored),
        },
        fingerprint=tuple(result.get("fingerprint", ())),
        verdicts=verdicts,
        steps=len(result["steps"]),
        logged_step_seconds=_ordinary_steps(result),
        compiled=_compiled(log),
        onednn_by_default=onednn_by_default(cell_plan, verbose, result["mkl_enabled"]),
    )


def with_quiet(evidence: Evidence, batch_size: int, result: Mapping[str, Any], counters: Counters | None) -> Evidence:
    """Add the quiet launch of the same subject: its trace, its ordinary steps, its fingerprint and its counters."""
    quiet = {
        "batch_size": batch_size,
        "step_seconds": list(_ordinary_steps(result)),
        "traced_step_seconds": result["traced_step_seconds"],
    }
    fingerprint = _whole_fingerprint(evidence.fingerprint, result.get("fingerprint", ()))
    return replace(
        evidence, trace=tuple(result["trace"]), quiet=quiet, fingerprint=fingerprint, counters=counters
    )  # fmt: skip


def _whole_fingerprint(verbose: Sequence[Sequence[Any]], quiet: Sequence[Sequence[Any]]) -> tuple[Sequence[Any], ...]:
    """The quiet launch's fingerprint, with the norms and dot products of the verbose launch where it has them."""
    of_kernels_on_record = {(kind, name): numbers[:2] for kind, name, *numbers in verbose}
    return tuple(
        [kind, name, *of_kernels_on_record.get((kind, name), numbers[:2]), numbers[2]] for kind, name, *numbers in quiet
    )


def _ordinary_steps(result: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(step["seconds"] for step in result["steps"] if step["phase"] == "timed")


def _compiled(log: str) -> dict[str, Any]:
    not_used = parse_not_compiled_for(log)
    return {"not_compiled_for": None if not_used is None else list(not_used)}


def _with_runtime(verbose: Verbose, omp_max_threads: int | None) -> Verbose:
    """Add the runtime of MKL-DNN 0.x, which does not print it: OpenMP if it is in the process (0.x has no pool)."""
    library = verbose.library
    if library is None or library.runtime is not None or omp_max_threads is None:
        return verbose
    known = Library(library.name, library.version, library.isa, "OpenMP", omp_max_threads)
    return replace(verbose, library=known)


def _threads(openmp: OpenMp, observed: Mapping[str, Any], threads: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "openmp_max_threads": observed["omp_max_threads"],
        "intra_op_threads": observed["intra_op_threads"],
        "inter_op_threads": observed["inter_op_threads"],
        "initial_cpus": openmp.initial_cpus,
        "initial_cpus_respected": openmp.respected,
        "bound": [
            {"thread": each.thread, "cpus": each.cpus, "is_main_thread": each.process == each.task}
            for each in openmp.bound
        ],
        "allowed_cpus": [thread["allowed_cpus"] for thread in threads],
    }
