"""The sentences at the top of a report: the findings on this host, and the warnings."""

from __future__ import annotations

from collections import Counter

from runner.catalogue.publications import HEADLINE, Publication
from runner.claims.judge import judge_claim
from runner.claims.verdict import NOT_TESTABLE
from runner.host.microarchitecture import processor_title
from runner.report.default_sections import not_observed
from runner.report.host_sections import host_warnings
from runner.report.launch_advice import advice_on
from runner.report.measured import completing, going_on, layouts_in_words, variant_title
from runner.report.unusable import cannot_bound
from runner.report.value_text import at_once, estimated, plural, topology_title, true_largest
from runner.stats.noise_floor import is_below
from runner.stats.results import Results
from runner.stats.tables import Largest, Summary
from runner.status import Status

# With fewer timed steps, nothing in a launch shows whether its speed had become steady.
FEWEST_TIMED_STEPS = 2


def findings(measured: Results, article: Publication) -> tuple[str, ...]:
    """Return the findings in full: one sentence for each pair, on the noise floor, and on the article's figure."""
    sentences = [_finding(measured, row) for row in measured.summaries]
    if measured.header.is_aa:
        return tuple(sentences)
    return (*sentences, *_floor(measured), _on_the_article(measured, article))


def warnings(measured: Results) -> tuple[str, ...]:
    """Return what a reader must know before quoting a number."""
    return (*_incomplete(measured), *_flagged(measured), *measured.header.notes, *_enforcement(measured),
            *not_observed(measured), *host_warnings(measured), *_few_steps(measured), *_too_wide(measured),
            *(each.text for each in advice_on(measured.usable, measured.header.plan.pin.threads)))  # fmt: skip


def _finding(measured: Results, row: Summary) -> str:
    stack, size = row.stack, row.batch_size
    title = measured.header.stacks[stack].title
    candidate, baseline = (variant_title(measured, stack, name) for name in (row.candidate, row.baseline))
    head = f"{title}, batch size {size}: {candidate} against {baseline}{layouts_in_words(measured, row)}"
    if not row.topologies:
        flagged = "all that was measured is flagged, so no verdict is given (see the table)"
        return f"{head}: {flagged if row.flagged else 'nothing could be measured'}."
    counts = Counter(each.verdict for each in row.speedups if each.verdict)
    parts = [f"{verdict} on {count}" for verdict, count in counts.items()]
    text = f"{head}: {', '.join(parts)} of {plural(len(row.speedups), 'topology')}"
    if row.largest is not None:
        text += f"{_top(row.largest, row.topologies)} ({at_once(measured.family)}){_beyond(row.largest)}"
    if row.mean is not None and row.topologies > 1:
        alone = ", 95% for this mean alone" if row.mean.has_interval else ""
        text += f"; geometric mean over {plural(row.topologies, 'topology')} {estimated(row.mean)}{alone}"
    return f"{text}."


def _top(largest: Largest, topologies: int) -> str:
    """Return the largest bar, or the only one, in words. Its interval is one of those that hold at once."""
    top, title = estimated(largest.own), topology_title(largest.topology)
    return f", {title} {top}" if topologies == 1 else f", the largest is {title}'s, {top}"


def _beyond(largest: Largest) -> str:
    own, joint = largest.own, largest.joint
    return true_largest((own.low, own.high), (joint.low, joint.high))


def _on_the_article(measured: Results, article: Publication) -> str:
    claim = article.claim(HEADLINE)
    verdict = judge_claim(article, claim, measured).answer
    head = f"The article ({article.title}, {article.year}) says {claim.words} at batch size {claim.batch_size}"
    why = f"{verdict.why[0].upper()}{verdict.why[1:]}."
    if verdict.verdict == NOT_TESTABLE:
        return f"{head}: {verdict.verdict}. {why}"
    text = f"{head}: {verdict.verdict} on this host. {why}"
    processor = measured.header.machine.processor
    if claim.configuration.processor_model and claim.configuration.processor_model in processor.model_name:
        return text
    own = f"the article's own machine ({article.platform['Processor']})"
    return f"{text} This is about {processor_title(processor)}, and not about {own}."


def _incomplete(measured: Results) -> list[str]:
    planned, found = len(measured.run.launches), []
    if measured.unfinished:
        done = planned - measured.unfinished - measured.failed
        found.append(f"The run is not complete: {done} of {planned} launches are measured. Go on with "
                     f"{going_on(measured)}, which runs every incomplete block again as a whole.")  # fmt: skip
    if measured.failed:
        found.append(f"{measured.failed} of {planned} launches failed: {going_on(measured)} runs each of their blocks "
                     "again as a whole, and no other block.")  # fmt: skip
    return found


def _flagged(measured: Results) -> list[str]:
    found = [
        f"{pair.group.stack}, {topology_title(pair.group.topology)}, batch size {pair.group.batch_size}, "
        f"{pair.candidate} over {pair.baseline}: {pair.status.words}: {pair.reason.rstrip('.')}."
        for pair in measured.pairs
        if pair.status not in (Status.OK, Status.MISSING, Status.OTHER_ARITHMETIC)
    ]
    found += _of_other_arithmetic(measured)
    if measured.has_partial:
        found.append("A pair or step that is partial gets no verdict and enters no mean. Complete it with: "
                     f"{completing(measured)}, where RUN is the run's folder.")  # fmt: skip
    return found


def _of_other_arithmetic(measured: Results) -> list[str]:
    """Return a sentence on each stack with pairs of two arithmetics. The table of speedups has the reason of each."""
    counts = Counter(pair.group.stack for pair in measured.pairs if pair.status == Status.OTHER_ARITHMETIC)
    return [
        f"{stack}: the two sides of {plural(count, 'pair')} compute in different arithmetic, so that they did not "
        "train the same thing. Such a pair is hatched, is in no mean and has no verdict."
        for stack, count in counts.items()
    ]


def _enforcement(measured: Results) -> list[str]:
    engine = measured.header.engine
    if not engine.cannot_enforce:
        return []
    return [f"The engine {engine.name} runs plain processes and cannot enforce: {', '.join(engine.cannot_enforce)}."]


def _few_steps(measured: Results) -> list[str]:
    few = {(launch.steps.timed, launch.steps.warmup) for launch in measured.run.launches
           if launch.steps.timed < FEWEST_TIMED_STEPS}  # fmt: skip
    return [
        f"Launches timed {plural(timed, 'step')} after {plural(warmup, 'warm-up step')}, which does not show that "
        "training had reached its steady speed by then. `--warmup` and `--steps` give more steps."
        for timed, warmup in sorted(few)
    ]


def _floor(measured: Results) -> list[str]:
    """Return which speedups are nearer to 1 than a variant was to itself on this host."""
    floor = measured.header.noise_floor
    if floor is None:
        return []
    below = [
        f"{topology_title(row.pair.group.topology)} {row.pair.candidate} / {row.pair.baseline}"
        for row in measured.speedups.values()
        if row.alone is not None and is_below(row.alone, floor)
    ]
    said = (
        f"On this host and pin the intervals of the same variant against itself reach to {floor.factor - 1:.1%} from 1 "
        f"(A/A run {floor.run}, {plural(floor.bars, 'bar')}, {plural(floor.blocks, 'block')})."
    )
    return [f"{said} {'Below this noise floor: ' + ', '.join(below) if below else 'Every speedup is above it'}."]


def _too_wide(measured: Results) -> list[str]:
    """Return one sentence on the intervals that no one can use, with the first of them."""
    rows = [row for row in measured.speedups.values() if row.together is not None and row.pair.status == Status.OK]
    wide = [(row.pair, text) for row in rows if row.together is not None and (text := cannot_bound(row.together))]
    if not wide:
        return []
    pair, text = wide[0]
    name = f"{pair.group.stack}, {topology_title(pair.group.topology)}, {pair.candidate} over {pair.baseline}"
    return [f"{len(wide)} of {plural(len(rows), 'interval')} are too wide to use. {name}: {text}."]
