"""The report's section on whether launches were warm when timing began."""

from __future__ import annotations

from runner.report.document import Section, table
from runner.report.step_factors import counts_told, factor_told
from runner.report.value_text import plural, topology_title
from runner.stats.results import Results
from runner.stats.steadiness import steadiness
from runner.stats.verdict_words import SLOWER

TITLE = "Whether the launches were warm"
ONE_STEP = "launches of one timed step: cannot be judged"


def warm_up_sections(measured: Results) -> tuple[Section, ...]:
    """One row for each cell: the first half of its timed steps against the second; nothing where no launch trained."""
    judged = steadiness(measured.usable)
    if not judged:
        return ()
    known = [each for each in judged.values() if each.verdict]
    if not known:
        why = (
            "launches have one timed step"
            if all(each.factor is None for each in judged.values())
            else "one block gives no interval"
        )
        return (Section(TITLE, (f"Whether warm-up was long enough cannot be judged here: {why}.",)),)
    slower = sum(each.verdict == SLOWER for each in known)
    told = f"the first half of the timed steps was slower than the second in {slower} of {plural(len(known), 'cell')}"
    paragraph = (
        "A launch that is still warming up is slower in the first half of its timed steps than in the second half. "
        f"The first half against the second: {counts_told([each.verdict for each in known])}. Each interval is "
        "Student's t over the blocks, of one cell alone. Where nothing differs, about one in twenty of them excludes "
        "0% all the same. A host that becomes faster or slower within a launch looks the same. Where warm-up was too "
        "short, --warmup makes it longer."
    )
    columns = ("stack", "variant", "topology", "batch size", "untimed steps first", "the first half [95%]")
    rows = [
        (cell.stack, cell.variant, topology_title(cell.topology), str(cell.batch_size), str(each.warmup),
         factor_told(each.factor, ONE_STEP))
        for cell, each in judged.items()
    ]  # fmt: skip
    return (Section(TITLE, (paragraph,), (table(columns, rows, columns[3:5]),), summary=told),)
