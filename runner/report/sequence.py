"""Says whether the launches of a run's blocks took turns, and which followed one another instead, and why."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from runner.planning.plan import spins_for_ever
from runner.report.value_text import topology_title
from runner.stats.pairs import groups_of
from runner.stats.results import Results
from runner.vocabulary import Group, Launch

IN_SEQUENCE = "--in-sequence"
# A note of the plan on a group that has no room to live together (runner/planning/memory.py) goes on so.
BECAUSE = ", because "


def is_by_turns(measured: Results) -> bool:
    """Return whether launches of this run lived together and took turns; false for runs of earlier versions."""
    return any(launch.members > 1 for launch in measured.run.launches)


def groups_by_turns(measured: Results) -> list[Group]:
    """Return the groups whose launches took turns, in the order of the report."""
    found = {launch.cell.group for launch in measured.run.launches if launch.members > 1}
    return [group for group in groups_of(measured.run) if group in found]


def sequence_sentences(measured: Results) -> tuple[str, ...]:
    """Return a sentence for each reason for which launches of a block followed one another.

    Nothing is said of runs of earlier versions, whose launches always did, nor of a group with one launch in a block.
    """
    by_reason: dict[str, list[Group]] = {}
    for group in groups_of(measured.run):
        launches = [launch for launch in measured.run.launches if launch.cell.group == group]
        if _is_in_sequence(launches):
            by_reason.setdefault(_reason(measured, group, launches), []).append(group)
    whole = not is_by_turns(measured) and len(by_reason) == 1
    return tuple(
        f"{'In this run' if whole else f'{_names(groups)}:'} the launches of a block followed one another and took no "
        f"turns, because {reason}."
        for reason, groups in by_reason.items()
    )


def sittings_sentences(measured: Results) -> tuple[str, ...]:
    """Return what is said where the baseline took turns with one candidate at a time; empty if it did so nowhere."""
    groups = [group for group in groups_of(measured.run) if group in
              {launch.cell.group for launch in measured.run.launches if launch.sitting is not None}]  # fmt: skip
    if not groups:
        return ()
    by_reason: dict[str, list[Group]] = {}
    for group in groups:
        by_reason.setdefault(_noted(measured, group), []).append(group)
    return (
        *(
            f"{_names(found)}: in each block the baseline took turns with one candidate at a time, and has a launch of "
            f"its own beside each{f', because {reason}' if reason else ''}."
            for reason, found in by_reason.items()
        ),
        "Two candidates that did not take turns with one another are compared through the baseline: in each block, the "
        "ratio of one to the baseline beside it is divided by the ratio of the other to the baseline beside that one. "
        "The host's changes between the two cancel, and the noise of both baselines is in the interval.",
    )


def _is_in_sequence(launches: list[Launch]) -> bool:
    """Whether a group has launches without turns beside others in its blocks, of a version that has turns."""
    alone = [launch for launch in launches if launch.turns is not None and launch.members == 1]
    return bool(alone) and len({launch.cell.variant for launch in launches}) > 1


def _reason(measured: Results, group: Group, launches: list[Launch]) -> str:
    """Return why, as a clause: as the command or the plan's own note has it, or as the settings show it."""
    if IN_SEQUENCE in shlex.split(measured.header.command):
        return f"{IN_SEQUENCE} asked for it"
    if noted := _noted(measured, group):
        return noted
    spinning = sorted({launch.cell.variant for launch in launches if spins_for_ever(launch.environment)})
    if spinning:
        return f"the OpenMP threads of {', '.join(spinning)} never sleep under the run's settings"
    return "the plan did not let them live together; it does not record why"


def _noted(measured: Results, group: Group) -> str:
    """Return the reason in the plan's own note on a group's memory, as a clause; empty if it has none."""
    head = f"{topology_title(group.topology)} at batch size {group.batch_size}: "
    noted = [note for note in measured.header.notes if note.startswith(head) and BECAUSE in note]
    return noted[0].partition(BECAUSE)[2].rstrip(".") if noted else ""


def _names(groups: Iterable[Group]) -> str:
    return "; ".join(f"{each.stack} {topology_title(each.topology)}, batch size {each.batch_size}" for each in groups)
