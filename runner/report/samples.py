"""Makes the section with what is behind every bar: the raw samples of its launches, and the command that repeats them.

The page links to it from each speedup.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.report.commands import repeats
from runner.report.document import Samples, Section, table
from runner.report.value_text import significant, topology_title
from runner.stats.estimators import bursts_of, images_per_second, timed_step_seconds
from runner.stats.results import Results
from runner.storage.records import Record
from runner.vocabulary import Group

TITLE = "Every launch, and the command that repeats it"
COLUMNS = ("block", "variant", "images/s", "seconds of each timed step", "launch")


def anchor(group: Group) -> str:
    """Return the name by which the page links to a group's samples."""
    return f"samples-{group.stack}-{group.topology}-b{group.batch_size}"


def samples_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section; nothing for a run of which no launch counts."""
    by_group: dict[Group, list[Record]] = {}
    for record in measured.usable:
        by_group.setdefault(record.cell.group, []).append(record)
    if not by_group:
        return ()
    paragraph = (
        "Each row is one usable launch. The files of a launch are its job, its result with every step and loss, "
        "and its log. In a run that was packed, such as the kit's own sample, they are in launches.tar.xz. A command "
        "repeats one network with all its variants in a new run. RUN in a command stands for the folder of this report."
    )
    found = tuple(_samples(measured, group, by_group[group]) for group in sorted(by_group, key=Group.report_order))
    told = f"the seconds of all timed steps of {len(measured.usable)} launches, and a command for each network"
    return (Section(TITLE, (paragraph,), samples=found, summary=told),)


def _samples(measured: Results, group: Group, records: Sequence[Record]) -> Samples:
    names = measured.variants(group.stack)
    ordered = sorted(records, key=lambda each: (each.block, names.index(each.cell.variant), each.launch_id))
    rows = [
        (str(each.block), each.cell.variant, significant(images_per_second(each)), _seconds(each), each.launch_id)
        for each in ordered
    ]
    folders = {each.launch_id: f"launches/{each.launch_id}/" for each in ordered}
    there = {name: path for name, path in folders.items() if (measured.run.folder / path).is_dir()}
    title = f"{group.stack}, {topology_title(group.topology)}, batch size {group.batch_size}"
    shown = table(COLUMNS, rows, COLUMNS[:1] + COLUMNS[2:3], caption=f"{title}: its launches")
    return Samples(anchor(group), title, repeats(measured.run, group), shown, there)


def _seconds(record: Record) -> str:
    """Return the seconds of the timed steps; a vertical line stands between two bursts."""
    bursts = bursts_of(record) or [timed_step_seconds(record)]
    return " | ".join(" ".join(f"{seconds:.4g}" for seconds in burst) for burst in bursts)
