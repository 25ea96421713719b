"""Compares each traced step with ordinary steps: of its own quiet launch, and of timed launches of the same batch size.

A trace is representative of a step only if its kernels take about as long as that step. Pure functions.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.evidence.probed import Evidence, Subject
from runner.report.document import Table, table
from runner.report.value_text import factor, significant, times, topology_title
from runner.stats.estimators import timed_step_seconds
from runner.stats.results import Results
from runner.status import Status
from runner.vocabulary import Cell

# If the sum of the kernels differs from a step by more than this share of the step, the report has a sentence on it.
NEAR = 0.15

# (stack, topology) -> variant -> the evidence whose quiet launch traced a step.
Traced = Mapping[tuple[str, str], Mapping[str, Evidence]]


@dataclass(frozen=True)
class ComparedStep:
    """One variant's traced step: the sum of its kernels and its wall time, beside ordinary steps. All in milliseconds.

    `ordinary` is the median ordinary step of the same launch. `timed` is the median step of the timed launches at the
    same batch size; None if there are none. `logged` is the median step of the launch whose log was parsed; None if
    not recorded.
    """

    subject: Subject
    batch_size: int
    kernels: float
    step: float
    ordinary: float
    logged: float | None
    timed: float | None


def check_table(measured: Results, traced: Traced) -> Table:
    """Return the table with a row for each traced step."""
    rows = []
    for each in compared_steps(measured, traced):
        timed = ("—", "—") if each.timed is None else (significant(each.timed), _ratio(each.kernels, each.timed))
        logged = "—" if each.logged is None else significant(each.logged)
        rows.append((
            each.subject.stack, each.subject.variant, topology_title(each.subject.topology), str(each.batch_size),
            significant(each.kernels), significant(each.step), significant(each.ordinary),
            _ratio(each.kernels, each.ordinary), *timed, logged,
        ))  # fmt: skip
    columns = (
        "stack", "variant", "topology", "batch size", "kernels (ms)", "traced step (ms)", "ordinary step (ms)",
        "kernels / ordinary", "timed step (ms)", "kernels / timed",
        "step that logs (ms)",
    )  # fmt: skip
    caption = (
        "The traced step's kernels, compared with ordinary steps of the same launch and timed steps of the same size"
    )
    return table(columns, rows, columns[3:], caption=caption)


def pairs_table(measured: Results, traced: Traced) -> Table:
    """Return, for each timed pair that was traced on both sides, the ratios of kernels, ordinary steps and training."""
    steps = {each.subject: each for each in compared_steps(measured, traced)}
    rows = []
    for row in measured.speedups.values():
        pair, group = row.pair, row.pair.group
        base, other = (steps.get(Subject(cell.stack, cell.variant, cell.topology)) for cell in pair.comparison.cells)
        if base and other and base.kernels and other.kernels:
            status = "" if pair.status == Status.OK else f" ({pair.status.words})"
            rows.append((
                group.stack, topology_title(group.topology), f"{pair.candidate} / {pair.baseline}",
                str(base.batch_size), times(base.kernels / other.kernels), times(base.ordinary / other.ordinary),
                str(group.batch_size), f"{factor(row.alone)}{status}",
            ))  # fmt: skip
    columns = ("stack", "topology", "pair", "traced batch size", "kernels traced", "ordinary steps beside them",
               "timed batch size", "training timed")  # fmt: skip
    return table(columns, rows, columns[3:], caption="The traced step, compared with the timed training")


def differences(measured: Results, traced: Traced) -> tuple[str, ...]:
    """Return a sentence on each variant whose traced kernels differ much from an ordinary or a timed step."""
    found = []
    for each in compared_steps(measured, traced):
        against = {"an ordinary step of the same launch": each.ordinary, "the timed step of the same size": each.timed}
        far = [
            f"{_ratio(each.kernels, step)} of {what} ({significant(step)} ms)"
            for what, step in against.items()
            if step is not None and abs(each.kernels / step - 1) > NEAR
        ]
        if far:
            subject = each.subject
            found.append(
                f"{subject.stack} {subject.variant}, {topology_title(subject.topology)}, batch size {each.batch_size}: "
                f"the traced kernels took {significant(each.kernels)} ms, {' and '.join(far)}. The trace is not "
                "representative of that step."
            )
    return tuple(found)


def compared_steps(measured: Results, traced: Traced) -> Iterator[ComparedStep]:
    """Yield each traced step with the steps it is compared with, in the order of stacks, topologies and variants."""
    timed = _timed_milliseconds(measured)
    for (stack, topology), by_variant in traced.items():
        for variant in measured.variants(stack):
            evidence = by_variant.get(variant)
            if evidence is not None and evidence.quiet is not None:
                quiet = evidence.quiet
                yield ComparedStep(
                    evidence.subject, quiet["batch_size"],
                    kernels=sum(entry["milliseconds"] for entry in evidence.trace),
                    step=1000 * quiet["traced_step_seconds"],
                    ordinary=1000 * statistics.median(quiet["step_seconds"]),
                    logged=1000 * statistics.median(logged) if (logged := evidence.logged_step_seconds) else None,
                    timed=timed.get(Cell(stack, variant, topology, quiet["batch_size"])),
                )  # fmt: skip


def _timed_milliseconds(measured: Results) -> dict[Cell, float]:
    """Return, for each cell, the median over its launches of their median timed step, in milliseconds."""
    found: dict[Cell, list[float]] = {}
    for record in measured.usable:
        found.setdefault(record.cell, []).append(statistics.median(timed_step_seconds(record)))
    return {cell: 1000 * statistics.median(values) for cell, values in found.items()}


def _ratio(kernels: float, step: float) -> str:
    return f"{kernels / step:.2f}"
