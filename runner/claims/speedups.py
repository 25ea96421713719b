"""Judges of claims on speedups: the largest bar, all bars, one bar. The baseline is always the variant stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.claims.comparability import Question, Scene, scene_of, unmet
from runner.claims.material import BASELINE, CANDIDATE, Material
from runner.claims.verdict import NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED, Answer, answer
from runner.stats.intervals import FEWEST, Estimate, geometric_estimate, largest
from runner.stats.pairs import Pair
from runner.vocabulary import Group
from runner.wording import plural, significant, times, topology_title, with_interval

# An interval whose ends are further apart than this holds so much that holding the published value says nothing.
MOST_WIDTH = 2.0


def judge_largest(question: Question) -> Answer:
    """The largest speedup over the topologies, with an interval that is simultaneous over the bars."""
    scene = scene_of(question)
    bars, absent = _bars(question, scene)
    if not bars:
        return answer(NOT_TESTABLE, _nothing(question, scene, absent))
    estimate = largest([pair.ratios for pair in bars.values()])
    top = max(bars, key=lambda name: geometric_estimate(bars[name].ratios).value)
    found = (
        f"the largest of {plural(len(bars), 'bar')} is {topology_title(top)}, {_shown(estimate)} (95%, simultaneous "
        f"over the bars), {_where(question, scene)}"
    )
    obstacles = unmet(question, scene)
    if obstacles:
        return answer(NOT_TESTABLE, f"{'; '.join(obstacles)}. Here {found}", estimate)
    return _against_figure(question, estimate, found, absent)


def judge_all_faster(question: Question) -> Answer:
    """Is each bar above 1? Each has its own 95% interval: that all of them hold at once is what is asked."""
    return _every_bar(question, threshold=1.0, what="faster")


def judge_at_least(question: Question) -> Answer:
    """Is each bar at least as high as the published value?"""
    threshold = question.claim.value or 1.0
    return _every_bar(question, threshold, f"at least {significant(threshold)} times as fast")


def judge_speedup(question: Question) -> Answer:
    """One published speedup of one topology."""
    scene = scene_of(question)
    bars, absent = _bars(question, scene)
    if not bars:
        return answer(NOT_TESTABLE, _nothing(question, scene, absent))
    estimate = geometric_estimate(next(iter(bars.values())).ratios)
    found = f"{topology_title(next(iter(bars)))} is {_shown(estimate)} {_where(question, scene)}"
    obstacles = unmet(question, scene)
    if obstacles:
        return answer(NOT_TESTABLE, f"{'; '.join(obstacles)}. Here {found}", estimate)
    return judge_value(question, estimate, found)


def judge_bar(question: Question) -> Answer:
    """A bar whose height exists only as a picture: what is measured here stands beside it, and nothing is judged."""
    scene = scene_of(question)
    bars, absent = _bars(question, scene)
    reason = "its value was never published as text, only as a picture, so there is nothing to hold a figure against"
    if not bars:
        return answer(NOT_TESTABLE, f"{reason}; {_nothing(question, scene, absent)}")
    estimate = geometric_estimate(next(iter(bars.values())).ratios)
    return answer(NOT_TESTABLE, f"{reason}. Here it is {_shown(estimate)} {_where(question, scene)}", estimate)


def judge_value(question: Question, estimate: Estimate, found: str) -> Answer:
    """Does the interval hold the published value, and is it narrow enough for that to mean something?"""
    value = question.claim.value or 0.0
    shown = significant(value)
    if not estimate.has_interval:
        return answer(NOT_TESTABLE, f"one launch has no interval; measure more --blocks. Here {found}", estimate)
    if not estimate.low <= value <= estimate.high:
        side = "above" if estimate.low > value else "below"
        return answer(NOT_REPRODUCED, f"{found}: {side} {shown}", estimate)
    if is_too_wide(estimate):
        return answer(NOT_TESTABLE, f"{found}: too wide an interval to judge {shown}; measure more --blocks", estimate)
    return answer(REPRODUCED, f"{found}: the interval holds {shown}", estimate)


def is_too_wide(estimate: Estimate) -> bool:
    """Are the ends of an interval so far apart that it cannot speak for or against a value inside?"""
    return estimate.high / estimate.low > MOST_WIDTH


def _against_figure(question: Question, estimate: Estimate, found: str, absent: Sequence[str]) -> Answer:
    value = question.claim.value or 0.0
    if estimate.low > value:
        return answer(REPRODUCED, f"{found}: above {significant(value)}", estimate)
    if estimate.high < value and absent:
        missing = f"not measured: {', '.join(absent)}; any of them could be the largest"
        return answer(NOT_TESTABLE, f"{missing}. Here {found}: below {significant(value)}", estimate)
    return judge_value(question, estimate, found)


def _every_bar(question: Question, threshold: float, what: str) -> Answer:
    scene = scene_of(question)
    bars, absent = _bars(question, scene)
    if not bars:
        return answer(NOT_TESTABLE, _nothing(question, scene, absent))
    estimates = {name: geometric_estimate(pair.ratios) for name, pair in bars.items()}
    smallest = min(estimates.values(), key=lambda estimate: estimate.value)
    above = [name for name, each in estimates.items() if each.low > threshold]
    parts = [f"clearly {what} on {len(above)} of {plural(len(bars), 'topology')} {_where(question, scene)}"]
    parts += [f"{topology_title(name)} {_shown(each)}" for name, each in estimates.items() if name not in above]
    parts += [f"the smallest is {_shown(smallest)}"] if len(above) == len(bars) else []
    parts += [f"not measured: {', '.join(absent)}"] if absent else []
    found = "; ".join(parts)
    obstacles = unmet(question, scene)
    if obstacles:
        return answer(NOT_TESTABLE, f"{'; '.join(obstacles)}. Here {found}", smallest)
    if above:
        return answer(REPRODUCED if len(above) == len(question.claim.topologies) else PARTLY, found, smallest)
    if all(is_too_wide(each) for each in estimates.values()):
        return answer(NOT_TESTABLE, f"{found}: too wide intervals to judge; measure more --blocks", smallest)
    return answer(NOT_REPRODUCED, found, smallest)


def _bars(question: Question, scene: Scene) -> tuple[Mapping[str, Pair], list[str]]:
    """The pairs that count, by topology, and for each other topology of the claim why it does not count."""
    material, bars, absent = question.material, {}, []
    by_group = {pair.group: pair for pair in material.pairs}
    for topology in question.claim.topologies:
        pair = by_group.get(Group(scene.stack, topology, scene.batch_size))
        reason = _why_not(material, pair)
        if pair is None or reason:
            absent.append(f"{topology_title(topology)} ({reason})" if pair else topology_title(topology))
        else:
            bars[topology] = pair
    return bars, absent


def _why_not(material: Material, pair: Pair | None) -> str:
    """Why a pair may not judge anything; empty if it may."""
    if pair is None:
        return "not in this run"
    if pair.status == "losses_differ":
        return "the two sides may not have trained the same thing"
    if len(pair.ratios) < FEWEST:
        return pair.reason or "too few blocks"
    return wrong_evidence(material, pair.group.stack, pair.group.topology)


def wrong_evidence(material: Material, stack: str, topology: str) -> str:
    """What a probe found that makes a pair another comparison than its names say; empty if nothing."""
    damning = ("intel_kernels_ran", "baseline_is_free_of_them", "right_wheel")
    found = [
        str(verdict["text"])
        for probe in material.probes
        if (probe["stack"], probe["topology"]) == (stack, topology)
        for verdict in probe["verdicts"]
        if verdict["id"] in damning and verdict["passed"] is False and probe["variant"] in (BASELINE, CANDIDATE)
    ]
    return "; ".join(found)


def _nothing(question: Question, scene: Scene, absent: Sequence[str]) -> str:
    reasons = unmet(question, scene)
    return "; ".join([*reasons, f"nothing to judge by was measured of {', '.join(absent)}"])


def _shown(estimate: Estimate) -> str:
    return (
        with_interval(estimate.value, estimate.low, estimate.high) if estimate.has_interval else times(estimate.value)
    )


def _where(question: Question, scene: Scene) -> str:
    """On what it was measured: stack, batch size, and the cores of both hosts side by side."""
    machine = question.material.run.header["machine"]
    cores = question.claim.configuration.cores
    beside = f"; {question.publication.short} had {cores}" if cores is not None and cores != machine["cores"] else ""
    threads = question.material.run.header["plan"]["pin"]["threads"]
    used = f", {threads} of them used" if threads != machine["cores"] else ""
    return f"on {scene.stack} at batch size {scene.batch_size}, {plural(machine['cores'], 'core')}{used}{beside}"
