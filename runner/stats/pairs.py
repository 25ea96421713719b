"""Pairs up the launches of two variants, block by block, and says why where there is nothing to divide."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.checks.conditions import refusal
from runner.checks.losses import LossesCheck, check_losses
from runner.ladder_plan import is_ladder
from runner.records import Record, latest
from runner.runs import Run
from runner.stats.estimators import images_per_second
from runner.vocabulary import Cell, Group

LOSSES_DIFFER = "losses_differ"


@dataclass(frozen=True)
class Pair:
    """A baseline and a candidate of one group, with the block-wise speeds (images/s) of complete blocks.

    `status` is "ok"; or "partial" (some blocks are missing, the rest counts); or "losses_differ" (shown, flagged, and
    left out of every mean and verdict); or why nothing can be divided: an error's kind, "not_comparable", or
    "missing". `reason` says more. `blocks` are the complete blocks' numbers, in the order of the speeds.
    """

    group: Group
    baseline: str
    candidate: str
    baseline_speeds: tuple[float, ...]
    candidate_speeds: tuple[float, ...]
    losses: LossesCheck | None
    status: str
    reason: str
    blocks: tuple[int, ...] = ()

    @property
    def ratios(self) -> list[float]:
        """Candidate over baseline, one for each complete block."""
        return [other / base for base, other in zip(self.baseline_speeds, self.candidate_speeds, strict=True)]

    @property
    def ratio_by_block(self) -> dict[int, float]:
        """Candidate over baseline by the block's number; blocks without numbers are counted from 1."""
        numbers = self.blocks or range(1, len(self.baseline_speeds) + 1)
        return dict(zip(numbers, self.ratios, strict=True))

    @property
    def is_measured(self) -> bool:
        """Is there anything to divide, and is it allowed to be divided?"""
        return bool(self.baseline_speeds)


# cell -> block -> the record that counts
Table = Mapping[Cell, Mapping[int, Record]]


def tabulate(records: Sequence[Record]) -> Table:
    """Arrange the records that count by cell and block."""
    table: dict[Cell, dict[int, Record]] = {}
    for record in latest(list(records)).values():
        table.setdefault(record.cell, {})[record.block] = record
    return table


def groups_of(run: Run) -> list[Group]:
    """The comparisons of a run, in the order a report shows them."""
    return sorted({launch.cell.group for launch in run.launches}, key=Group.report_order)


def variants_of(run: Run, stack: str) -> list[str]:
    """The variants of a stack that a run compares, the baseline first; of a ladder, its rungs."""
    planned = dict.fromkeys(launch.cell.variant for launch in run.launches if launch.cell.stack == stack)
    if is_ladder(run.header):
        return list(planned)
    return [name for name in run.header["stacks"][stack]["variants"] if name in planned]


def pairs_of(run: Run, records: Sequence[Record]) -> list[Pair]:
    """Every pair of every group: each variant against each one before it in the stack's order. A ladder has none."""
    if is_ladder(run.header):
        return []
    table = tabulate(records)
    blocks = range(1, run.header["plan"]["blocks"] + 1)
    return [
        make_pair(group, baseline, candidate, table, blocks)
        for group in groups_of(run)
        for baseline, candidate in _combinations(variants_of(run, group.stack))
    ]


def make_pair(
    group: Group, baseline: str, candidate: str, table: Table, blocks: range, declared: Collection[str] = ()
) -> Pair:
    """Pair up one baseline and one candidate over the planned blocks.

    `declared` names the conditions that differ because they are what is compared (the rungs of a ladder).
    """
    sides = [table.get(Cell(group.stack, name, group.topology, group.batch_size), {}) for name in (baseline, candidate)]
    usable = [{block: record for block, record in side.items() if record.error is None} for side in sides]
    complete = [block for block in blocks if all(block in side for side in usable)]
    refused = refusal((record for side in usable for record in side.values()), declared)
    if refused:
        return Pair(group, baseline, candidate, (), (), None, "not_comparable", refused)
    losses = check_losses(group.topology, usable[0].values(), usable[1].values())
    status, reason = _status(sides, (baseline, candidate), blocks, complete, losses)
    speeds = [tuple(images_per_second(side[block]) for block in complete) for side in usable]
    return Pair(group, baseline, candidate, speeds[0], speeds[1], losses, status, reason, tuple(complete))


def _status(
    sides: list[Mapping[int, Record]], names: tuple[str, str], blocks: range, complete: list[int],
    losses: LossesCheck | None,
) -> tuple[str, str]:  # fmt: skip
    errors = [
        (name, block, record.error)
        for side, name in zip(sides, names, strict=True)
        for block, record in sorted(side.items())
        if record.error is not None
    ]
    missing = len(blocks) - len(complete)
    if losses is not None and not losses.passed and complete:
        return LOSSES_DIFFER, "; ".join([losses.explanation, *([_explain(errors)] if errors else [])])
    if errors:
        return ("partial" if complete else errors[0][2]["kind"]), _explain(errors)
    if missing:
        return ("partial" if complete else "missing"), f"{missing} of {len(blocks)} blocks not measured yet"
    return "ok", ""


def _explain(errors: list[tuple[str, int, Mapping[str, str]]]) -> str:
    """What went wrong where, each message once with all its blocks."""
    blocks: dict[tuple[str, str], list[str]] = {}
    for name, block, error in errors:
        blocks.setdefault((name, error["message"]), []).append(str(block))
    return "; ".join(f"{name}, block {', '.join(where)}: {message}" for (name, message), where in blocks.items())


def _combinations(variants: list[str]) -> Iterator[tuple[str, str]]:
    for position, candidate in enumerate(variants):
        for baseline in variants[:position]:
            yield baseline, candidate
