"""Judges of claims on speedups: the largest bar, all bars, one bar. The baseline is always the variant stock.

"Up to" says that there is a bar so high: one bar confirms it, whatever the others are. "On all" says it of every
bar: only all of them confirm it. One bar that is clearly lower refutes it, if the run matches all that refuting the
claim takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.claims import in_force
from runner.claims.case import BASELINE, CANDIDATE, Case, RunPart, nearest_part
from runner.claims.comparability import (
    clauses,
    lacking_to_confirm,
    lacking_to_refute,
    missing,
    phrases,
    refuted,
    untestable,
)
from runner.claims.verdict import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED, Answer, answer
from runner.stats.evidence_marks import why_not
from runner.stats.family import largest, simultaneous, smallest, together
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate
from runner.stats.pairs import Comparison, Pair
from runner.support.wording import at_once, plural, significant, times, topology_title, true_largest, with_interval
from runner.vocabulary import Group

# That an interval holds the published value means something only if little else is in it: its ends at most a quarter
# apart, and the estimate itself within a tenth of the value.
MOST_WIDTH = 1.25
NEAR = 1.1
MORE_BLOCKS = "more --blocks"
TOO_WIDE = "the interval is too wide to tell; measure more --blocks"


def judge_largest(case: Case) -> Answer:
    """The largest speedup over the topologies, with an interval that is simultaneous over the bars."""
    part = nearest_part(case)
    bars, absent = _bars(case, part)
    if not bars:
        return _nothing(case, part, absent)
    estimate = largest([pair.ratios for pair in bars.values()], _family(bars))
    top = max(bars, key=lambda name: geometric_estimate(bars[name].ratios).value)
    own = together(bars[top].ratios, _family(bars))
    found = (
        f"the largest of {plural(len(bars), 'bar')} is {topology_title(top)}, {_shown(own)} "
        f"({at_once(_family(bars))}{true_largest((own.low, own.high), (estimate.low, estimate.high))}), "
        f"{_where(case, part)}"
    )
    return untestable(case, part, found, estimate) or _against_figure(case, part, estimate, found, absent)


def judge_all_faster(case: Case) -> Answer:
    """Is each bar above 1? A statement on all bars is one on the smallest: the intervals hold all at once."""
    return _every_bar(case, threshold=1.0, what="faster")


def judge_at_least(case: Case) -> Answer:
    """Is each bar at least as high as the published value?"""
    threshold = case.claim.value or 1.0
    return _every_bar(case, threshold, f"at least {significant(threshold)} times as fast")


def judge_speedup(case: Case) -> Answer:
    """One speedup of one topology; where its height was never published the claim's conditions say so."""
    part = nearest_part(case)
    bars, absent = _bars(case, part)
    if not bars:
        return _nothing(case, part, absent)
    estimate = together(next(iter(bars.values())).ratios, _family(bars))
    found = f"{topology_title(next(iter(bars)))} is {_shown(estimate)} {_where(case, part)}"
    return untestable(case, part, found, estimate) or judge_value(case, part, estimate, found)


def judge_value(case: Case, part: RunPart, estimate: Estimate, found: str) -> Answer:
    """Does the interval hold the published value, and is it narrow enough for that to mean something?

    A figure that is clear of the interval on either side is another figure, which refutes the claim where all matches
    that refuting it takes.
    """
    value = case.claim.value or 0.0
    shown = significant(value)
    if not estimate.has_interval:
        why = f"one launch has no interval; measure more --blocks. Here {found}"
        return answer(NOT_TESTABLE, why, estimate, [MORE_BLOCKS])
    if not estimate.low <= value <= estimate.high:
        side = "above" if estimate.low > value else "below"
        return refuted(case, part, f"{found}: the whole interval is {side} {shown}", estimate)
    if not _is_telling(estimate, value):
        return answer(NOT_TESTABLE, f"{found}: holding {shown} and much else, {TOO_WIDE}", estimate, [MORE_BLOCKS])
    return answer(REPRODUCED, f"{found}: the interval holds {shown}", estimate)


def _is_telling(estimate: Estimate, value: float) -> bool:
    """Does it mean something that this interval holds the value?"""
    return estimate.high / estimate.low <= MOST_WIDTH and 1 / NEAR <= estimate.value / value <= NEAR


def _against_figure(case: Case, part: RunPart, estimate: Estimate, found: str, absent: Sequence[str]) -> Answer:
    value = case.claim.value or 0.0
    if estimate.low > value:
        return answer(REPRODUCED, f"{found}: the whole interval is above {significant(value)}", estimate)
    if estimate.high < value and absent:
        uncounted = f"not counted: {', '.join(absent)}; any of them could be the largest"
        return answer(NOT_TESTABLE, f"{uncounted}. Here {found}: below {significant(value)}", estimate, absent)
    return judge_value(case, part, estimate, found)


def _every_bar(case: Case, threshold: float, what: str) -> Answer:
    part = nearest_part(case)
    bars, absent = _bars(case, part)
    if not bars:
        return _nothing(case, part, absent)
    samples = [pair.ratios for pair in bars.values()]
    least = smallest(samples, _family(bars))
    estimates = dict(zip(bars, simultaneous(samples, _family(bars)), strict=True))
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
        return answer(NOT_REPRODUCED, f"{found}; {_names(below)} alone refutes it", least)
    why = f"{found}; {_names(below)}, though clearly not {what}, does not refute it ({missing(lacking)})"
    return answer(rest, why, least, phrases(lacking))


def _bars(case: Case, part: RunPart) -> tuple[Mapping[str, Pair], list[str]]:
    """The pairs that count, by topology, and for each other topology of the claim why it does not count."""
    bars: dict[str, Pair] = {}
    absent: list[str] = []
    pairs = {pair.comparison: pair for pair in case.results.pairs}
    for topology in case.claim.topologies:
        group = Group(part.stack, topology, part.batch_size)
        pair = pairs.get(Comparison(group, BASELINE, CANDIDATE))
        reason = _why_not(pair)
        if pair is None or reason:
            absent.append(f"{topology_title(topology)} ({reason})" if pair else topology_title(topology))
        else:
            bars[topology] = pair
    return bars, absent


def _why_not(pair: Pair | None) -> str:
    """Why a pair may not judge anything; empty if it may."""
    if pair is None:
        return "not in this run"
    if len(pair.ratios) < FEWEST:
        return pair.reason or "too few blocks"
    return why_not(pair)


def _family(bars: Mapping[str, Pair]) -> int:
    """How many comparisons of the run hold at once."""
    return next(iter(bars.values())).family


def _nothing(case: Case, part: RunPart, absent: Sequence[str]) -> Answer:
    lacking = lacking_to_confirm(case, part)
    nothing = f"nothing to judge by was measured of {', '.join(absent)}"
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
    """On what it was measured: stack, batch size, and the cores of both platforms side by side."""
    here, cores = in_force.cores(case.results.run), case.claim.configuration.cores
    beside = f"; {case.publication.short} had {cores}" if cores is not None and cores != here else ""
    threads = in_force.in_words(in_force.intra_op_threads(case.results.run, part.stack, part.batch_size))
    used = f", {threads}" if threads != plural(here, "thread") else ""
    return f"on {part.stack} at batch size {part.batch_size}, {plural(here, 'core')}{used}{beside}"
