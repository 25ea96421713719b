"""The report's section on where the launches' wall time went: how much of it was timed training."""

from __future__ import annotations

from runner.report.document import Section, table
from runner.report.sequence import is_by_turns
from runner.stats.launch_time import LaunchTime, launch_time
from runner.stats.results import Results
from runner.storage.records import Record

TITLE = "Where the launches' time went"
ALL = "all"
SHARED = (
    " Launches that take turns start at the same time and share their block's wall time equally, so that the waits for "
    "one another's turns are not counted twice."
)
_COLUMNS = (
    "stack", "variant", "launches", "wall time (s)", "import", "graph", "initialise", "warm-up", "timed steps", "rest",
)  # fmt: skip


def launch_time_sections(measured: Results) -> tuple[Section, ...]:
    """One row for each variant and one for all of them; nothing where no launch of the run counts.

    Launches that take turns share their block's wall time, which cannot be divided among them: one row for each stack.
    """
    everything = launch_time(measured.usable)
    if everything is None:
        return ()
    by_turns = is_by_turns(measured)
    if by_turns:
        chosen = [(stack, ALL) for stack in measured.stacks if len(measured.stacks) > 1]
    else:
        chosen = [(stack, variant) for stack in measured.stacks for variant in measured.variants(stack)]
    rows = [_row(*key, found) for key in chosen if (found := launch_time(_chosen(measured, *key)))]
    paragraph = (
        f"{everything.timed_share:.0%} of the launches' wall time was timed training. Every launch imports TensorFlow, "
        "builds its graph, initialises its variables and takes warm-up steps before its first timed step and, where "
        "launches take turns, before each burst that follows another launch's. The "
        "rest is the start and the end of the container or process, and the evidence that the launch records. Shares "
        f"are of the wall time, summed over the launches of a {'stack' if by_turns else 'variant'}. Probes, the matrix "
        f"product and failed launches are not counted.{SHARED if by_turns else ''}"
    )
    shown = table(_COLUMNS, [*rows, _row(ALL, ALL, everything)], _COLUMNS[2:])
    told = f"{everything.timed_share:.0%} of the launches' wall time was timed training"
    return (Section(TITLE, (paragraph,), (shown,), summary=told),)


def _chosen(measured: Results, stack: str, variant: str) -> list[Record]:
    """Return the usable records of a stack's variant, or of all its variants."""
    return [each for each in measured.usable if each.cell.stack == stack and variant in (ALL, each.cell.variant)]


def _row(stack: str, variant: str, each: LaunchTime) -> tuple[str, ...]:
    parts = (each.imports, each.graph, each.initialise, each.warmup, each.timed, each.rest)
    shares = [f"{part / each.total:.0%}" for part in parts]
    return (stack, variant, str(each.launches), f"{each.total:,.0f}", *shares)
