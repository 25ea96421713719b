"""Judges claims on speedups: on the largest bar, on all bars, and on one bar.

The baseline is the stack's, unless the claim names another variant.

"Up to X" claims that at least one bar reaches X: one bar confirms it, whatever the other bars are. "On all" claims it
of every bar: it takes all bars to confirm it. One bar that is clearly lower refutes it, if the run meets all
conditions for refuting the claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.claims import in_force
from runner.claims.case import Case, RunPart, nearest_part
from runner.claims.comparability import (
    clauses,
    lacking_to_confirm,
    lacking_to_refute,
    missing,
    phrases,
    refuted,
    untestable,
)
from runner.claims.verdict import MORE_BLOCKS, NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED, Answer, answer
from runner.stats.evidence_marks import why_not
from runner.stats.family import largest, simultaneous, smallest, together
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate
from runner.stats.pairs import Comparison, Pair
from runner.support.wording import at_once, plural, significant, times, topology_title, true_largest, with_interval
from runner.vocabulary import Group

# An interval that contains the published value confirms it only if the interval is narrow: its upper end at most 1.25
# times its lower end, and the estimate within a factor of 1.1 of the published value.
MOST_WIDTH = 1.25
NEAR = 1.1
TOO_WIDE = f"the interval is too wide for a verdict; measure {MORE_BLOCKS}"


def judge_largest(case: Case) -> Answer:
    """Judge the largest speedup over the topologies, by an interval that holds for all bars at once."""
    part = nearest_part(case)
    bars, absent = _bars(case, part)
    if not bars:
        return _nothing(case, part, absent)
    estimate = largest([pair.ratios for pair in bars.values()], _family(bars), _firsts(bars))
    top = max(bars, key=lambda name: geometric_estimate(bars[name].ratios).value)
    own = together(bars[top].ratios, _family(bars), bars[top].first)
    found = (
        f"the largest of {plural(len(bars), 'bar')} is {topology_title(top)}, {_shown(own)} "
        f"({at_once(_family(bars))}{true_largest((own.low, own.high), (estimate.low, estimate.high))}), "
        f"{_where(case, part)}"
    )
    return untestable(case, part, found, estimate) or _against_figure(case, part, estimate, found, absent)


def judge_all_faster(case: Case) -> Answer:
    """Judge whether each bar is above 1, by intervals that hold at once."""
    return _every_bar(case, threshold=1.0, what="faster")


def judge_at_least(case: Case) -> Answer:
    """Judge whether each bar is at least as high as the published value, by intervals that hold at once."""
    threshold = case.claim.value or 1.0
    return _every_bar(case, threshold, f"at least {significant(threshold)} times as fast")


def judge_speedup(case: Case) -> Answer:
    """Judge one speedup of one topology. If its height was never published, the claim's conditions say so."""
    part = nearest_part(case)
    bars, absent = _bars(case, part)
    if not bars:
        return _nothing(case, part, absent)
    estimate = together(next(iter(bars.values())).ratios, _family(bars))
    found = f"{topology_title(next(iter(bars)))} is {_shown(estimate)} {_where(case, part)}"
    return untestable(case, part, found, estimate) or judge_value(case, part, estimate, found)


def judge_value(case: Case, part: RunPart, estimate: Estimate, found: str) -> Answer:
    """Judge a published value: reproduced if the interval contains it and is narrow enough.

    A value outside of the interval refutes the claim, if the run meets all conditions for refuting it.
    """
    value = case.claim.value or 0.0
    shown = significant(value)
    if not estimate.has_interval:
        why = f"one launch has no interval; measure {MORE_BLOCKS}. Here {found}"
        return answer(NOT_TESTABLE, why, estimate, [MORE_BLOCKS])
    if not estimate.low <= value <= estimate.high:
        side = "above" if estimate.low > value else "below"
        return refuted(case, part, f"{found}: the whole interval is {side} {shown}", estimate)
    if not _is_telling(estimate, value):
        return answer(NOT_TESTABLE, f"{found}: the interval contains {shown}, but {TOO_WIDE}", estimate, [MORE_BLOCKS])
    return answer(REPRODUCED, f"{found}: the interval contains {shown}", estimate)


def _is_telling(estimate: Estimate, value: float) -> bool:
    """Return whether an interval that contains the value is narrow enough to confirm it."""
    return estimate.high / estimate.low <= MOST_WIDTH and 1 / NEAR <= estimate.value / value <= NEAR


def _against_figure(case: Case, part: RunPart, estimate: Estimate, found: str, absent: Sequence[str]) -> Answer:
    value = case.claim.value or 0.0
    if estimate.low > value:
        return answer(REPRODUCED, f"{found}: the whole interval is above {significant(value)}", estimate)
    if estimate.high < value and absent:
        uncounted = f"not counted: {', '.join(absent)}; any of them could be the largest"
        return answer(NOT_TESTABLE, f"{uncounted}. Here {found}: below {significant(value)}", estimate, absent)
    return judge_value(case, part, estimate, found)


def _firsts(bars: Mapping[str, Pair]) -> list[int | None]:
    return [pair.first for pair in bars.values()]


def _every_bar(case: Case, threshold: float, what: str) -> Answer:
    part = nearest_part(case)
    bars, absent = _bars(case, part)
    if not bars:
        return _nothing(case, part, absent)
    samples = [pair.ratios for pair in bars.values()]
    least = smallest(samples, _family(bars), _firsts(bars))
    estimates = dict(zip(bars, simultaneous(samples, _family(bars), _firsts(bars)), strict=True))
    above = [name for name, each in estimates.items() if each.low > threshold]
    below = [name for name, each in estimates.items() if each.high < threshold]
    unclear = [name for name, each in estimates.items() if each.low <= threshold <= each.high]
    parts = [
        f"clearly {what} on {len(above)} of {plural(len(bars), 'topology')} ({at_once(_family(bars))}), "
        f"{_where(case, part)}"
    ]
    parts += [f"{topology_title(name)} {_shown(each)}" for name, each in estimates.items() if name not in above]
    parts += [f"the smallest is {_shown(least)}"] if len(above) == len(bars) else []
    parts += [f"on {_names(unclear)} {TOO_WIDE}"] if unclear else []
    parts += [f"not counted: {', '.join(absent)}"] if absent else []
    found = "; ".join(parts)
    held_up = untestable(case, part, found, least)
    if held_up is not None:
        return held_up
    if len(above) == len(case.claim.topologies):
        return answer(REPRODUCED, found, least)
    rest = PARTLY if above else NOT_TESTABLE
    if not below:
        return answer(rest, found, least, [*([MORE_BLOCKS] if unclear else []), *absent])
    lacking = lacking_to_refute(case, part)
    if not lacking:
        return answer(NOT_REPRODUCED, f"{found}; clearly not {what}: {_names(below)}, which refutes the claim", least)
    why = f"{found}; clearly not {what}: {_names(below)}, which does not refute the claim ({missing(lacking)})"
    return answer(rest, why, least, phrases(lacking))


def _bars(case: Case, part: RunPart) -> tuple[Mapping[str, Pair], list[str]]:
    """Return the pairs that count, by topology, and every other topology of the claim with why it does not count."""
    bars: dict[str, Pair] = {}
    absent: list[str] = []
    pairs = {pair.comparison: pair for pair in case.results.pairs}
    for topology in case.claim.topologies:
        group = Group(part.stack, topology, part.batch_size)
        pair = pairs.get(Comparison(group, *case.sides(part.stack)))
        reason = _why_not(pair)
        if pair is None or reason:
            absent.append(f"{topology_title(topology)} ({reason})" if pair else topology_title(topology))
        else:
            bars[topology] = pair
    return bars, absent


def _why_not(pair: Pair | None) -> str:
    """Return why a claim may not be judged by this pair; empty if it may."""
    if pair is None:
        return "not in this run"
    if len(pair.ratios) < FEWEST:
        return pair.reason or "too few blocks"
    return why_not(pair)


def _family(bars: Mapping[str, Pair]) -> int:
    """Return how many comparisons of the run are judged at once."""
    return next(iter(bars.values())).family


def _nothing(case: Case, part: RunPart, absent: Sequence[str]) -> Answer:
    lacking = lacking_to_confirm(case, part)
    nothing = f"nothing by which the claim could be judged was measured on: {', '.join(absent)}"
    return answer(
        NOT_TESTABLE, "; ".join(filter(None, [clauses(lacking), nothing])), missing=[*phrases(lacking), *absent]
    )


def _names(topologies: Sequence[str]) -> str:
    return ", ".join(map(topology_title, topologies))


def _shown(estimate: Estimate) -> str:
    return (
        with_interval(estimate.value, estimate.low, estimate.high) if estimate.has_interval else times(estimate.value)
    )


def _where(case: Case, part: RunPart) -> str:
    """Return in words on what it was measured: the stack, the batch size, and the cores of both platforms."""
    here, cores = in_force.cores(case.results.run), case.claim.configuration.cores
    beside = f"; {case.publication.short} had {cores}" if cores is not None and cores != here else ""
    threads = in_force.in_words(in_force.intra_op_threads(case.results.run, part.stack, part.batch_size))
    used = f", {threads}" if threads != plural(here, "thread") else ""
    return f"on {part.stack} at batch size {part.batch_size}, {plural(here, 'core')}{used}{beside}"
