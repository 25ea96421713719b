"""What a report says first: the result in sentences that can be repeated, what to do here, and what is not proven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from runner.catalogue.publications import HEADLINE, Publication
from runner.claims.judge import judge_claim
from runner.claims.verdict import NOT_TESTABLE
from runner.host.microarchitecture import processor_title
from runner.report.commands import without_folder
from runner.report.default_sections import default_findings
from runner.report.document import FirstScreen
from runner.report.forest import forest
from runner.report.measured import blocks_in_words, completing, in_order_of_interest, layouts_in_words
from runner.report.value_text import estimated, plural
from runner.stats.intervals import Estimate
from runner.stats.results import Results, Role
from runner.stats.tables import Speedup, Summary
from runner.stats.verdict_words import NO_CLEAR_DIFFERENCE, VERDICTS
from runner.support.wording import topology_title

# Which pairs tell a stack's story, by the roles of their two sides, in this order. A pair with the baseline is left out
# where the same candidate has a verdict against oneDNN on, which is the harder test. Another arithmetic is in none: it
# is not the same training.
STORY = (
    (Role.SWITCHED_ON, Role.VENDORS_BUILD),
    (Role.SWITCHED_ON, Role.PLUG_IN),
    (Role.BASELINE, Role.VENDORS_BUILD),
    (Role.BASELINE, Role.PLUG_IN),
    (Role.BASELINE, Role.SWITCHED_ON),
    (Role.BASELINE, Role.OTHER),
)
# So many pairs are named. The table of speedups has the rest.
NAMED = 4
BRACKETS = (
    "In brackets: in the sentences the 95% interval of the geometric mean over the networks, or of the only network; "
    "beside the plot that of each network with all pairs at once (the thin lines), off which verdicts are read."
)


def first_screen(measured: Results, article: Publication) -> FirstScreen | None:
    """Return the first screen of a comparison; None for a run without a pair, and for one of a variant with itself."""
    plot = forest(measured, article)
    if plot is None or measured.header.is_aa:
        return None
    return FirstScreen(
        sentences=(*_incomplete(measured), *_stories(measured), _on_the_article(measured, article)),
        in_short=_in_short(measured, article),
        brackets=BRACKETS,
        advice=default_findings(measured),
        forest=plot,
        not_proven=_not_proven(measured),
        would_decide=_would_decide(measured),
        repeat=f"`{without_folder(measured.header.command)}` measures it again. `python -m runner repeat RUN`, with "
        "the folder of this report for RUN, repeats the run and says whether the two agree.",
    )


def _incomplete(measured: Results) -> tuple[str, ...]:
    told = "This run is not complete: a pair that lacks a launch has no verdict yet."
    return (told,) if measured.unfinished or measured.failed else ()


def _stories(measured: Results) -> list[str]:
    """Return a sentence for each stack, in the order of the plot. The first one says on what it was measured."""
    told = [text for stack in in_order_of_interest(measured) if (text := _story(measured, stack))]
    cores = plural(measured.header.plan.pin.threads, "core")
    sizes = measured.batch_sizes
    size = f" at batch size {sizes[0]}" if len(sizes) == 1 else ""
    here = f"On {cores} of {processor_title(measured.header.machine.processor)}{size}, {blocks_in_words(measured)}: "
    return [f"{here if not index else ''}{text}" for index, text in enumerate(told)]


def _story(measured: Results, stack: str) -> str:
    """Return what the pairs that tell a stack's story showed; empty for none."""
    rows = [(row, (measured.role(stack, row.baseline), measured.role(stack, row.candidate)))
            for row in measured.summaries if row.stack == stack]  # fmt: skip
    harder = {roles[1] for row, roles in rows if roles[0] == Role.SWITCHED_ON and _judged(row)}
    clauses = [
        _clause(measured, row)
        for wanted in STORY
        for row, roles in rows
        if roles == wanted and not (roles[0] == Role.BASELINE and roles[1] in harder)
    ]
    recorded = measured.header.stacks[stack]
    without = "" if recorded.vendors_build or recorded.additions else ", of which there is no vendor's build"
    return f"{recorded.title}{without}: {'; '.join(clauses)}." if clauses else ""


def _judged(row: Summary) -> list[Speedup]:
    return [each for each in row.speedups if each.verdict in VERDICTS]


def _clause(measured: Results, row: Summary) -> str:
    """Return what one pair showed over its networks. The figure is the geometric mean, or that of the only network."""
    candidate, baseline = (_name(measured, row.stack, name) for name in (row.candidate, row.baseline))
    size = f" at batch size {row.batch_size}" if len(measured.batch_sizes) > 1 else ""
    where = f"{size}{layouts_in_words(measured, row)}"
    judged = _judged(row)
    if not judged:
        return f"{candidate} against {baseline}{where} has no verdict"
    if len(judged) > 1:
        figure = row.mean
        of = f"geometric mean of {len(judged)} networks"
    else:
        figure = judged[0].together
        of = topology_title(judged[0].pair.group.topology)
    left_out = len(row.speedups) - len(judged)
    rest = f", {left_out} not counted" if left_out else ""
    return (
        f"{candidate} trains {estimated(figure)} as fast as {baseline}{where} ({of}; {_verdicts(judged, figure)}{rest})"
    )


def _verdicts(judged: Sequence[Speedup], figure: Estimate | None) -> str:
    """Return the verdicts on the networks in words. A mean may differ from 1 where no single network clearly does."""
    counts = Counter(each.verdict for each in judged)
    (most, count), *others = counts.most_common()
    if others:
        return ", ".join(f"{verdict} on {number}" for verdict, number in counts.items())
    if count == 1:
        return most
    if most != NO_CLEAR_DIFFERENCE:
        return f"{most} on each"
    apart = figure is not None and figure.has_interval and not figure.low <= 1 <= figure.high
    return f"no single network clearly differs{', but their mean does' if apart else ''}"


def _name(measured: Results, stack: str, variant: str) -> str:
    """Return a variant's label as it stands in a sentence, such as "stock with oneDNN on"."""
    label = measured.header.stacks[stack].variants[variant].label
    return label.partition(" (")[0].replace(", ", " with ", 1)


def _on_the_article(measured: Results, article: Publication) -> str:
    claim = article.claim(HEADLINE)
    answer = judge_claim(article, claim, measured).answer
    wrote = f"{article.authors} wrote in {article.year}: {claim.words}, on {claim.configuration.cores} cores."
    if answer.verdict != NOT_TESTABLE:
        return f"{wrote} {answer.verdict.capitalize()} on this host."
    lacks = f", for want of: {', '.join(answer.missing)}" if answer.missing else ""
    return f"{wrote} {answer.verdict.capitalize()}{lacks}."


def _in_short(measured: Results, article: Publication) -> str:
    """Return in one line what is open: the article's claim, and how many pairs."""
    claim, rows = article.claim(HEADLINE), measured.speedups.values()
    unclear = sum(row.verdict == NO_CLEAR_DIFFERENCE for row in rows)
    without = sum(row.verdict not in VERDICTS for row in rows)
    is_open = judge_claim(article, claim, measured).answer.verdict == NOT_TESTABLE
    wrote = f"the {claim.words} of {article.authors} in {article.year}, on {claim.configuration.cores} cores"
    parts = [wrote] if is_open else []
    parts += [f"which side is faster in {unclear} of {plural(len(rows), 'pair')}"] if unclear else []
    parts += [f"anything on {plural(without, 'pair')} without a verdict, of which the plot says why"] if without else []
    return f"Not proven here: {'; '.join(parts)}." if parts else ""


def _not_proven(measured: Results) -> str:
    """Return what this run leaves open."""
    rows = measured.speedups.values()
    unclear = [row for row in rows if row.verdict == NO_CLEAR_DIFFERENCE]
    without = sum(row.verdict not in VERDICTS for row in rows)
    parts = []
    if unclear:
        parts.append(
            f"which side is faster in {len(unclear)} of {plural(len(rows), 'pair')}: {_names(measured, unclear)}"
        )
    if without:
        parts.append(f"anything on {plural(without, 'pair')} without a verdict (the table of speedups says why)")
    parts += _plain_not_compared(measured)
    parts.append("anything on another processor, on other networks or sizes, or with real input data")
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}."


def _plain_not_compared(measured: Results) -> list[str]:
    """Return, for each stack whose plain installation was observed and not measured, what is therefore not known."""
    return [
        f"what is gained over a plain installation of {measured.header.stacks[stack].title}, which has oneDNN "
        f"{'on' if seen.is_on else 'off'} here and was not measured"
        for stack, seen in measured.defaults.items()
        if measured.plain_variant(stack) is None
    ]


def _names(measured: Results, rows: Sequence[Speedup]) -> str:
    several = len(measured.batch_sizes) > 1
    names = [
        f"{topology_title(row.pair.group.topology)} {row.pair.candidate} / {row.pair.baseline} ({row.pair.group.stack}"
        f"{f', batch size {row.pair.group.batch_size}' if several else ''})"
        for row in rows
    ]
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f", and {more} more" if more > 0 else "")


def _would_decide(measured: Results) -> str:
    """Return what would decide what is open."""
    if measured.unfinished or measured.failed:
        return f"the rest of this run: `{completing(measured)}`."
    if any(row.verdict == NO_CLEAR_DIFFERENCE for row in measured.speedups.values()):
        return (
            "a new run with `--precision 5%`, which takes as many blocks as such intervals need. Two sides that are "
            "equally fast stay without a clear difference, within narrower bounds."
        )
    return "for another host, the same command there."
