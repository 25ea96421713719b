"""A run's results as a report shows them: earlier sentences put right, and how a run is named in words."""

from __future__ import annotations

from dataclasses import replace

from runner.report.corrections import corrected
from runner.report.value_text import present
from runner.stats.results import Results, results_of
from runner.storage.runs import Run
from runner.vocabulary import ENFORCEABLE


def measured(run: Run) -> Results:
    """Read a run's results for a report.

    Raises:
        RunFormatError: its records, peaks or evidence are damaged, or of a newer schema.
    """
    return results_of(replace(run, header=corrected(run.header)))


def condition(measured: Results, name: str, value: object) -> str:
    """A condition's value in words. A limit that is null was not asked for, or the engine has no means for it.

    Of the limits of the kit's own control group, null is none: one that cannot be seen holds nobody here.
    """
    if value is None and name in ("machine.cpu_quota_cpus", "machine.memory_high_bytes"):
        return "none"
    limit = ENFORCEABLE.get(name.removeprefix("enforced."))
    if value is not None or limit is None:
        return present(value)
    return "cannot be enforced" if limit in measured.header.engine.cannot_enforce else "none"


def completing(measured: Results) -> str:
    """What completes the run; RUN is its folder, which may be moved."""
    if measured.run.is_of_compose:
        return "docker-compose up, then python -m runner report RUN"
    return f"python -m runner {'ablate' if measured.header.is_ladder else 'compare'} --resume RUN"


def going_on(measured: Results) -> str:
    """The short name of what goes on with the run."""
    return "another docker-compose up" if measured.run.is_of_compose else "--resume"


def variant_title(measured: Results, stack: str, variant: str) -> str:
    """A variant's name for people, with a word if it is what a plain installation runs here."""
    text = measured.header.stacks[stack].variants[variant].label
    return f"{text} (as a plain pip install has it here)" if variant == measured.plain_variant(stack) else text
