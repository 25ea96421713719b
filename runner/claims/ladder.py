"""Judges a best-known method from a ladder: what each rung that changes this one setting gained, block by block.

Reads what run.json and the records of a ladder hold (`python -m runner ablate`); lays no ladder out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.claims.comparability import Question
from runner.claims.verdict import NOT_REPRODUCED, PARTLY, REPRODUCED, Answer, answer
from runner.stats.estimators import images_per_second
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate
from runner.vocabulary import Cell, Group
from runner.wording import topology_title, with_interval


@dataclass(frozen=True)
class Gain:
    """What a change to the claim's value of a setting gained on one topology (a ratio), and from what to what."""

    group: Group
    text: str
    estimate: Estimate


def judge_by_ladder(question: Question) -> Answer | None:
    """The verdict on a setting from the run's ladder; None if the run is no ladder, or none of its rungs tests it."""
    gains = list(_gains(question))
    if not gains:
        return None
    parts = [
        f"{each.text} on {each.group.stack}, {topology_title(each.group.topology)}, batch size "
        f"{each.group.batch_size}: {with_interval(each.estimate.value, each.estimate.low, each.estimate.high)}"
        for each in gains
    ]
    least = min((each.estimate for each in gains), key=lambda estimate: estimate.value)
    faster = [each for each in gains if each.estimate.low > 1]
    verdict = REPRODUCED if len(faster) == len(gains) else PARTLY if faster else NOT_REPRODUCED
    return answer(verdict, f"the ladder, one change at a time: {'; '.join(parts)}", least)


def _gains(question: Question) -> Iterator[Gain]:
    """Every rung that changes nothing but the claim's setting, to its value or away from it."""
    run, claim = question.material.run, question.claim
    value = _value(question)
    for stack, rungs in run.header.get("ladder", {}).get("stacks", {}).items():
        for rung in rungs:
            change = _only_change(rung, claim.setting or "")
            if rung["left_out"] or not rung["of"] or change is None:
                continue
            before, now = change
            away = value is not None and before == value
            if value in (None, before, now):
                cells = (rung["id"], rung["of"]) if away else (rung["of"], rung["id"])
                shown = f"from {now} to {before}" if away else f"from {before} to {now}"
                yield from _measured(question, stack, cells, shown)


def _value(question: Question) -> str | None:
    """The value that the claim is for, with the pin's own counts filled in; None for any value."""
    value, pin = question.claim.setting_value, question.material.run.header["plan"]["pin"]
    if value is None:
        return None
    return value.replace("{threads}", str(pin["threads"])).replace("{sockets}", str(pin["sockets"]))


def _only_change(rung: Mapping[str, Any], setting: str) -> tuple[str, str] | None:
    """The value before and now, if the rung changes this setting and no other; a rung may carry its setting's name."""
    changes = {name: (str(before), str(now)) for name, before, now in rung["changes"]}
    if list(changes) == [setting]:
        return changes[setting]
    return ("without", "with") if rung["id"] == setting else None


def _measured(question: Question, stack: str, cells: tuple[str, str], shown: str) -> Iterator[Gain]:
    material = question.material
    groups = {launch.cell.group for launch in material.run.launches if launch.cell.stack == stack}
    for group in sorted(groups, key=Group.report_order):
        base, other = (
            {
                record.block: images_per_second(record)
                for record in material.of_cell(Cell(stack, name, group.topology, group.batch_size))
            }
            for name in cells
        )
        ratios = [other[block] / base[block] for block in sorted(base.keys() & other.keys())]
        if len(ratios) >= FEWEST:
            yield Gain(group, shown, geometric_estimate(ratios))
