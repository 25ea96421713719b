"""The report's section on how many of its cores each cell used: CPU seconds over wall seconds, beside the pin."""

from __future__ import annotations

from runner.report.document import Section, table
from runner.report.value_text import plural, significant, topology_title
from runner.stats.cores import FEW, CoresUsed, cores_used
from runner.stats.results import Results

TITLE = "Cores used"
NOT_RECORDED = "not recorded"
NEITHER = "This run recorded neither the CPU seconds of the timed steps nor the CPU on which each thread was last seen."
# At most this many cells are named at the top of the report. On a busy host all cells may use too few cores.
MOST_WARNINGS = 3


def cores_section(measured: Results) -> Section:
    """Return the section: one row for each cell, and a sentence on each that used far fewer cores than it was given."""
    found = _in_order(measured)
    if not any(each.recorded for each in found):
        return Section(TITLE, (NEITHER,))
    paragraphs = (
        "CPU seconds (user and system) that the process used in its timed steps, divided by their wall seconds. This "
        "is how many cores were busy on average. A low figure proves that cores were idle or taken by something else. "
        "A high figure proves nothing, because a thread that spins while it waits counts as busy.",
        *few_cores(measured),
    )
    recorded = [each for each in found if each.recorded]
    few = sum(each.is_few for each in recorded)
    rows = [_row(each) for each in found]
    told = f"{few} of {plural(len(recorded), 'cell')} used fewer than {FEW:.0%} of their cores"
    return Section(TITLE, paragraphs, (table(_COLUMNS, rows, _COLUMNS[3:]),), summary=told)


def core_warnings(measured: Results) -> tuple[str, ...]:
    """Return the first sentences of `few_cores`, for the top of the report, and how many more there are."""
    found = few_cores(measured)
    left = len(found) - MOST_WARNINGS
    if left <= 0:
        return found
    rest = f'{plural(left, "more cell")} used fewer than {FEW:.0%} of the cores that they were given: see "{TITLE}".'
    return (*found[:MOST_WARNINGS], rest)


def few_cores(measured: Results) -> tuple[str, ...]:
    """Return a sentence on each cell that used far fewer cores than it was given, with what its threads show."""
    return tuple(
        f"{each.cell.stack} {each.cell.variant}, {topology_title(each.cell.topology)}, batch size "
        f"{each.cell.batch_size}: used {significant(each.parallelism)} of {each.cores} cores in its timed steps "
        f"(fewer than {FEW:.0%} of them): {each.reason}."
        for each in _in_order(measured)
        if each.parallelism is not None and each.is_few
    )


_COLUMNS = (
    "stack", "variant", "topology", "batch size", "CPUs of the pin", "cores of the pin", "cores used", "user (s)",
    "system (s)", "wall (s)", "launches",
)  # fmt: skip


def _row(each: CoresUsed) -> tuple[str, ...]:
    cell = each.cell
    head = (cell.stack, cell.variant, topology_title(cell.topology), str(cell.batch_size), str(each.cpus),
            str(each.cores))  # fmt: skip
    if each.parallelism is None:
        return (*head, NOT_RECORDED, "—", "—", "—", str(each.launches))
    count = str(each.recorded) if each.recorded == each.launches else f"{each.recorded} of {each.launches}"
    seconds = (each.user_seconds, each.system_seconds, each.wall_seconds)
    return (*head, f"{each.parallelism:.2f}", *(significant(value) for value in seconds), count)


def _in_order(measured: Results) -> list[CoresUsed]:
    order = {launch.cell: launch.cell.group.report_order() for launch in measured.run.launches}
    return sorted(
        cores_used(measured.usable),
        key=lambda each: (*order[each.cell], measured.variants(each.cell.stack).index(each.cell.variant)),
    )
