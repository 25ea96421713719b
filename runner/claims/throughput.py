"""Judge of claims on absolute throughput: images per second of one build on one machine."""

from __future__ import annotations

from runner.claims.comparability import clauses, lacking_to_confirm, phrases, untestable
from runner.claims.conditions import WORK
from runner.claims.question import Question, scene_of
from runner.claims.speedups import judge_value
from runner.claims.verdict import NOT_TESTABLE, Answer, answer
from runner.stats.estimators import images_per_second
from runner.stats.intervals import geometric_estimate
from runner.support.wording import interval, significant, topology_title
from runner.vocabulary import Cell


def judge_throughput(question: Question) -> Answer:
    """Images per second of the claim's variant, held against the published figure where everything matches."""
    scene, topology = scene_of(question), question.claim.topologies[0]
    lacking = lacking_to_confirm(question, scene)
    if question.claim.configuration.work != WORK:
        # Images per second of training beside it would look like an answer.
        return answer(NOT_TESTABLE, lacking[0].obstacle, missing=phrases(lacking))
    cell = Cell(scene.stack, question.variant, topology, scene.batch_size)
    wrong = question.results.failure_of(cell)
    speeds = [] if wrong else [images_per_second(record) for record in question.results.of_cell(cell)]
    name = f"{topology_title(topology)} with {question.variant} on {scene.stack} at batch size {scene.batch_size}"
    if not speeds:
        missing = f"the evidence on {name} failed: {wrong}" if wrong else f"{name} was not measured"
        return answer(NOT_TESTABLE, "; ".join(filter(None, [clauses(lacking), missing])), missing=phrases(lacking))
    estimate = geometric_estimate(speeds)
    shown = f" [{interval(estimate.low, estimate.high)}]" if estimate.has_interval else ""
    found = f"{name} trains {significant(estimate.value)} images/s{shown}"
    return untestable(question, scene, found, estimate) or judge_value(question, scene, estimate, found)
