"""Computes a ladder's steps from its records: each rung over the one before it, and their product over the whole.

The evidence says which rungs the build ignores (runner/checks/inert_changes.py). Such a rung counts as a factor of
exactly 1. A rung that failed is skipped: the next rung is compared with the one before it, and its reason says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runner.checks.inert_changes import inert_reason
from runner.planning.ladder_file import WHOLE
from runner.planning.ladder_plan import ends
from runner.planning.rungs import PlannedRung
from runner.stats.estimators import images_per_second
from runner.stats.family import family_of, together
from runner.stats.intervals import Estimate, geometric_estimate
from runner.stats.pairs import LOSSES_DIFFER, PARTIAL, Pair, Table, groups_of, make_pair, tabulate
from runner.stats.products import Total, products, quotients, usable_of
from runner.status import Status
from runner.storage.records import Record
from runner.storage.runs import Run
from runner.vocabulary import Cell, Group, Launch

FIRST, INERT, LEFT_OUT = Status.FIRST, Status.INERT, Status.LEFT_OUT
# Rounding in a product of ratios must not decide whether an interval contains 1.
ROUNDING = 1e-9

# (stack, rung or variant, topology) -> the texts of a probe's verdicts, by the verdicts' ids.
Verdicts = Mapping[tuple[str, str, str], Mapping[str, str]]


@dataclass(frozen=True)
class Step:
    """One rung: its own speed (images/s) and the ratio of its speed to that of the rung `reference`.

    `status` is "first", "inert", "left_out", or the status of a pair. There is a ratio if it is "ok", "partial" or
    "losses_differ". `ratios` holds the ratio of each complete block. `family` is how many comparisons the run judges at
    once.
    """

    rung: PlannedRung
    reference: str
    speed: Estimate | None
    ratio: Estimate | None
    status: Status
    reason: str
    ratios: tuple[float, ...] = ()
    family: int = 1

    @property
    def is_comparable(self) -> bool:
        """Whether a verdict may be given on the ratio: every planned block is complete and both sides trained alike."""
        return self.ratio is not None and self.status == Status.OK

    @property
    def together(self) -> Estimate | None:
        """The ratio with the interval that holds at once with those of the whole family; None if there is no ratio."""
        return together(self.ratios, self.family) if self.ratios else None


@dataclass(frozen=True)
class LadderResult:
    """One ladder of one topology at one batch size.

    `products` has the product of the steps' ratios in each block. `wholes` has the ratio of the last rung to the first
    in each block, from two further launches of these rungs. `agreements` has product over whole in each block.

    Within a block, the numerator of each step is the denominator of the next, so that the product is the last launch
    over the first. The product's interval is computed over the blocks and hence includes the covariance of the steps.
    If the interval of `agreements` contains 1, the ladder's own launches of its two ends agree with those of the whole.
    """

    group: Group
    steps: tuple[Step, ...]
    branches: tuple[Step, ...]
    products: Total
    wholes: Total
    whole_status: Status
    whole_reason: str
    agreements: Total

    @property
    def product(self) -> Estimate | None:
        """The product of the rungs; None if no block has all of them."""
        return self.products.estimate

    @property
    def whole(self) -> Estimate | None:
        """The last rung over the first, measured directly; None if no block is complete."""
        return self.wholes.estimate

    @property
    def agreement(self) -> Estimate | None:
        """The product over the whole; None if no block has both."""
        return self.agreements.estimate

    @property
    def family(self) -> int:
        """How many comparisons the run judges at once."""
        return self.wholes.family

    @property
    def agrees(self) -> bool | None:
        """Whether the product agrees with the whole; None if a block is missing, or if there is no interval."""
        found = self.agreements.together
        if found is None or not found.has_interval or not self.agreements.is_complete:
            return None
        return found.low <= 1 + ROUNDING and found.high >= 1 - ROUNDING

    @property
    def is_whole(self) -> bool:
        """Whether everything that was planned has been measured."""
        fine = (FIRST, INERT, LEFT_OUT, Status.OK)
        return self.whole_status == Status.OK and all(step.status in fine for step in (*self.steps, *self.branches))


def ladders_of(run: Run, records: Sequence[Record], verdicts: Verdicts) -> list[LadderResult]:
    """Return the ladder of every topology and batch size of a run."""
    results = _results(run, tabulate(records), verdicts)
    # An inert rung is not run again, so that only an older session has launches of it. They must not count when the
    # session of a block is chosen: an older session's incomplete block might be preferred to a newer complete one.
    inert = inert_cells(results)
    return _results(run, tabulate(records, inert), verdicts) if inert else results


def inert_cells(results: Sequence[LadderResult]) -> set[Cell]:
    """Return the cells of the rungs that have turned out to be inert."""
    return {
        result.group.cell(step.rung.id)
        for result in results
        for step in (*result.steps, *result.branches)
        if step.status == INERT
    }


def still_needed(launches: Sequence[Launch], results: Sequence[LadderResult]) -> list[Launch]:
    """Return the launches without those of inert rungs, on which further launches can show nothing new."""
    inert = inert_cells(results)
    return [launch for launch in launches if launch.cell not in inert]


def _results(run: Run, table: Table, verdicts: Verdicts) -> list[LadderResult]:
    blocks, family = range(1, run.about.plan.blocks + 1), family_of(run)
    return [_result(group, run.about.rungs(group.stack), table, blocks, verdicts, family) for group in groups_of(run)]


def _result(
    group: Group, rungs: Sequence[PlannedRung], table: Table, blocks: range, verdicts: Verdicts, family: int
) -> LadderResult:
    by_rung = {rung.id: usable_of(group, rung.id, table) for rung in rungs}
    steps: dict[str, Step] = {}
    for rung in rungs:  # The ladder comes before its branches: the rung that a step refers to is computed first.
        step = _step(group, rung, steps, rungs, table, blocks, _verdicts_of(group, rung, verdicts))
        steps[rung.id] = replace(step, family=family)
    chain = [steps[rung.id] for rung in rungs if not rung.is_branch]
    first, last = ends(rungs)
    covered = steps[first.id].speed is not None and steps[last.id].speed is not None and not any(map(_is_gap, chain))
    product = _products(chain, by_rung) if covered else {}
    whole = make_pair(group, WHOLE + first.id, WHOLE + last.id, table, blocks, _declared(first, last))
    both = quotients(product, whole, by_rung[first.id], usable_of(group, WHOLE + first.id, table))
    sound = len(product) == len(blocks) and all(step.is_comparable for step in chain if step.ratio)
    return LadderResult(
        group=group,
        steps=tuple(chain),
        branches=tuple(steps[rung.id] for rung in rungs if rung.is_branch),
        products=Total(tuple(product.values()), family, sound),
        wholes=Total(tuple(whole.ratios), family, whole.status == Status.OK),
        whole_status=whole.status,
        whole_reason=whole.reason,
        agreements=Total(both, family, sound and len(both) == len(blocks)),
    )


def _step(
    group: Group, rung: PlannedRung, done: Mapping[str, Step], rungs: Sequence[PlannedRung], table: Table,
    blocks: range, verdicts: Mapping[str, str],
) -> Step:  # fmt: skip
    if rung.left_out:
        return Step(rung, rung.of, None, None, LEFT_OUT, rung.left_out)
    own = usable_of(group, rung.id, table)
    speed = geometric_estimate([images_per_second(record) for record in own.values()]) if own else None
    reference = _reference(rung.of, done)
    if not reference:
        problem = make_pair(group, rung.id, rung.id, table, blocks)
        # The losses are compared in the next step. Here only failed launches count, even if losses differ as well.
        unlike = PARTIAL if problem.status == LOSSES_DIFFER else problem.status
        status = FIRST if len(problem.blocks) == len(blocks) else unlike
        return Step(rung, "", speed, None, status, problem.reason)
    before = usable_of(group, reference, table)
    common = [block for block in own if block in before]
    inert = inert_reason(rung, [before[b] for b in common], [own[b] for b in common], verdicts)
    if inert:
        return Step(rung, reference, speed, None, INERT, inert)
    other = next(each for each in rungs if each.id == reference)
    pair = make_pair(group, reference, rung.id, table, blocks, _declared(other, rung))
    ratio = geometric_estimate(pair.ratios) if pair.is_measured else None
    return Step(rung, reference, speed, ratio, pair.status, _reason(pair, rung, reference, done), tuple(pair.ratios))


def _reason(pair: Pair, rung: PlannedRung, reference: str, done: Mapping[str, Step]) -> str:
    """Return what went wrong. If the rung before has no speed, also say which rung the step is compared with."""
    passed = [name for name in _between(rung.of, reference, done) if done[name].status != INERT]
    over = f"compared with {reference}, because {', '.join(passed)} could not be measured" if passed else ""
    return "; ".join(text for text in (over, pair.reason) if text)


def _between(name: str, reference: str, done: Mapping[str, Step]) -> list[str]:
    return [] if name == reference else [name, *_between(done[name].rung.of, reference, done)]


def _reference(name: str, done: Mapping[str, Step]) -> str:
    """Return the nearest rung below that has a speed of its own and is neither inert nor failed; empty if none is."""
    while name and (done[name].speed is None or done[name].status == INERT):
        name = done[name].rung.of
    return name


def _is_gap(step: Step) -> bool:
    """Return whether the rung has a speed that may not be divided by the one before. There is then no product."""
    return step.speed is not None and step.ratio is None and step.status not in (FIRST, INERT)


def _declared(before: PlannedRung, now: PlannedRung) -> tuple[str, ...]:
    """Return the names of the conditions in which two rungs are planned to differ. All others must be equal."""
    one, other = before.settings, now.settings
    names = [name for name in ("intra_op_threads", "inter_op_threads") if getattr(one, name) != getattr(other, name)]
    return (*names, "pin", "enforced.mems") if one.pin != other.pin else tuple(names)


def _products(chain: Sequence[Step], by_rung: Mapping[str, Mapping[int, Record]]) -> dict[int, float]:
    """Return the product of the steps' ratios in each block that has all steps. Inert and left-out rungs count as 1."""
    run = [step for step in chain if step.status != LEFT_OUT]
    links = [(by_rung[step.reference], by_rung[step.rung.id]) for step in run if step.ratio]
    # If all rungs after the first are inert or left out, the product is 1 in each block of the first rung.
    return products(links) if links else dict.fromkeys(by_rung[run[0].rung.id], 1.0)


def _verdicts_of(group: Group, rung: PlannedRung, verdicts: Verdicts) -> Mapping[str, str]:
    """Return the verdicts of the probe of the rung itself, or else of its variant; empty if there is no probe."""
    keys = [(group.stack, name, group.topology) for name in (rung.id, rung.settings.variant)]
    return next((verdicts[key] for key in keys if key in verdicts), {})
