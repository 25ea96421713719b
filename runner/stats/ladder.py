"""A ladder's steps from its records: each rung against the one before it, and their product against the whole.

The evidence says which rungs the build ignores (runner/checks/inert_changes.py); such a rung counts as a factor of
exactly 1. A rung that failed is stepped over, and the next one says what it is compared with instead.
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
# Rounding of a product of ratios that are equal must not decide whether 1 is inside of an interval.
ROUNDING = 1e-9

# (stack, rung or variant, topology) -> a probe's verdicts, text by id
Verdicts = Mapping[tuple[str, str, str], Mapping[str, str]]


@dataclass(frozen=True)
class Step:
    """One rung: its own speed (images/s) and its ratio to the rung `reference`.

    `status` is "first", "inert", "left_out", or that of a pair: "ok", "partial" and "losses_differ" have a ratio, of
    which `ratios` holds the blocks'. `family` is how many comparisons the run judges at once.
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
        """Has it a ratio that something may be said of: of every planned block, of two that trained the same?"""
        return self.ratio is not None and self.status == Status.OK

    @property
    def together(self) -> Estimate | None:
        """The ratio with the interval that holds at once with those of the whole family."""
        return together(self.ratios, self.family) if self.ratios else None


@dataclass(frozen=True)
class LadderResult:
    """One topology's ladder. `products` are over the steps, block by block; `wholes` from launches of their own.

    Within a block a step's upper launch is the next one's lower launch, so that the product is the last launch over the
    first, and its interval, over the blocks, has the steps' covariance in it. `agreements` are product over whole,
    block by block: if their interval holds 1, the ladder's own launches of its ends and those of the whole tell the
    same.
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
        """The product of the rungs, if there is a block with all of them."""
        return self.products.estimate

    @property
    def whole(self) -> Estimate | None:
        """The last rung over the first, measured directly."""
        return self.wholes.estimate

    @property
    def agreement(self) -> Estimate | None:
        """The product over the whole."""
        return self.agreements.estimate

    @property
    def family(self) -> int:
        """How many comparisons the run judges at once."""
        return self.wholes.family

    @property
    def agrees(self) -> bool | None:
        """Does the product agree with the whole; None if a block is missing, or there is no interval to tell by."""
        found = self.agreements.together
        if found is None or not found.has_interval or not self.agreements.is_complete:
            return None
        return found.low <= 1 + ROUNDING and found.high >= 1 - ROUNDING

    @property
    def is_whole(self) -> bool:
        """Was everything measured that was to be?"""
        fine = (FIRST, INERT, LEFT_OUT, Status.OK)
        return self.whole_status == Status.OK and all(step.status in fine for step in (*self.steps, *self.branches))


def ladders_of(run: Run, records: Sequence[Record], verdicts: Verdicts) -> list[LadderResult]:
    """The ladder of every topology and batch size of a run."""
    results = _results(run, tabulate(records), verdicts)
    # Rungs that are not run again must not keep an older session's half of a block before a newer one's whole.
    inert = inert_cells(results)
    return _results(run, tabulate(records, inert), verdicts) if inert else results


def inert_cells(results: Sequence[LadderResult]) -> set[Cell]:
    """The rungs that have turned out to be inert."""
    return {
        result.group.cell(step.rung.id)
        for result in results
        for step in (*result.steps, *result.branches)
        if step.status == INERT
    }


def still_needed(launches: Sequence[Launch], results: Sequence[LadderResult]) -> list[Launch]:
    """Those launches whose rung has not turned out to be inert: what is left can teach nothing more of it."""
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
    for rung in rungs:  # the ladder first, then its branches: what a step refers to is there
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
        # Losses are the next step's matter; a launch that failed here is this one's, also where both are wrong.
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
    """What went wrong, and that a step is over more than one rung where the one before has no speed."""
    passed = [name for name in _between(rung.of, reference, done) if done[name].status != INERT]
    over = f"compared with {reference}, because {', '.join(passed)} could not be measured" if passed else ""
    return "; ".join(text for text in (over, pair.reason) if text)


def _between(name: str, reference: str, done: Mapping[str, Step]) -> list[str]:
    return [] if name == reference else [name, *_between(done[name].rung.of, reference, done)]


def _reference(name: str, done: Mapping[str, Step]) -> str:
    """The nearest rung, going down, that has a speed of its own: neither inert nor failed."""
    while name and (done[name].speed is None or done[name].status == INERT):
        name = done[name].rung.of
    return name


def _is_gap(step: Step) -> bool:
    """Has the rung a speed that may not be divided by the one before it? No product leads across such a step."""
    return step.speed is not None and step.ratio is None and step.status not in (FIRST, INERT)


def _declared(before: PlannedRung, now: PlannedRung) -> tuple[str, ...]:
    """The conditions in which two rungs are planned to differ; every other must be equal."""
    one, other = before.settings, now.settings
    names = [name for name in ("intra_op_threads", "inter_op_threads") if getattr(one, name) != getattr(other, name)]
    return (*names, "pin", "enforced.mems") if one.pin != other.pin else tuple(names)


def _products(chain: Sequence[Step], by_rung: Mapping[str, Mapping[int, Record]]) -> dict[int, float]:
    """In each block that has every step, the product of the steps' ratios. Inert and left-out rungs count as 1."""
    run = [step for step in chain if step.status != LEFT_OUT]
    links = [(by_rung[step.reference], by_rung[step.rung.id]) for step in run if step.ratio]
    # Where nothing but the first rung does anything, the product is 1 in each of its blocks.
    return products(links) if links else dict.fromkeys(by_rung[run[0].rung.id], 1.0)


def _verdicts_of(group: Group, rung: PlannedRung, verdicts: Verdicts) -> Mapping[str, str]:
    """What a probe said of the rung itself, else of its variant."""
    keys = [(group.stack, name, group.topology) for name in (rung.id, rung.settings.variant)]
    return next((verdicts[key] for key in keys if key in verdicts), {})
