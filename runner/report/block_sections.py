"""The report's section on single blocks: each launch's speed and each block's ratio. The intervals come from these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.report.document import Section, Table, table
from runner.report.value_text import significant, times, topology_title
from runner.stats.estimators import images_per_second
from runner.stats.pairs import groups_of
from runner.stats.results import Results
from runner.storage.records import Record, latest
from runner.vocabulary import Cell


def block_section(measured: Results) -> Section:
    """Return the section with what every block measured. No value in it is an average over blocks."""
    paragraph = (
        "Images per second of every launch that counts, and the ratio of the two launches of each block. If all "
        "variants are slower in one block than in the others, the host was slower during that block. If a ratio "
        "differs from that of the other blocks, but the block's speeds do not differ together, something affected one "
        "launch and not the other."
    )
    tables = (_ratios_table(measured), _speeds_table(measured))
    return Section("Block by block", (paragraph,), tables, summary="each launch's speed, and each block's ratio")


def _ratios_table(measured: Results) -> Table:
    blocks = _blocks(measured)
    rows = []
    for pair in measured.pairs:
        ratios = pair.ratio_by_block if pair.is_measured else {}
        group = pair.group
        head = (group.stack, topology_title(group.topology), str(group.batch_size))
        shown = (times(ratios[block]) if block in ratios else "—" for block in blocks)
        rows.append((*head, f"{pair.candidate} / {pair.baseline}", *shown))
    columns = ("stack", "topology", "batch size", "pair", *(f"block {block}" for block in blocks))
    return table(columns, rows, (columns[2], *columns[4:]), caption="Speedup in each block")


def _speeds_table(measured: Results) -> Table:
    blocks = _blocks(measured)
    by_cell: dict[Cell, dict[int, list[Record]]] = {}
    for record in latest(list(measured.records)).values():
        by_cell.setdefault(record.cell, {}).setdefault(record.block, []).append(record)
    rows = []
    for group in groups_of(measured.run):
        for variant in measured.variants(group.stack):
            found = by_cell.get(group.cell(variant), {})
            head = (group.stack, variant, topology_title(group.topology), str(group.batch_size))
            rows.append((*head, *(_speed(found, block) for block in blocks)))
    columns = ("stack", "variant", "topology", "batch size", *(f"block {block}" for block in blocks))
    return table(columns, rows, columns[3:], caption="Images per second of each launch")


def _blocks(measured: Results) -> range:
    return range(1, measured.header.plan.blocks + 1)


def _speed(found: Mapping[int, Sequence[Record]], block: int) -> str:
    """The speed of a cell's launch in a block; of each launch, where it took turns with one variant at a time."""
    launches = sorted(found.get(block, ()), key=lambda record: record.sitting or 0)
    return ", ".join(
        significant(images_per_second(record)) if record.failure is None else record.failure.status.words
        for record in launches
    ) or "—"  # fmt: skip
