"""Makes the frames: one row for each observation, one column for each variable, with the unit in the column's name.

Every function takes the folders of one or more runs. The first column of every frame is the name of the run, or its
folder if two runs have the same name. A value that could not be measured is NaN or NA.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from runner.evidence.probed import Evidence
from runner.frames.sources import Source, named
from runner.stats.estimators import images_per_second
from runner.stats.intervals import Estimate
from runner.stats.results import Results
from runner.stats.tables import Speedup
from runner.storage.records import Record, latest
from runner.vocabulary import Cell

# The type of each column, by pandas' names. Types with a capital letter, and "boolean", can hold "not known" (NA).
Columns = Mapping[str, str]
CELL: Columns = {"stack": "object", "variant": "object", "topology": "object", "batch_size": "int64"}
ATTEMPT: Columns = {"launch_id": "object", "session": "int64", "block": "int64", **CELL, "counts": "bool"}
SPEEDUPS: Columns = {
    "stack": "object", "topology": "object", "batch_size": "int64", "baseline": "object", "candidate": "object",
    "baseline_images_per_second": "float64", "candidate_images_per_second": "float64", "speedup": "float64",
    "ci_low": "float64", "ci_high": "float64", "blocks": "int64", "verdict": "object", "status": "object",
    "reason": "object", "family_ci_low": "float64", "family_ci_high": "float64", "family_size": "int64",
}  # fmt: skip
LAUNCHES: Columns = {
    **ATTEMPT, "images_per_second": "float64", "launch_seconds": "float64", "peak_memory_bytes": "Int64",
    "started": "datetime64[ns, UTC]", "status": "object", "reason": "object",
}  # fmt: skip
STEPS: Columns = {**ATTEMPT, "step": "int64", "phase": "object", "turn": "Int64",
                  "began": "float64", "seconds": "float64", "loss": "float64"}  # fmt: skip
OF_A_STEP = ("phase", "turn", "began", "seconds", "loss")
EVIDENCE: Columns = {**CELL, "source": "object", "verdict": "object", "passed": "boolean", "text": "object"}
# Stands in place of a verdict's id where a probe failed. The row's text is then the reason.
NOT_OBTAINED = "not_obtained"

Row = Mapping[str, object]


def speedups(*runs: Source) -> pd.DataFrame:
    """Return one row for each pair of variants of each topology and batch size. A ladder has no pairs and no rows.

    Columns: run, stack, topology, batch_size (images), baseline, candidate; baseline_images_per_second and
    candidate_images_per_second, each the geometric mean over the complete blocks; speedup, the geometric mean of the
    blocks' ratios of candidate to baseline; ci_low and ci_high, the ends of its own 95% interval; blocks, the number of
    complete blocks; verdict ("faster", "slower", "no clear difference", ...); status, "ok" or the kind of problem;
    reason, the problem in words; family_ci_low and family_ci_high, the ends of the interval that holds at once with
    those of all family_size pairs of the run. The verdict is read off the latter interval.

    Raises:
        RunFormatError: a folder holds no run, or a run that is damaged or of a newer schema.
    """
    return _frame(SPEEDUPS, ((run, _speedup(row)) for run, results in named(runs) for row in results.speedups.values()))


def launches(*runs: Source) -> pd.DataFrame:
    """Return one row for each attempt at a launch, including failed attempts and those that were repeated.

    Columns: run, launch_id, session, block, stack, variant, topology, batch_size (images); counts, whether a speedup
    may be computed from this attempt; images_per_second, batch size over the median timed step; launch_seconds, from
    the start of the container or process to its end; peak_memory_bytes, as the process recorded it; started (UTC);
    status, "ok" or the kind of its error; reason, the error in words.

    Raises:
        RunFormatError: a folder holds no run, or a run that is damaged or of a newer schema.
    """
    return _frame(
        LAUNCHES,
        ((run, {**key, **_launch(record)}) for run, results in named(runs) for key, record in _attempts(results)),
    )


def steps(*runs: Source) -> pd.DataFrame:
    """Return one row for each training step of every attempt that ended without an error.

    Columns: run, launch_id, session, block, stack, variant, topology, batch_size (images); counts, as in `launches`;
    step, counted from 0 in each launch; phase, "warmup" or "timed"; turn, in which of its block's turns it was run, NA
    without turns; began, in seconds on the host's monotonic clock, NaN in older runs; seconds; loss.

    Raises:
        RunFormatError: a folder holds no run, or a run that is damaged or of a newer schema.
    """
    return _frame(
        STEPS,
        (
            (run, {**key, "step": step.index, **{name: getattr(step, name) for name in OF_A_STEP}})
            for run, results in named(runs)
            for key, record in _attempts(results)
            if record.error is None and record.training is not None
            for step in record.training.steps
        ),
    )


def evidence(*runs: Source) -> pd.DataFrame:
    """Return one row for each verdict of each probe, and for each verdict of each timed launch that counts.

    Columns: run, stack, variant, topology, batch_size (images; a probe has a batch size of its own); source, "probe" or
    the launch's id; verdict, its id ("inert:NAME" for a setting without effect, "not_obtained" for a probe that
    failed); passed, NA if it could not be decided; text, the verdict as a sentence.

    Raises:
        RunFormatError: a folder holds no run, or a run that is damaged or of a newer schema.
    """
    return _frame(EVIDENCE, ((run, row) for run, results in named(runs) for row in _verdicts(results)))


def _frame(columns: Columns, rows: Iterator[tuple[str, Row]]) -> pd.DataFrame:
    found = [{"run": run, **row} for run, row in rows]
    return pd.DataFrame(found, columns=["run", *columns]).astype({"run": "object", **columns})


def _speedup(row: Speedup) -> Row:
    pair, group = row.pair, row.pair.group
    return {
        "stack": group.stack, "topology": group.topology, "batch_size": group.batch_size,
        "baseline": pair.baseline, "candidate": pair.candidate,
        "baseline_images_per_second": row.baseline_images_per_second,
        "candidate_images_per_second": row.candidate_images_per_second,
        "speedup": row.alone.value if row.alone else None, **_ends("ci", row.alone),
        "blocks": row.blocks, "verdict": row.verdict, "status": pair.status, "reason": pair.reason,
        **_ends("family_ci", row.together), "family_size": pair.family,
    }  # fmt: skip


def _ends(name: str, estimate: Estimate | None) -> Row:
    low, high = (estimate.interval if estimate else None) or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def _attempts(results: Results) -> Iterator[tuple[dict[str, object], Record]]:
    """Yield every record with the columns that say which attempt it is."""
    counting = set(map(id, latest(list(results.records)).values()))
    for record in results.records:
        which = {"launch_id": record.launch_id, "session": record.session, "block": record.block, **_cell(record.cell)}
        yield {**which, "counts": id(record) in counting and record.error is None}, record


def _launch(record: Record) -> Row:
    result, failure = record.training, record.failure
    return {
        "images_per_second": None if failure else images_per_second(record),
        "launch_seconds": record.facts.get("seconds"),
        "peak_memory_bytes": result.peak_memory_bytes if result else None,
        "started": record.facts.get("started"), "status": failure.kind if failure else "ok",
        "reason": failure.message if failure else "",
    }  # fmt: skip


def _verdicts(results: Results) -> Iterator[Row]:
    for found in results.evidence.values():
        yield from _of_probe(found)
    for cell, known in results.cells.items():
        for launch_id, verdicts in known.launches.items():
            for each in verdicts:
                yield {**_cell(cell), "source": launch_id, "verdict": each.id, "passed": each.passed, "text": each.text}


def _of_probe(found: Evidence) -> Iterator[Row]:
    subject = found.subject
    which = {**_cell(Cell(subject.stack, subject.variant, subject.topology, found.batch_size)), "source": "probe"}
    for error in (found.error, found.quiet_error):
        if error is not None:
            text = f"{error['kind']}: {error['message']}"
            yield {**which, "verdict": NOT_OBTAINED, "passed": None, "text": text}
    for each in found.verdicts:
        yield {**which, "verdict": each.id, "passed": each.passed, "text": each.text}


def _cell(cell: Cell) -> dict[str, object]:
    return {"stack": cell.stack, "variant": cell.variant, "topology": cell.topology, "batch_size": cell.batch_size}
