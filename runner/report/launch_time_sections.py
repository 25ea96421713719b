"""The report's section on where the launches' wall time went: how much of it was timed training."""

from __future__ import annotations

from runner.report.document import Section, table
from runner.stats.launch_time import LaunchTime, launch_time
from runner.stats.results import Results

TITLE = "Where the launches' time went"
_COLUMNS = (
    "stack", "variant", "launches", "wall time (s)", "import", "graph", "initialise", "warm-up", "timed steps", "rest",
)  # fmt: skip


def launch_time_sections(measured: Results) -> tuple[Section, ...]:
    """One row for each variant and one for all of them; nothing where no launch of the run counts."""
    everything = launch_time(measured.usable)
    if everything is None:
        return ()
    rows = [
        _row(stack, variant, found)
        for stack in measured.stacks
        for variant in measured.variants(stack)
        if (
            found := launch_time(
                each for each in measured.usable if (each.cell.stack, each.cell.variant) == (stack, variant)
            )
        )
    ]
    paragraph = (
        f"{everything.timed_share:.0%} of the launches' wall time was timed training. Every launch imports TensorFlow, "
        "builds its graph, initialises its variables and takes its warm-up steps before its first timed step. The "
        "rest is the start and the end of the container or process, and the evidence that the launch records. Shares "
        "are of the wall time, summed over the launches of a variant. Probes, the matrix product and failed launches "
        "are not counted."
    )
    return (Section(TITLE, (paragraph,), (table(_COLUMNS, [*rows, _row("all", "all", everything)], _COLUMNS[2:]),)),)


def _row(stack: str, variant: str, each: LaunchTime) -> tuple[str, ...]:
    parts = (each.imports, each.graph, each.initialise, each.warmup, each.timed, each.rest)
    shares = [f"{part / each.total:.0%}" for part in parts]
    return (stack, variant, str(each.launches), f"{each.total:,.0f}", *shares)
