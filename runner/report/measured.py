"""A run's results as a report shows them: with earlier sentences corrected, and with names and values in words."""

from __future__ import annotations

from dataclasses import replace

from runner.report.corrections import corrected
from runner.report.value_text import plural, present
from runner.stats.results import Results, results_of
from runner.stats.tables import Summary
from runner.storage.runs import Run
from runner.vocabulary import ENFORCEABLE

# A part of a reproduction is resumed with it; `reproduce --resume` takes the folder of either.
REPRODUCE = "python -m runner reproduce"


def measured(run: Run) -> Results:
    """Read a run's results for a report, with sentences of earlier versions corrected.

    Raises:
        RunFormatError: the records, peaks or evidence are damaged, or of a newer schema.
    """
    return results_of(replace(run, header=corrected(run.header)))


def condition(measured: Results, name: str, value: object) -> str:
    """Return a condition's value in words.

    A limit that is null was not asked for ("none"), or the engine has no means for it ("cannot be enforced"). The two
    limits of the control group in which the kit itself runs are "none" if null: the kernel then shows no such limit.
    """
    if value is None and name in ("machine.cpu_quota_cpus", "machine.memory_high_bytes"):
        return "none"
    limit = ENFORCEABLE.get(name.removeprefix("enforced."))
    if value is not None or limit is None:
        return present(value)
    return "cannot be enforced" if limit in measured.header.engine.cannot_enforce else "none"


def completing(measured: Results) -> str:
    """Return the command that completes the run. It has RUN in place of the run's folder, which may be moved."""
    if measured.run.is_of_compose:
        return "docker-compose up, then python -m runner report RUN"
    if measured.header.command.startswith(REPRODUCE):
        return f"{REPRODUCE} --resume RUN"
    return f"python -m runner {'ablate' if measured.header.is_ladder else 'compare'} --resume RUN"


def going_on(measured: Results) -> str:
    """Return in a few words what goes on with the run."""
    return "another docker-compose up" if measured.run.is_of_compose else "--resume"


def blocks_in_words(measured: Results) -> str:
    """Return how many blocks the groups have: "6 blocks", or "6 to 14 blocks" where a second stage added some."""
    plan = measured.header.plan
    counts = sorted({plan.blocks_of(group) for group in plan.groups})
    return plural(counts[0], "block") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} blocks"


def typical_step(measured: Results) -> str:
    """Return in words which of a launch's step times its speed is computed from (runner/stats/estimators.py)."""
    if all(launch.turns is not None for launch in measured.run.launches):
        return "interquartile mean of its bursts' step times"
    return "median step time"


def in_order_of_interest(measured: Results) -> list[str]:
    """Return the run's stacks: the newest one with a vendor's build or plug-in, then the others, newest first.

    What a vendor's build gains is what the report is about. A newer release may have none.
    """
    stacks = measured.header.stacks
    newest = sorted(measured.stacks, key=lambda name: stacks[name].released, reverse=True)
    answers = [name for name in newest if measured.vendors_build(name) or stacks[name].additions]
    return sorted(newest, key=lambda name: name not in answers[:1])


def layouts_in_words(measured: Results, row: Summary) -> str:
    """Return the layouts of both sides of a pair in words if they differ; else empty."""
    variants = measured.header.stacks[row.stack].variants
    candidate, baseline = (variants[name].layout for name in (row.candidate, row.baseline))
    return "" if candidate == baseline else f", {candidate} against {baseline}"


def variant_title(measured: Results, stack: str, variant: str) -> str:
    """Return a variant's label, with a remark if it is what a plain installation runs here."""
    text = measured.header.stacks[stack].variants[variant].label
    return f"{text} (as a plain pip install has it here)" if variant == measured.plain_variant(stack) else text
