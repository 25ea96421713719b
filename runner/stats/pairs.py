"""Pairs the launches of two variants block by block. A pair that cannot be divided has the reason.

Where memory had room for two launches only, a block has a sitting for each candidate, in which it took turns with the
baseline. There the baseline has one launch in each sitting, and two candidates are compared through it: the ratio of
one to the baseline over the ratio of the other, in each block.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.checks.conditions import why_not_comparable
from runner.checks.losses import LossesCheck, check_losses
from runner.stats.estimators import images_per_second
from runner.stats.family import family_of
from runner.status import Status
from runner.storage.launch_result import Failure
from runner.storage.records import Record, latest
from runner.storage.runs import Run
from runner.vocabulary import Cell, Group

LOSSES_DIFFER = Status.LOSSES_DIFFER
# A planned block is missing, failed, or of two sessions. The estimate is shown, and no verdict is given on it.
PARTIAL = Status.PARTIAL


@dataclass(frozen=True)
class Comparison:
    """Two variants of one group whose speeds are compared. The candidate's speed is divided by the baseline's."""

    group: Group
    baseline: str
    candidate: str

    @property
    def cells(self) -> tuple[Cell, Cell]:
        """The baseline's cell and the candidate's cell."""
        return self.group.cell(self.baseline), self.group.cell(self.candidate)


@dataclass(frozen=True)
class Pair:
    """A baseline and a candidate of one group, with the block-wise speeds (images/s) of complete blocks.

    A block is complete if both sides have a usable launch in it, and both launches are of one session. `status` is one
    of these:

    - "ok";
    - "partial" (not every planned block is complete), "losses_differ" or "other_arithmetic": the ratio is shown, and
      left out of every mean and verdict;
    - an error's kind, "not_comparable" or "missing": nothing can be divided.

    `reason` says why the status is not "ok". `blocks` are the numbers of the complete blocks, in the order of the
    speeds. `family` is how many comparisons the run judges at once. `first_blocks` is the number of blocks in the first
    of two stages; None for a run in one stage. `through` is the variant through which the two were compared, because
    they did not take turns with one another; empty if they did. The candidate's speeds are then corrected by the ratio
    of that variant's speeds in the two sittings. `arithmetic` says in words that the two sides compute in different
    arithmetic, so that they did not train the same thing; empty if they do not.
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
    first_blocks: int | None = None
    through: str = ""
    arithmetic: str = ""

    @property
    def first(self) -> int | None:
        """How many of the ratios are of the first stage, whose spread decided on the rest; None without more blocks."""
        if self.first_blocks is None or not self.blocks or self.blocks[-1] <= self.first_blocks:
            return None
        return sum(block <= self.first_blocks for block in self.blocks)

    @property
    def comparison(self) -> Comparison:
        """The comparison that this pair measures. Tables have the pair under this key."""
        return Comparison(self.group, self.baseline, self.candidate)

    @property
    def ratios(self) -> list[float]:
        """The candidate's speed over the baseline's, one ratio for each complete block."""
        return [other / base for base, other in zip(self.baseline_speeds, self.candidate_speeds, strict=True)]

    @property
    def ratio_by_block(self) -> dict[int, float]:
        """The candidate's speed over the baseline's by the block's number. Without `blocks`, numbers begin at 1."""
        numbers = self.blocks or range(1, len(self.baseline_speeds) + 1)
        return dict(zip(numbers, self.ratios, strict=True))

    @property
    def is_measured(self) -> bool:
        """Whether there is a complete block whose two launches may be divided by one another."""
        return bool(self.baseline_speeds)


# cell -> block -> the record that counts.
Table = Mapping[Cell, Mapping[int, Record]]


def tabulate(records: Sequence[Record], passed_over: Collection[Cell] = ()) -> Table:
    """Return the records that count, by cell and block. `passed_over` has the meaning that it has in `latest`.

    Of a baseline with several sittings in a block it has the last one.
    """
    table: dict[Cell, dict[int, Record]] = {}
    for record in latest(records, passed_over).values():
        table.setdefault(record.cell, {})[record.block] = record
    return table


def groups_of(run: Run) -> list[Group]:
    """Return the groups of a run, in the order in which a report shows them."""
    return sorted({launch.cell.group for launch in run.launches}, key=Group.report_order)


def variants_of(run: Run, stack: str) -> list[str]:
    """Return the variants of a stack that a run compares, the baseline first. A ladder's variants are its rungs."""
    planned = dict.fromkeys(launch.cell.variant for launch in run.launches if launch.cell.stack == stack)
    if run.about.is_ladder:
        return list(planned)
    return [name for name in run.about.stacks[stack].variants if name in planned]


def pairs_of(run: Run, records: Sequence[Record]) -> list[Pair]:
    """Return every pair of every group; none for a ladder.

    Each variant is the candidate in a pair with each variant that stands before it in the stack's order.
    """
    if run.about.is_ladder:
        return []
    counted = list(latest(records).values())
    plan, family = run.about.plan, family_of(run)
    return [
        replace(
            pair_of(
                Comparison(group, *sides),
                variants[0],
                counted,
                range(1, plan.blocks_of(group) + 1),
                _other_arithmetic(run, group.stack, *sides),
            ),
            family=family,
            first_blocks=plan.first_blocks,
        )
        for group in groups_of(run)
        for variants in [variants_of(run, group.stack)]
        for sides in _combinations(variants)
    ]


def _other_arithmetic(run: Run, stack: str, baseline: str, candidate: str) -> str:
    """Return in words that two variants are set to compute in different arithmetic; empty if they are not."""
    variants = run.about.stacks[stack].variants
    sides = [variants[name].arithmetic for name in (baseline, candidate)]
    if sides[0] == sides[1]:
        return ""
    return f"{candidate} is set to compute in {sides[1]}, and {baseline} in {sides[0]}"


def sitting_of(cell: Cell, records: Iterable[Record]) -> int | None:
    """Return the sitting in which a candidate took turns with the baseline; None if whole blocks lived together."""
    return next((record.sitting for record in records if record.cell == cell), None)


def in_sitting(records: Iterable[Record], group: Group, sitting: int | None) -> list[Record]:
    """Return the records of a group's launches that belong to this sitting."""
    return [record for record in records if record.cell.group == group and record.sitting == sitting]


def pair_of(pair: Comparison, first: str, records: Sequence[Record], blocks: range, arithmetic: str = "") -> Pair:
    """Return a pair whose two variants lived together, or else one that is compared through the `first` variant.

    `arithmetic` is that of the pair.
    """
    group = pair.group
    one, other = (sitting_of(cell, records) for cell in pair.cells)
    if pair.baseline == first or one == other:
        table = tabulate(in_sitting(records, group, other))
        return make_pair(group, pair.baseline, pair.candidate, table, blocks, arithmetic=arithmetic)
    common = [tabulate(in_sitting(records, group, each)).get(group.cell(first), {}) for each in (one, other)]
    correction = {
        block: images_per_second(common[0][block]) / images_per_second(common[1][block])
        for block in blocks
        if all(block in side and side[block].error is None for side in common)
        and of_one_session(common[0][block], common[1][block])
    }
    made = make_pair(group, pair.baseline, pair.candidate, tabulate(records), blocks, correction=correction,
                     arithmetic=arithmetic)  # fmt: skip
    lacking = [str(block) for block in blocks if block not in correction]
    if lacking and made.status == Status.OK:
        reason = f"block {', '.join(lacking)}: {first} has no usable launch beside one of the two"
        made = replace(made, status=PARTIAL if made.blocks else Status.MISSING, reason=reason)
    return replace(made, through=first)


def make_pair(
    group: Group, baseline: str, candidate: str, table: Table, blocks: range, declared: Collection[str] = (),
    correction: Mapping[int, float] | None = None, arithmetic: str = "",
) -> Pair:  # fmt: skip
    """Return the pair of one baseline and one candidate over the planned blocks.

    `declared` names the conditions that may differ, because the difference is what is compared (the rungs of a ladder).
    `correction` has for each block the factor of the candidate's speed; a block without one is not complete. None: all
    are 1. `arithmetic` says that the two sides compute in different arithmetic: then their losses are not judged.
    """
    sides = [table.get(cell, {}) for cell in Comparison(group, baseline, candidate).cells]
    usable = [{block: record for block, record in side.items() if record.error is None} for side in sides]
    known = blocks if correction is None else correction
    both = [block for block in blocks if block in known and all(block in side for side in usable)]
    complete = [block for block in both if of_one_session(usable[0][block], usable[1][block])]
    refused = why_not_comparable((record for side in usable for record in side.values()), declared)
    if refused:
        return Pair(group, baseline, candidate, (), (), None, Status.NOT_COMPARABLE, refused)
    losses = check_losses(group.topology, usable[0].values(), usable[1].values())
    apart = [(usable[0][block], usable[1][block]) for block in both if block not in complete]
    kind, reasons = _incomplete(sides, (baseline, candidate), blocks, apart)
    status = (PARTIAL if complete else kind) if kind is not None else Status.OK
    if arithmetic and complete:
        status = Status.OTHER_ARITHMETIC if status == Status.OK else status
        reasons = [*reasons, arithmetic]
    elif losses is not None and not losses.passed and complete:
        status, reasons = LOSSES_DIFFER, [losses.explanation, *reasons]
    speeds = [[images_per_second(side[block]) for block in complete] for side in usable]
    if correction is not None:
        speeds[1] = [speed * correction[block] for speed, block in zip(speeds[1], complete, strict=True)]
    return Pair(group, baseline, candidate, tuple(speeds[0]), tuple(speeds[1]), losses, status, "; ".join(reasons),
                tuple(complete), arithmetic=arithmetic)  # fmt: skip


def of_one_session(one: Record, other: Record) -> bool:
    """Return whether two launches are of one session. Otherwise they may not be divided by one another.

    Anything about the host may have changed between two sessions.
    """
    return one.session == other.session


def _incomplete(
    sides: list[Mapping[int, Record]], names: tuple[str, str], blocks: range, apart: list[tuple[Record, Record]]
) -> tuple[Status | None, list[str]]:
    """Return the status that a pair has if no block is complete, and why blocks are not complete.

    The status is None if all blocks are complete.
    """
    errors = [
        (name, block, record.failure)
        for side, name in zip(sides, names, strict=True)
        for block, record in sorted(side.items())
        if record.failure is not None
    ]
    missing = sum(not all(block in side for side in sides) for block in blocks)
    if errors:
        kind: Status | None = errors[0][2].status
    else:
        kind = Status.MISSING if missing else Status.NOT_COMPARABLE if apart else None
    texts = [f"{missing} of {len(blocks)} blocks not measured yet"] if missing else []
    return kind, [*([_explain(errors)] if errors else []), *texts, *map(_of_two_sessions, apart)]


def _of_two_sessions(launches: tuple[Record, Record]) -> str:
    first, second = sorted(record.session for record in launches)
    return (
        f"block {launches[0].block}: its launches are of sessions {first} and {second}, and launches of two sessions "
        "are not divided by one another; the whole block has to be run again"
    )


def _explain(errors: list[tuple[str, int, Failure]]) -> str:
    """Return what went wrong in which blocks, each message once with all its blocks."""
    blocks: dict[tuple[str, str], list[str]] = {}
    for name, block, error in errors:
        blocks.setdefault((name, error.message), []).append(str(block))
    return "; ".join(f"{name}, block {', '.join(where)}: {message}" for (name, message), where in blocks.items())


def _combinations(variants: list[str]) -> Iterator[tuple[str, str]]:
    for position, candidate in enumerate(variants):
        for baseline in variants[:position]:
            yield baseline, candidate
