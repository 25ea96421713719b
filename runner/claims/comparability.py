"""Rule 12: what a run may say of a claim. Two lists of conditions decide: to confirm it, and to refute it.

A run confirms where all that the claim needs `to_confirm` matches, on whatever host. What falls short refutes only
where all that it needs `to_refute` matches as well: a small host that misses a large one's figure says nothing of it.
Where that is missing the claim is not testable, with the measured figure and what is missing beside it. Every other
difference is listed beside the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.claims.case import Case, RunPart, nearest_part
from runner.claims.condition import Condition
from runner.claims.conditions import conditions
from runner.claims.verdict import NOT_REPRODUCED, NOT_TESTABLE, Answer, Difference, answer
from runner.stats.intervals import Estimate


def lacking_to_confirm(case: Case, part: RunPart) -> list[Condition]:
    """The conditions that keep this run from judging the claim at all."""
    return _unmet(case, part, case.claim.to_confirm)


def clauses(lacking: Sequence[Condition]) -> str:
    """What does not match, a clause for each condition."""
    return "; ".join(each.obstacle for each in lacking)


def phrases(lacking: Sequence[Condition]) -> list[str]:
    """What is missing, a noun phrase for each condition."""
    return [each.lacking for each in lacking]


def untestable(case: Case, part: RunPart, found: str, estimate: Estimate | None = None) -> Answer | None:
    """The answer where the claim could not even be confirmed here, with what was found; None where it could be."""
    lacking = lacking_to_confirm(case, part)
    if not lacking:
        return None
    return answer(NOT_TESTABLE, f"{clauses(lacking)}. Here {found}", estimate, phrases(lacking))


def lacking_to_refute(case: Case, part: RunPart, *, by_software: bool = False) -> list[Condition]:
    """The conditions, of both lists, that keep this run from refuting the claim.

    `by_software` is for what the software itself told and would tell on any host: then only conditions on software
    count.
    """
    unmet = _unmet(case, part, (*case.claim.to_confirm, *case.claim.to_refute))
    return [each for each in unmet if each.is_of_the_software or not by_software]


def refuted(
    case: Case, part: RunPart, why: str, estimate: Estimate | None = None, *, by_software: bool = False
) -> Answer:
    """What a figure that is clear of the claim amounts to: not reproduced, or only not testable here."""
    lacking = lacking_to_refute(case, part, by_software=by_software)
    if not lacking:
        everywhere = "; it is so on any host with this software" if by_software else ""
        return answer(NOT_REPRODUCED, f"{why}{everywhere}", estimate)
    why = f"{why}, which does not refute it ({missing(lacking)})"
    return answer(NOT_TESTABLE, why, estimate, phrases(lacking))


def missing(lacking: Sequence[Condition]) -> str:
    """One phrase for what is missing: first what another host or run could have, then what none has."""
    parts = {
        "missing here": phrases([each for each in lacking if not each.is_out_of_reach]),
        "missing on any host": phrases([each for each in lacking if each.is_out_of_reach]),
    }
    return "; ".join(f"{head}: {', '.join(found)}" for head, found in parts.items() if found)


def differences(case: Case) -> tuple[Difference, ...]:
    """All in which the run is not what was published, and what the publication does not tell of its machine.

    The threads of a baseline are a difference only to claims that depend on them.
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
