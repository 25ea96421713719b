"""Gives a verdict on every claim of a publication. Each kind of claim has one judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.catalogue.publications import Claim, Publication
from runner.claims import causes, memory, practice, speedups, throughput
from runner.claims.case import Case
from runner.claims.comparability import differences
from runner.claims.verdict import Answer, Judgement
from runner.stats.results import Results

# The kinds of runner/catalogue/publications.py, each with its judge.
JUDGES: Mapping[str, Callable[[Case], Answer]] = {
    "largest-speedup": speedups.judge_largest,
    "faster-on-all": speedups.judge_all_faster,
    "speedup": speedups.judge_speedup,
    "speedup-at-least": speedups.judge_at_least,
    "bar": speedups.judge_speedup,
    "throughput": throughput.judge_throughput,
    "vectorised-primitives": causes.judge_vectorised,
    "primitive-kinds": causes.judge_kinds,
    "replaced-operations": causes.judge_replaced,
    "layout-conversions": causes.judge_conversions,
    "peak-memory": memory.judge_peak_memory,
    "hardware-counters": memory.judge_by_counters,
    "same-program": practice.judge_same_program,
    "setting": practice.judge_setting,
}


def judge(publication: Publication, results: Results) -> list[Judgement]:
    """Judge every claim of a publication by a run, in the publication's order. No claim is skipped."""
    return [judge_claim(publication, claim, results) for claim in publication.claims]


def judge_claim(publication: Publication, claim: Claim, results: Results) -> Judgement:
    """Judge one claim by a run."""
    case = Case(publication, claim, results)
    return Judgement(publication, claim, JUDGES[claim.kind](case), differences(case))
