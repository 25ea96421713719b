"""Pairs up the launches of two variants, block by block, and says why where there is nothing to divide."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.checks.conditions import why_not_comparable
from runner.checks.losses import LossesCheck, check_losses
from runner.stats.estimators import images_per_second
from runner.stats.family import family_of
from runner.status import Status, status_of_error
from runner.storage.launch_result import Failure
from runner.storage.records import Record, latest
from runner.storage.runs import Run
from runner.vocabulary import Cell, Group

LOSSES_DIFFER = Status.LOSSES_DIFFER
# A planned block is missing, failed, or of two sessions: the estimate is shown, and nothing is said of it.
PARTIAL = Status.PARTIAL


@dataclass(frozen=True)
class Comparison:
    """What a speedup is of: two variants of one group. The candidate's speed is divided by the baseline's."""

    group: Group
    baseline: str
    candidate: str

    @property
    def cells(self) -> tuple[Cell, Cell]:
        """The baseline's cell and the candidate's."""
        return self.group.cell(self.baseline), self.group.cell(self.candidate)


@dataclass(frozen=True)
class Pair:
    """A baseline and a candidate of one group, with the block-wise speeds (images/s) of complete blocks.

    A block is complete if both sides have a launch of it, of one session. `status` is "ok"; or "partial" (not every
    planned block is complete) or "losses_differ", which are shown and left out of every mean and verdict; or why
    nothing can be divided: an error's kind, "not_comparable", or "missing". `reason` says more. `blocks` are the
    complete blocks' numbers, in the order of the speeds. `family` is how many comparisons the run judges at once.
    """

    group: Group
    baseline: str
    candidate: str
    baseline_speeds: tuple[float, ...]
    candidate_speeds: tuple[float, ...]
    losses: LossesCheck | None
    status: Status
    reason: str
    blocks: tuple[int, ...] = ()
    family: int = 1

    @property
    def comparison(self) -> Comparison:
        """What it is a measurement of: the key under which tables have it."""
        return Comparison(self.group, self.baseline, self.candidate)

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


def tabulate(records: Sequence[Record], passed_over: Collection[Cell] = ()) -> Table:
    """Arrange the records that count by cell and block; `passed_over` as in `latest`."""
    table: dict[Cell, dict[int, Record]] = {}
    for record in latest(records, passed_over).values():
        table.setdefault(record.cell, {})[record.block] = record
    return table


def groups_of(run: Run) -> list[Group]:
    """The comparisons of a run, in the order a report shows them."""
    return sorted({launch.cell.group for launch in run.launches}, key=Group.report_order)


def variants_of(run: Run, stack: str) -> list[str]:
    """The variants of a stack that a run compares, the baseline first; of a ladder, its rungs."""
    planned = dict.fromkeys(launch.cell.variant for launch in run.launches if launch.cell.stack == stack)
    if run.about.is_ladder:
        return list(planned)
    return [name for name in run.about.stacks[stack].variants if name in planned]


def pairs_of(run: Run, records: Sequence[Record]) -> list[Pair]:
    """Every pair of every group: each variant against each one before it in the stack's order. A ladder has none."""
    if run.about.is_ladder:
        return []
    table = tabulate(records)
    blocks = range(1, run.about.plan.blocks + 1)
    family = family_of(run)
    return [
        replace(make_pair(group, baseline, candidate, table, blocks), family=family)
        for group in groups_of(run)
        for baseline, candidate in _combinations(variants_of(run, group.stack))
    ]


def make_pair(
    group: Group, baseline: str, candidate: str, table: Table, blocks: range, declared: Collection[str] = ()
) -> Pair:
    """Pair up one baseline and one candidate over the planned blocks.

    `declared` names the conditions that differ because they are what is compared (the rungs of a ladder).
    """
    sides = [table.get(cell, {}) for cell in Comparison(group, baseline, candidate).cells]
    usable = [{block: record for block, record in side.items() if record.error is None} for side in sides]
    both = [block for block in blocks if all(block in side for side in usable)]
    complete = [block for block in both if of_one_session(usable[0][block], usable[1][block])]
    refused = why_not_comparable((record for side in usable for record in side.values()), declared)
    if refused:
        return Pair(group, baseline, candidate, (), (), None, Status.NOT_COMPARABLE, refused)
    losses = check_losses(group.topology, usable[0].values(), usable[1].values())
    apart = [(usable[0][block], usable[1][block]) for block in both if block not in complete]
    kind, reasons = _incomplete(sides, (baseline, candidate), blocks, apart)
    status = (PARTIAL if complete else kind) if kind is not None else Status.OK
    if losses is not None and not losses.passed and complete:
        status, reasons = LOSSES_DIFFER, [losses.explanation, *reasons]
    speeds = [tuple(images_per_second(side[block]) for block in complete) for side in usable]
    return Pair(group, baseline, candidate, speeds[0], speeds[1], losses, status, "; ".join(reasons), tuple(complete))


def of_one_session(one: Record, other: Record) -> bool:
    """May two launches of a block be divided? Not those of two sessions, between which anything may have changed."""
    return one.session == other.session


def _incomplete(
    sides: list[Mapping[int, Record]], names: tuple[str, str], blocks: range, apart: list[tuple[Record, Record]]
) -> tuple[Status | None, list[str]]:
    """The status of a pair without any complete block, and why blocks are not complete; None if all are."""
    errors = [
        (name, block, record.failure)
        for side, name in zip(sides, names, strict=True)
        for block, record in sorted(side.items())
        if record.failure is not None
    ]
    missing = sum(not all(block in side for side in sides) for block in blocks)
    if errors:
        kind: Status | None = status_of_error(errors[0][2].kind)
    else:
        kind = Status.MISSING if missing else Status.NOT_COMPARABLE if apart else None
    texts = [f"{missing} of {len(blocks)} blocks not measured yet"] if missing else []
    return kind, [*([_explain(errors)] if errors else []), *texts, *map(_of_two_sessions, apart)]


def _of_two_sessions(launches: tuple[Record, Record]) -> str:
    first, second = sorted(record.session for record in launches)
    return (
        f"block {launches[0].block}: its launches are of sessions {first} and {second}, and are not divided by one "
        "another; the block has to be run again whole"
    )


def _explain(errors: list[tuple[str, int, Failure]]) -> str:
    """What went wrong where, each message once with all its blocks."""
    blocks: dict[tuple[str, str], list[str]] = {}
    for name, block, error in errors:
        blocks.setdefault((name, error.message), []).append(str(block))
    return "; ".join(f"{name}, block {', '.join(where)}: {message}" for (name, message), where in blocks.items())


def _combinations(variants: list[str]) -> Iterator[tuple[str, str]]:
    for position, candidate in enumerate(variants):
        for baseline in variants[:position]:
            yield baseline, candidate
