"""Judges a publication by several runs of one host. Each claim is judged by one of them; nothing is computed over two.

Which run judges a claim does not depend on any speed. A prescribed setting is judged by a comparison whose probes show
that another setting takes precedence over it, which no speed can contradict; else by a ladder that has a step for it;
else by a comparison. That the program stays the same is judged by a run that was planned with both builds in one
layout, as a ladder is and a comparison need not be. Everything else is judged by a comparison. Of several such runs it
is the one whose stack and batch size are nearest to the claim's; then the one that had the most blocks in its plan
before anything was measured; then one that is complete; then the one that was begun first. What the other runs say is
kept beside it.

Each run's intervals hold at once with 95%. Verdicts that are read off two runs therefore hold at once with at least 90%
(Bonferroni's inequality), and off three with 85%.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runner.catalogue.publications import Claim, Publication
from runner.checks.conditions import flatten
from runner.claims.best_known_methods import is_pending, tests_setting
from runner.claims.case import Case, farness, nearest_part
from runner.claims.comparability import lacking_to_confirm
from runner.claims.condition import Condition
from runner.claims.judge import judge_claim
from runner.claims.practice import tries_one_layout
from runner.claims.verdict import MORE_BLOCKS, NOT_TESTABLE, OVERRIDDEN, PARTLY, Judgement, Verdict
from runner.errors import UsageError
from runner.stats.intervals import FEWEST
from runner.stats.pairs import Comparison
from runner.stats.results import Results
from runner.status import ERRORS, Status
from runner.vocabulary import Group

SAME_PROGRAM = "same-program"
UNFIT = 3
# Conditions that are of a run and not of its host: another run on the same host can meet them.
OF_A_RUN = frozenset({"stack", "batch_size", "topologies", "bkms"})


@dataclass(frozen=True)
class JudgedByRun:
    """The verdict on one claim, and the run that it is read off.

    `others` has the name and the verdict of each other run that judges such a claim. `needs_more` says that the run has
    not decided the claim yet, and that more of the same may decide it. `needs_sizes` says that a run of another stack,
    other networks, another batch size or other settings may decide it on this host.
    """

    judgement: Judgement
    results: Results
    others: tuple[tuple[str, Verdict], ...] = ()
    needs_more: bool = False
    needs_sizes: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a further run on this host may decide the claim."""
        return self.needs_more or self.needs_sizes


def judge_together(publication: Publication, measured: Sequence[Results]) -> list[JudgedByRun]:
    """Judge every claim of a publication, in its order, each by the run that is nearest to it.

    Raises:
        UsageError: the runs are of different hosts.
        ValueError: there is no run.
    """
    require_one_host(measured)
    return [_judged(publication, claim, measured) for claim in publication.claims]


def require_one_host(measured: Sequence[Results]) -> None:
    """Check that all runs are of one host in one state: the machine's conditions, its cores and its sockets.

    Pin and engine may differ, because no launch of one run is divided by one of another.

    Raises:
        UsageError: they are not; the message names the first two that differ, and in what.
    """
    for each in measured[1:]:
        first, other = (dict(_host(results)) for results in (measured[0], each))
        for name in sorted(first.keys() | other.keys()):
            if first.get(name) != other.get(name):
                raise UsageError(
                    f"{measured[0].run.folder} and {each.run.folder} were not measured on one host in one state: "
                    f"{name} is {first.get(name)} in the first and {other.get(name)} in the second. "
                    "Name runs of one host, or judge each by itself."
                )


def _host(results: Results) -> Iterator[tuple[str, object]]:
    header = results.header
    yield from flatten(header.machine_conditions)
    yield "the number of cores", len(header.machine.cores)
    yield "the number of sockets", len(header.machine.sockets)


def _judged(publication: Publication, claim: Claim, measured: Sequence[Results]) -> JudgedByRun:
    cases = [Case(publication, claim, each) for each in measured]
    nearest = min(cases, key=_rank)
    judgement = judge_claim(publication, claim, nearest.results)
    lacking = lacking_to_confirm(nearest, nearest_part(nearest))
    others = tuple(
        (case.results.run.name, judge_claim(publication, claim, case.results).answer.verdict)
        for case in cases
        if case is not nearest and _fitness(case) < UNFIT
    )
    return JudgedByRun(
        judgement, nearest.results, others,
        needs_more=not lacking and _needs_more(nearest, judgement), needs_sizes=_needs_sizes(lacking, judgement),
    )  # fmt: skip


def _rank(case: Case) -> tuple[int, tuple[bool, ...], int, bool, str]:
    results = case.results
    plan = results.header.plan
    is_broken = bool(results.unfinished or results.failed)
    planned = plan.first_blocks or plan.blocks
    return (_fitness(case), farness(case, nearest_part(case)), -planned, is_broken, results.header.created)


def _fitness(case: Case) -> int:
    """Return how fit a run of this kind is to judge the claim: 0 for the fittest, UNFIT for the least."""
    header, setting = case.results.header, case.claim.setting
    if case.claim.kind == SAME_PROGRAM and not header.is_aa:
        return 0 if tries_one_layout(case) else UNFIT if header.is_ladder else 1
    if header.is_ladder:
        return 1 if setting is not None and tests_setting(case) else UNFIT
    if header.is_aa:
        return UNFIT
    if setting is None:
        return 0
    # The probes of a comparison can show that a setting has no effect beside the others, but not what it gains.
    return 0 if judge_claim(case.publication, case.claim, case.results).answer.verdict == OVERRIDDEN else 2


def _needs_more(case: Case, judgement: Judgement) -> bool:
    """Return whether the launches that are left of the run, or more blocks, may decide what it leaves open."""
    answer = judgement.answer
    if answer.verdict not in (NOT_TESTABLE, PARTLY):
        return False
    if MORE_BLOCKS in answer.missing:
        return True
    return is_pending(case) if case.claim.setting is not None else _has_pending_pair(case)


def _needs_sizes(lacking: Sequence[Condition], judgement: Judgement) -> bool:
    """Return whether all that keeps the run from confirming the claim are its own sizes, software and settings."""
    is_undecided = judgement.answer.verdict == NOT_TESTABLE
    return is_undecided and bool(lacking) and all(each.name in OF_A_RUN for each in lacking)


def _has_pending_pair(case: Case) -> bool:
    """Return whether a pair that the claim is about was planned, and lacks launches; of a ladder, whether it does."""
    if case.results.header.is_ladder:
        return bool(case.results.unfinished or case.results.failed)
    part, pairs = nearest_part(case), {pair.comparison: pair for pair in case.results.pairs}
    groups = [Group(part.stack, topology, part.batch_size) for topology in case.claim.topologies]
    planned = (pairs.get(Comparison(group, *case.sides(part.stack))) for group in groups)
    pending = (Status.PARTIAL, Status.MISSING, *ERRORS)
    return any(pair is not None and (pair.status in pending or len(pair.ratios) < FEWEST) for pair in planned)
