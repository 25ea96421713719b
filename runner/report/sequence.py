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
            by_reason.setdefault(_reason(measured, launches), []).append(group)
    whole = not is_by_turns(measured) and len(by_reason) == 1
    return tuple(
        f"{'In this run' if whole else f'{_names(groups)}:'} the launches of a block followed one another and took no "
        f"turns, because {reason}."
        for reason, groups in by_reason.items()
    )


def _is_in_sequence(launches: list[Launch]) -> bool:
    """Whether a group has launches without turns beside others in its blocks, of a version that has turns."""
    alone = [launch for launch in launches if launch.turns is not None and launch.members == 1]
    return bool(alone) and len({launch.cell.variant for launch in launches}) > 1


def _reason(measured: Results, launches: list[Launch]) -> str:
    if IN_SEQUENCE in shlex.split(measured.header.command):
        return f"{IN_SEQUENCE} asked for it"
    spinning = sorted({launch.cell.variant for launch in launches if spins_for_ever(launch.environment)})
    if spinning:
        return f"the OpenMP threads of {', '.join(spinning)} never sleep under the run's settings"
    return "the plan did not let them live together; it does not record why"


def _names(groups: Iterable[Group]) -> str:
    return "; ".join(f"{each.stack} {topology_title(each.topology)}, batch size {each.batch_size}" for each in groups)
