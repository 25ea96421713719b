"""How the memory of launches that lived together was laid out, and whether one side had more of what is scarce.

Launches that start together share the host's free huge pages and the memory near their CPUs. The order in which they
start is balanced over the blocks, so neither should favour a variant. Pure functions of records.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.stats.living_together import members_of
from runner.storage.launch_result import LaunchResult, MemoryPages
from runner.storage.records import Record
from runner.vocabulary import Cell, Group

# A group is flagged where the means of two of its variants are further apart: in the share of memory that is in huge
# pages, or in the share that is on some node.
APART = 0.10
# A group is also flagged where one variant has more than so many times as many page faults as another.
FAULTS_APART = 2.0


@dataclass(frozen=True)
class MemoryLayout:
    """Means over a cell's `launches`. `huge_share` is of the peak memory; None: not reported.

    `node_shares` has the share of the pages that is on each memory node; empty: not reported.

    `minor_faults` and `major_faults` are counts of page faults; a major one waited for a disk.
    """

    launches: int
    huge_share: float | None
    node_shares: Mapping[str, float]
    minor_faults: float | None
    major_faults: float | None
    faults_per_step: float | None = None


def memory_layouts(records: Iterable[Record]) -> dict[Cell, MemoryLayout]:
    """The layout of each cell of launches that took turns and recorded it, in the order of the records."""
    found: dict[Cell, list[tuple[LaunchResult, MemoryPages]]] = {}
    for record in records:
        result = record.training
        pages = result.evidence.memory_pages if result is not None and result.evidence is not None else None
        if result is not None and pages is not None and members_of(record) > 1:
            found.setdefault(record.cell, []).append((result, pages))
    return {cell: _layout(each) for cell, each in found.items()}


def apart(layouts: Mapping[Cell, MemoryLayout]) -> list[Group]:
    """The groups in which a variant had clearly more huge pages, or more memory on one node, than another one."""
    groups: dict[Group, list[MemoryLayout]] = {}
    for cell, layout in layouts.items():
        groups.setdefault(cell.group, []).append(layout)
    return [
        group
        for group, each in groups.items()
        if max(_range([layout.huge_share for layout in each]), *map(_range, _by_node(each))) > APART
    ]


def faults_apart(layouts: Mapping[Cell, MemoryLayout]) -> dict[Group, float]:
    """The groups in which a variant had clearly more page faults than another one, and how many times as many a step.

    A faster variant runs more steps in a burst, and every launch has faults before its first step. So a variant must
    have more faults in its launches and in each of its steps. At a fault that waits for no disk the kernel clears a
    page.
    """
    groups: dict[Group, list[tuple[float, float]]] = {}
    for cell, layout in layouts.items():
        if layout.minor_faults and layout.faults_per_step:
            groups.setdefault(cell.group, []).append((layout.faults_per_step, layout.minor_faults))
    found = {}
    for group, each in groups.items():
        (few_a_step, few), (many_a_step, many) = min(each), max(each)
        if many_a_step > FAULTS_APART * few_a_step and many > FAULTS_APART * few:
            found[group] = many_a_step / few_a_step
    return found


def _layout(launches: list[tuple[LaunchResult, MemoryPages]]) -> MemoryLayout:
    huge = [
        pages.anon_huge_bytes / result.peak_memory_bytes
        for result, pages in launches
        if pages.anon_huge_bytes is not None and result.peak_memory_bytes
    ]
    spread = [
        {node: count / total for node, count in pages.node_bytes.items()}
        for _, pages in launches
        if pages.node_bytes and (total := sum(pages.node_bytes.values()))
    ]
    nodes = sorted({node for shares in spread for node in shares})
    return MemoryLayout(
        launches=len(launches),
        huge_share=_mean(huge),
        node_shares={node: statistics.fmean(shares.get(node, 0.0) for shares in spread) for node in nodes},
        minor_faults=_mean([pages.minor_faults for _, pages in launches if pages.minor_faults is not None]),
        faults_per_step=_mean(
            [
                pages.minor_faults / len(result.steps)
                for result, pages in launches
                if pages.minor_faults is not None and result.steps
            ]
        ),
        major_faults=_mean([pages.major_faults for _, pages in launches if pages.major_faults is not None]),
    )


def _by_node(layouts: list[MemoryLayout]) -> list[list[float | None]]:
    """For each node, the share that each cell has there. A cell that recorded no nodes has none."""
    nodes = {node for layout in layouts for node in layout.node_shares}
    return [
        [layout.node_shares.get(node, 0.0) if layout.node_shares else None for layout in layouts] for node in nodes
    ] or [[]]


def _mean(values: list[float] | list[int]) -> float | None:
    return statistics.fmean(values) if values else None


def _range(values: list[float | None]) -> float:
    known = [value for value in values if value is not None]
    return max(known) - min(known) if known else 0.0
