"""The report's section on where the launches' wall time went: how much of it was timed training."""

from __future__ import annotations

from runner.report.document import Section, table
from runner.stats.launch_time import LaunchTime, all_together, launch_times
from runner.stats.results import Results

TITLE = "Where the launches' time went"
_COLUMNS = (
    "stack", "variant", "launches", "wall time (s)", "import", "graph", "initialise", "warm-up", "timed steps", "rest",
)  # fmt: skip


def launch_time_sections(measured: Results) -> tuple[Section, ...]:
    """One row for each variant and one for all of them; nothing where no launch of the run counts."""
    variants = [(stack, variant) for stack in measured.stacks for variant in measured.variants(stack)]
    times = sorted(launch_times(measured.usable), key=lambda each: variants.index((each.stack, each.variant)))
    if not times:
        return ()
    everything = all_together(times)
    paragraph = (
        f"{everything.timed_share:.0%} of the launches' wall time was timed training. Every launch imports TensorFlow, "
        "builds its graph, initialises its variables and takes its warm-up steps before its first timed step. The "
        "rest is the start and the end of the container or process, and the evidence that the launch records. Shares "
        "are of the wall time, summed over the launches of a variant. Probes and the matrix product are not counted."
    )
    rows = [_row(each) for each in (*times, everything)]
    return (Section(TITLE, (paragraph,), (table(_COLUMNS, rows, _COLUMNS[2:]),)),)


def _row(each: LaunchTime) -> tuple[str, ...]:
    parts = (each.imports, each.graph, each.initialise, each.warmup, each.timed, each.rest)
    return (
        each.stack or "all", each.variant or "all", str(each.launches), f"{each.total:,.0f}",
        *(f"{part / each.total:.0%}" for part in parts),
    )  # fmt: skip
