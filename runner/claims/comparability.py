"""Decides what a run may say of a claim, by the claim's two lists of conditions (rule 12 of CONTRIBUTING.md).

A run can confirm a claim if every condition in `to_confirm` matches, on any host. A figure that falls short refutes the
claim only if every condition in `to_refute` matches as well: that a small host does not reach a large host's figure
says nothing about that figure. If a condition does not match, the claim is not testable here. The answer then has the
measured figure and what is missing. All other differences are listed beside the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.claims.case import Case, RunPart, nearest_part
from runner.claims.condition import Condition
from runner.claims.conditions import conditions
from runner.claims.verdict import NOT_REPRODUCED, NOT_TESTABLE, Answer, Difference, answer
from runner.stats.intervals import Estimate


def lacking_to_confirm(case: Case, part: RunPart) -> list[Condition]:
    """Return the conditions that keep this run from judging the claim at all."""
    return _unmet(case, part, case.claim.to_confirm)


def clauses(lacking: Sequence[Condition]) -> str:
    """Return what does not match, as one clause for each condition."""
    return "; ".join(each.obstacle for each in lacking)


def phrases(lacking: Sequence[Condition]) -> list[str]:
    """Return what is missing, as a noun phrase for each condition."""
    return [each.lacking for each in lacking]


def untestable(case: Case, part: RunPart, found: str, estimate: Estimate | None = None) -> Answer | None:
    """Return the answer, with what was found, if the claim could not even be confirmed here; None if it could be."""
    lacking = lacking_to_confirm(case, part)
    if not lacking:
        return None
    return answer(NOT_TESTABLE, f"{clauses(lacking)}. Here {found}", estimate, phrases(lacking))


def lacking_to_refute(case: Case, part: RunPart, *, by_software: bool = False) -> list[Condition]:
    """Return the conditions, of both lists, that keep this run from refuting the claim.

    `by_software` means that the software itself reported the finding, and would report it on any host. Then only
    conditions on the software count.
    """
    unmet = _unmet(case, part, (*case.claim.to_confirm, *case.claim.to_refute))
    return [each for each in unmet if each.is_of_the_software or not by_software]


def refuted(
    case: Case, part: RunPart, why: str, estimate: Estimate | None = None, *, by_software: bool = False
) -> Answer:
    """Return the answer for a figure that contradicts the claim: not reproduced, or else not testable here."""
    lacking = lacking_to_refute(case, part, by_software=by_software)
    if not lacking:
        everywhere = "; this holds on any host with this software" if by_software else ""
        return answer(NOT_REPRODUCED, f"{why}{everywhere}", estimate)
    why = f"{why}, which does not refute the claim ({missing(lacking)})"
    return answer(NOT_TESTABLE, why, estimate, phrases(lacking))


def missing(lacking: Sequence[Condition]) -> str:
    """Return in words what is missing: first what another host or run could have, then what no run can have."""
    parts = {
        "missing here": phrases([each for each in lacking if not each.is_out_of_reach]),
        "missing on any host": phrases([each for each in lacking if each.is_out_of_reach]),
    }
    return "; ".join(f"{head}: {', '.join(found)}" for head, found in parts.items() if found)


def differences(case: Case) -> tuple[Difference, ...]:
    """Return where the run differs from the published platform, and what the publication does not say of its machine.

    The threads of a baseline count as a difference only for claims that depend on them.
    """
    claim, found = case.claim, conditions(case, nearest_part(case))
    on_a_machine = claim.configuration.processor_model is not None
    return tuple(
        Difference(each.title, each.published, each.here)
        for each in found
        if each.is_a_difference
        and (each.name != "baseline" or each.name in claim.to_refute)
        and (each.matches is False or (each.matches is None and on_a_machine and each.is_worth_a_line_untold))
    )


def _unmet(case: Case, part: RunPart, needed: Sequence[str]) -> list[Condition]:
    return [each for each in conditions(case, part) if each.name in needed and not each.matches]
