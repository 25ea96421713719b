"""The report's section on where the noise of a run by turns comes from: launches, bursts or steps."""

from __future__ import annotations

from runner.report.document import Section, table
from runner.report.sequence import is_by_turns
from runner.report.value_text import topology_title
from runner.stats.components import Component
from runner.stats.noise import Measured, cells, pairs
from runner.stats.results import Results

TITLE = "Where the noise comes from"
_HEAD = ("stack", "topology", "batch size")
_LEVELS = ("between blocks", "between bursts", "between steps")


def noise_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section; nothing for a run without turns, or without two blocks of anything."""
    by_pair, by_cell = pairs(measured), cells(measured)
    if not is_by_turns(measured) or not any(each.components.blocks for each in by_pair):
        return ()
    paragraph = (
        "Standard deviations of logarithms, which are nearly shares of the value, split into their levels. What varies "
        "between the blocks of a pair is what its interval is made of, and only more blocks make that narrower. Its "
        "bursts vary with the host and with their steps; more bursts help while this is large against the blocks. A "
        "level shows 0% where the level below explains all of it, and a dash where nothing was repeated. A pair varies "
        "less between blocks than its cells do, if what slows the host slows both sides."
    )
    tables = (
        table((*_HEAD, "pair", *_LEVELS[:2]), [(*_row(each), *_levels(each)[:2]) for each in by_pair],
              (_HEAD[2], *_LEVELS[:2]), caption="Ratios of a pair, paired block by block and burst by burst"),
        table((*_HEAD, "variant", *_LEVELS), [(*_row(each), *_levels(each)) for each in by_cell],
              (_HEAD[2], *_LEVELS), caption="Step times of a cell"),
    )  # fmt: skip
    told = "how much blocks, bursts and steps vary"
    return (Section(TITLE, (paragraph,), tables, summary=told),)


def _row(each: Measured) -> tuple[str, ...]:
    group = each.group
    return (group.stack, topology_title(group.topology), str(group.batch_size), each.name)


def _levels(each: Measured) -> tuple[str, ...]:
    found = each.components
    return tuple(map(_deviation, (found.blocks, found.bursts, found.steps)))


def _deviation(level: Component | None) -> str:
    return "—" if level is None else f"{level.deviation:.1%}"
