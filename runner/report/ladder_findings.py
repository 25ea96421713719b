"""The sentences on a ladder: the findings, the warnings, and what a slow baseline alone would explain."""

from __future__ import annotations

import math
from collections.abc import Iterator

from runner.catalogue.publications import Publication
from runner.report.default_sections import default_findings
from runner.report.value_text import at_once, times, topology_title, with_interval
from runner.stats.family import simultaneous
from runner.stats.intervals import FEWEST, Estimate
from runner.stats.ladder import FIRST, INERT, LEFT_OUT, LadderResult
from runner.stats.results import Results
from runner.status import Status

NOT_YET = "not measured yet"
# An interval of product over whole that contains 1 and whose ends are further apart shows nothing.
WIDEST_TO_AGREE = 2
# The claim with whose figure the rungs are compared.
LARGEST = "largest-speedup"


def ladder_findings(measured: Results, article: Publication) -> tuple[str, ...]:
    """Return the findings: on a plain installation, on each ladder, and on each baseline that could have been taken."""
    found = [
        text
        for result in measured.ladders
        for text in (_finding(measured, result), *_could_be_baseline(result, article, measured))
    ]
    return (*default_findings(measured), *found)


def ladder_warnings(measured: Results) -> tuple[str, ...]:
    """Return the warnings: rungs without a number or with a flag, and products that do not agree with the whole."""
    found: list[str] = []
    for result in measured.ladders:
        problems = [(step.rung.id, step.status, step.reason) for step in (*result.steps, *result.branches)]
        problems.append(("the whole", result.whole_status, result.whole_reason))
        found += [
            f"{ladder_name(result)}, {what}: {status.words}: {reason}."
            for what, status, reason in problems
            # That something is not measured yet is said once, for the whole run.
            if status not in (FIRST, INERT, LEFT_OUT, Status.OK) and not reason.endswith(NOT_YET)
        ]
        if result.agrees is False:
            found.append(f"{ladder_name(result)}: {agreement(result)}")
    return tuple(found)


def share_of(factor: float, of: float) -> float:
    """Return `factor` as a share of the speedup `of`: the ratio of their logarithms, because speedups multiply."""
    return math.log(factor) / math.log(of)


def agreement(result: LadderResult) -> str:
    """Return a sentence on whether the product of the rungs agrees with the whole."""
    if result.product is None:
        return "The product of the rungs is not known: not every rung has a complete block."
    if result.agrees is None:
        return "Whether the product of the rungs agrees with the whole cannot be decided: not every block has both."
    held = f"The product of the rungs, {factor_text(result.product)}, over the whole, {factor_text(result.whole)}"
    ratio = result.agreements.together
    if result.agrees and ratio is not None and ratio.high > WIDEST_TO_AGREE * ratio.low:
        return f"{held}, is {times(ratio.value)}, within an interval that is too wide to show whether they agree."
    if result.agrees:
        return f"{held}, is {factor_text(result.agreements.together)}: they agree within the interval."
    found = f"{held}, is {factor_text(result.agreements.together)}"
    return f"{found}: they do NOT agree. Something changed between the launches."


def ladder_name(result: LadderResult) -> str:
    """Return stack, topology and batch size of a ladder in words."""
    group = result.group
    return f"{group.stack}, {topology_title(group.topology)}, batch size {group.batch_size}"


def factor_text(estimate: Estimate | None) -> str:
    """Return a factor with its interval in words; a dash if there is none."""
    return with_interval(estimate.value, estimate.low, estimate.high) if estimate else "—"


def _finding(measured: Results, result: LadderResult) -> str:
    name = f"{measured.header.stacks[result.group.stack].title}, {ladder_name(result)}"
    if result.whole is None:
        return f"{name}: first against last could not be measured: {result.whole_reason or 'no complete block'}."
    inert = sum(step.status == INERT for step in result.steps)
    changing = sum(step.status not in (FIRST, LEFT_OUT) for step in result.steps)
    held = f" ({at_once(result.family)})" if result.wholes.is_complete else ", not complete and hence without a verdict"
    text = f"{name}: the last rung against the first {factor_text(result.wholes.together)}{held}, measured directly. "
    text += f"{_steps(result)}. "
    return text + f"{inert} of {changing} rungs that change something are inert here. {agreement(result)}"


def _steps(result: LadderResult) -> str:
    """Return in words the steps whose simultaneous interval does not contain 1, the largest first."""
    steps = [step for step in result.steps if step.is_comparable and len(step.ratios) >= FEWEST]
    if not steps:
        return "No step is complete, so that no step gets a verdict"
    estimates = zip(steps, simultaneous([step.ratios for step in steps], result.family), strict=True)
    clear = [(step.rung.title, each.value) for step, each in estimates if each.low > 1 or each.high < 1]
    clear.sort(key=lambda entry: -abs(math.log(entry[1])))
    over = f"({at_once(result.family)})"
    parts = ", ".join(f"{title} {times(value)}" for title, value in clear)
    return f"Clear steps {over}, the largest first: {parts}" if parts else f"No single step is clear {over}"


def _could_be_baseline(result: LadderResult, article: Publication, measured: Results) -> Iterator[str]:
    """Yield a sentence on each slower baseline that could have been taken, and on what it alone would explain."""
    claim, cores = article.claim(LARGEST), measured.header.plan.pin.threads
    most = largest_speedup(article)
    for step in result.branches:
        ratio = step.together
        if not step.rung.could_be_baseline or ratio is None or not step.is_comparable:
            continue
        gained = Estimate(1 / ratio.value, 1 / ratio.high, 1 / ratio.low, ratio.replicates)
        shares = "" if not gained.has_interval else (
            f" [{share_of(gained.low, most):.0%}, {share_of(gained.high, most):.0%}]"
        )  # fmt: skip
        yield (
            f"{ladder_name(result)}: compared with a baseline with {step.rung.title}, the rung {step.reference} is "
            f"already {factor_text(gained)}, both with {step.rung.settings.wheel}. This is "
            f"{share_of(gained.value, most):.0%}{shares} of the article's {most:g}X, in logarithms. This host's pin "
            f"has {cores} cores, and the article's host had {claim.configuration.cores}."
        )


def largest_speedup(article: Publication) -> float:
    """Return the article's own largest speedup. The shares of the rungs are shares of it."""
    value = article.claim(LARGEST).value
    assert value is not None  # The tests of results/publications check that the claim with this id has a figure.
    return value
