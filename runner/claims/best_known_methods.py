"""Judges a best-known method from a ladder: from the gain of each step that changes this one setting.

It uses the steps that the report's table shows (runner/stats/ladder.py), with their ratios, references and reasons. It
computes no ratio of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.claims.case import Case, nearest_part
from runner.claims.comparability import refuted
from runner.claims.verdict import (
    MORE_BLOCKS,
    NOT_REPRODUCED,
    NOT_TESTABLE,
    OVERRIDDEN,
    PARTLY,
    REPRODUCED,
    Answer,
    Verdict,
    answer,
)
from runner.evidence.inert_settings import is_of_the_host, is_of_the_software, is_overridden
from runner.planning.rungs import PlannedRung
from runner.stats.family import simultaneous, smallest
from runner.stats.intervals import FEWEST, Estimate
from runner.stats.ladder import INERT, LEFT_OUT, LadderResult, Step
from runner.status import ERRORS, Status
from runner.support.wording import topology_title, with_interval

NOT_SET = "not set"
# An interval that contains 1 and whose ends are at most this factor apart shows that the setting gains nothing of note.
NO_DIFFERENCE = 1.1


@dataclass(frozen=True)
class Trial:
    """One step that changes the claim's setting and nothing else, to the claim's value or away from it.

    `ratios` has, for each block, the speed with the value over the speed without it. If it is empty, `problem` says
    why. `did_nothing` says that the reason is that the setting was inert here. `by_software` says that it would be
    inert on any host with this software. `is_pending` says that launches are missing, and `is_of_another_build` that
    the step changes the setting of another build than the one it is prescribed for.
    """

    stack: str
    text: str
    ratios: tuple[float, ...] = ()
    problem: str = ""
    did_nothing: bool = False
    by_software: bool = False
    is_pending: bool = False
    is_of_another_build: bool = False


def judge_by_ladder(case: Case) -> Answer | None:
    """Return the verdict on a setting from the run's ladder; None if no rung tests it, or if the run is no ladder."""
    trials = _of_the_nearest_stack(case)
    if not trials:
        return None
    samples, family = [trial.ratios for trial in trials if trial.ratios], case.results.ladders[0].family
    estimates = iter(simultaneous(samples, family) if samples else ())
    outcomes = [_outcome(trial, next(estimates) if trial.ratios else None) for trial in trials]
    parts = [f"{trial.text}: {said}" for trial, (_, said) in zip(trials, outcomes, strict=True)]
    verdict = _verdict([verdict for verdict, _ in outcomes])
    least = smallest(samples, family) if samples else None
    why = f"the ladder, one change at a time: {'; '.join(parts)}"
    if verdict != NOT_REPRODUCED:
        unclear = any(each == NOT_TESTABLE and trial.ratios for (each, _), trial in zip(outcomes, trials, strict=True))
        return answer(verdict, why, least, [MORE_BLOCKS] if unclear else [])
    part = nearest_part(case, [trials[0].stack])
    found = refuted(case, part, why, least, by_software=all(trial.by_software for trial in trials))
    return overridden(found) if all(is_overridden(trial.problem) for trial in trials) else found


def overridden(found: Answer) -> Answer:
    """Return the answer on a setting that another one takes precedence over: such a setting is not refuted by speed."""
    return replace(found, verdict=OVERRIDDEN) if found.verdict == NOT_REPRODUCED else found


def is_pending(case: Case) -> bool:
    """Return whether a step that tests the claim's setting lacks launches."""
    return any(trial.is_pending for trial in _of_the_nearest_stack(case))


def tests_setting(case: Case) -> bool:
    """Return whether a ladder of the run has a step that changes the claim's setting and nothing else."""
    return bool(_of_the_nearest_stack(case))


def _outcome(trial: Trial, estimate: Estimate | None) -> tuple[Verdict, str]:
    """Return the verdict of one trial by itself, and its figure in words. The intervals of all trials hold at once."""
    if estimate is None:
        return NOT_REPRODUCED if trial.did_nothing else NOT_TESTABLE, trial.problem
    shown = with_interval(estimate.value, estimate.low, estimate.high)
    if estimate.low > 1:
        return REPRODUCED, shown
    if estimate.high < 1:
        return NOT_REPRODUCED, shown
    if estimate.high / estimate.low <= NO_DIFFERENCE:
        return NOT_REPRODUCED, (
            f"{shown}, no clear difference, and the interval is too narrow to hide a gain of note (our criterion: its "
            f"ends are at most a factor of {NO_DIFFERENCE:g} apart)"
        )
    return NOT_TESTABLE, f"{shown}, no clear difference; measure {MORE_BLOCKS}"


def _verdict(outcomes: Sequence[Verdict]) -> Verdict:
    """Return the verdict over all trials.

    If all agree, it is theirs. If they do not, and some trials reproduce the claim, it is "partly". If none does, it is
    "not testable here", because a trial that could not be tested may be a gain.
    """
    if len(set(outcomes)) == 1:
        return outcomes[0]
    return PARTLY if REPRODUCED in outcomes else NOT_TESTABLE


def _of_the_nearest_stack(case: Case) -> list[Trial]:
    """Return the trials of one stack that has any: of the publication's nearest stack if possible."""
    nearest, ladders = case.publication.nearest_stack, case.results.ladders
    for stack in sorted({each.group.stack for each in ladders}, key=lambda name: (name != nearest, name)):
        found = [trial for each in ladders if each.group.stack == stack for trial in _trials(case, each)]
        if found:
            return [trial for trial in found if not trial.is_of_another_build] or found
    return []


def _trials(case: Case, result: LadderResult) -> Iterator[Trial]:
    """Yield every step of a ladder that changes only the claim's setting, to the claim's value or away from it."""
    value, steps = _value(case), {step.rung.id: step for step in (*result.steps, *result.branches)}
    for step in steps.values():
        change = _only_change(step.rung, case.claim.setting or "")
        if change is None or step.status == LEFT_OUT or not step.rung.of:
            continue
        before, now = change
        if value in (None, before, now):
            away = before == value or (value is None and now == NOT_SET)
            build = case.vendors_build(result.group.stack)
            yield _trial(step, steps, result, (now, before) if away else (before, now), build, away=away)


def _trial(
    step: Step, steps: Mapping[str, Step], result: LadderResult, change: tuple[str, str], build: str, *, away: bool
) -> Trial:
    group = result.group
    text = (
        f"from {change[0]} to {change[1]} on {group.stack}, {topology_title(group.topology)}, batch size "
        f"{group.batch_size}"
    )
    trial = Trial(group.stack, text)
    variant = step.rung.settings.variant
    if variant != build:
        problem = f"this rung has the build {variant}, but the setting is prescribed for Intel's"
        return replace(trial, problem=problem, is_of_another_build=True)
    if step.status == INERT and _overridden_by_the_probe(step):
        return replace(trial, problem=f"inert only in its probe, which itself sets KMP_AFFINITY: {step.reason}")
    if step.status == INERT:
        return replace(
            trial, problem=f"inert: {step.reason}", did_nothing=not is_of_the_host(step.reason),
            by_software=is_of_the_software(step.reason),
        )  # fmt: skip
    problem = _problem(step, steps)
    if problem:
        lacks_launches = step.status in (Status.PARTIAL, Status.MISSING, *ERRORS)
        return replace(trial, problem=problem, is_pending=lacks_launches or len(step.ratios) < FEWEST)
    return replace(trial, ratios=tuple(1 / ratio for ratio in step.ratios) if away else step.ratios)


def _overridden_by_the_probe(step: Step) -> bool:
    """Return whether only the probe defined KMP_AFFINITY, and the timed launches did not.

    A probe adds the word "verbose" to this variable.
    """
    affinity = "KMP_AFFINITY"
    return f"{affinity} has been defined" in step.reason and affinity not in step.rung.settings.environment


def _problem(step: Step, steps: Mapping[str, Step]) -> str:
    """Return why a step's ratio is not the gain of its own change; empty if it is."""
    if not step.is_comparable:
        return f"{step.status.words}: {step.reason}"
    if len(step.ratios) < FEWEST:
        return f"too few blocks for an interval{f', {step.reason}' if step.reason else ''}"
    name = step.rung.of
    while name and name != step.reference:  # An inert rung in between changed nothing, so that it does not matter.
        if steps[name].status not in (INERT, LEFT_OUT):
            return step.reason
        name = steps[name].rung.of
    return ""


def _value(case: Case) -> str | None:
    """Return the value that the claim is about, with the pin's own counts filled in; None if any value will do."""
    value, pin = case.claim.setting_value, case.results.run.about.plan.pin
    if value is None:
        return None
    return value.replace("{threads}", str(pin.threads)).replace("{sockets}", str(pin.sockets))


def _only_change(rung: PlannedRung, setting: str) -> tuple[str, str] | None:
    """Return the values before and after, if the rung changes only this setting; else None.

    If the rung has the setting's name, the values are "without" and "with".
    """
    changes = {name: (before, now) for name, before, now in rung.changes}
    if list(changes) == [setting]:
        return changes[setting]
    return ("without", "with") if rung.id == setting else None
