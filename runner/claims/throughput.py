"""Judges claims on absolute throughput: images per second of one build on one machine."""

from __future__ import annotations

from runner.claims.case import Case, nearest_part
from runner.claims.comparability import clauses, lacking_to_confirm, phrases, untestable
from runner.claims.conditions import WORK
from runner.claims.speedups import judge_value
from runner.claims.verdict import NOT_TESTABLE, Answer, answer
from runner.stats.estimators import images_per_second
from runner.stats.intervals import geometric_estimate
from runner.support.wording import interval, significant, topology_title
from runner.vocabulary import Cell


def judge_throughput(case: Case) -> Answer:
    """Compare the images per second of the claim's variant with the published figure, if all conditions match."""
    part, topology = nearest_part(case), case.claim.topologies[0]
    lacking = lacking_to_confirm(case, part)
    if case.claim.configuration.work != WORK:
        # If images per second of training stood beside the claim, they would look like an answer to it.
        return answer(NOT_TESTABLE, lacking[0].obstacle, missing=phrases(lacking))
    variant = case.variant(part.stack)
    cell = Cell(part.stack, variant, topology, part.batch_size)
    wrong = case.results.failure_of(cell)
    speeds = [] if wrong else [images_per_second(record) for record in case.results.of_cell(cell)]
    named = variant or "a vendor's build"
    name = f"{topology_title(topology)} with {named} on {part.stack} at batch size {part.batch_size}"
    if not speeds:
        missing = f"the evidence on {name} failed: {wrong}" if wrong else f"{name} was not measured"
        return answer(NOT_TESTABLE, "; ".join(filter(None, [clauses(lacking), missing])), missing=phrases(lacking))
    estimate = geometric_estimate(speeds)
    shown = f" [{interval(estimate.low, estimate.high)}]" if estimate.has_interval else ""
    found = f"{name} trains {significant(estimate.value)} images/s{shown}"
    return untestable(case, part, found, estimate) or judge_value(case, part, estimate, found)
