"""The report's sections on what was published: the words of each claim, the verdict on it, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from runner.catalogue.publications import NOT_PUBLISHED, Publication
from runner.claims.judge import judge
from runner.claims.verdict import NOT_TESTABLE, Judgement, Verdict
from runner.report.document import Section, Table, table
from runner.report.value_text import interval, plural, significant
from runner.stats.results import Results

# The kinds of claim that the article's Figure 1 makes.
SPEEDUP_KINDS = ("largest-speedup", "faster-on-all", "bar")
# An interval whose ends are further apart than this factor bounds nothing of use, and its ends are not shown.
TOO_WIDE = 100
CLAIMED = ("published words", "what they claim", "published", "here [95%]")
VERDICTS = (
    "Reproduced: the claim holds here. Its published figure is reached, or lies inside of an interval that is narrow. "
    "This can be shown on any host. Not reproduced: the claim does not hold, the whole interval is clear of the "
    "published figure, and the run meets every condition for refuting the claim (its software, processor, cores and "
    "whatever else the claim names). A prescribed setting is also not reproduced if the software itself says that it "
    "has no effect, on any host; then only the conditions on the software must match, and neither processor nor cores. "
    "Overridden: the software itself says that another prescribed setting takes precedence over this one. "
    "Partly: a part of the claim holds here, and the rest was not run, cannot be decided or falls short. Not testable "
    "here: this run, this host or this kit cannot decide the claim, for the reason beside it. For instance, the "
    "interval is too wide, or the figure is not reached and a condition for refuting the claim does not match. A "
    "figure that is shown all the same is this run's own, and decides nothing. A prescribed setting is judged by the "
    "speed that it gains. Words in quotation marks are the source's own."
)


def article_section(measured: Results, article: Publication) -> Section:
    """Return the section with the verdict on every claim of the article, for a reader who has only the article."""
    judgements = sorted(judge(article, measured), key=lambda each: each.answer.verdict == NOT_TESTABLE)
    cores, of_cores = measured.header.plan.pin.threads, plural(len(measured.header.machine.cores), "core")
    paragraphs = (
        "Every sentence of the article that can be checked, in its order, those first that this run can judge: "
        f"{tally(judgements)}.",
        VERDICTS,
        f"The article measured on 36 cores of two sockets. This run used {cores} of this host's {of_cores}. The "
        f"article's software cannot be installed any more. Nearest to it is {article.nearest_stack}: "
        f"{article.nearest_stack_reason}. {_of_figure_1(article)} A figure that falls short on another host or with "
        "other software refutes nothing. The baseline of these speedups is always stock, with oneDNN off where stock "
        "has that switch.",
        "The article does not publish the thread flags of its baseline. Without any flag, the program of its script "
        "computes on one intra-op thread (python -m runner claims --original-script). A speedup over such a baseline "
        "includes what its other threads would have gained. This kit's baseline has as many threads as Intel's build. "
        "Since nobody can repeat the baseline of the published 7.4, no host can refute that figure. A bar here that "
        "reaches it confirms it.",
    )
    tables = (claims_table(judgements), differences_table(judgements))
    return Section("The article's claims", paragraphs, tables, summary=tally(judgements))


def _of_figure_1(article: Publication) -> str:
    """Return which claims on speedups a run can confirm, and which no run can: those without a published value."""
    of_speedups = [claim for claim in article.claims if claim.kind in SPEEDUP_KINDS]
    barred = [claim.words for claim in of_speedups if "value" in claim.to_confirm and claim.value is None]
    open_ones = [claim.words for claim in of_speedups if claim.words not in barred]
    return (
        f"A run of that stack at batch size 32 with the article's settings can confirm {' and '.join(open_ones)} on "
        f"any host. The single bars ({', '.join(barred)}) cannot be confirmed on any host, because their heights were "
        "never published as text."
    )


def further_sections(measured: Results, publications: Sequence[Publication]) -> tuple[Section, ...]:
    """Return a section for each of these publications. Most of their claims are about other machines."""
    found = []
    for publication in publications:
        judgements = judge(publication, measured)
        paragraph = f"{publication.authors} ({publication.year}), {publication.source}: {tally(judgements)}."
        tables = (claims_table(judgements), differences_table(judgements))
        title = f"Other published figures: {publication.title}"
        found.append(Section(title, (paragraph,), tables, summary=tally(judgements)))
    return tuple(found)


def claims_table(judgements: Sequence[Judgement]) -> Table:
    """Return one row for each claim: its words, the published figure, this host's figure, the verdict and the reason.

    Only the source's own words are in quotation marks.
    """
    rows = [(*claimed(each), each.answer.verdict, each.answer.why) for each in judgements]
    return table((*CLAIMED, "verdict", "why"), rows, CLAIMED[-1:])


def claimed(judgement: Judgement) -> tuple[str, ...]:
    """Return the cells of a claim under CLAIMED: its words, what they claim, the published figure, this host's."""
    claim = judgement.claim
    return (claim.words, f"{claim.says} Measured as: {claim.metric}.", published(judgement), here(judgement))


def differences_table(judgements: Sequence[Judgement]) -> Table:
    """Return one row for each difference from the published platforms, with how many claims it concerns."""
    counts: dict[tuple[str, str, str], int] = {}
    for judgement in judgements:
        for each in judgement.differs:
            key = (each.what, each.published, each.here)
            counts[key] = counts.get(key, 0) + 1
    rows = [(*key, str(count)) for key, count in counts.items()]
    columns = ("what differs", "published", "here", "claims")
    return table(columns, rows, ("claims",), caption="What differs from the published platform")


def published(judgement: Judgement) -> str:
    """Return the published figure in words, marked "derived" if it was computed from published figures."""
    claim = judgement.claim
    shown = NOT_PUBLISHED if claim.value is None else f"{claim.value:g}"
    return f"{shown}, derived" if claim.derived else shown


def here(judgement: Judgement) -> str:
    """Return the measured figure with its interval in words, in the claim's metric; a dash if there is none."""
    answer = judgement.answer
    if answer.measured is None:
        return "—"
    shown = significant(answer.measured)
    if answer.interval is None:
        return shown
    low, high = answer.interval
    return f"{shown} [too wide to use]" if high > TOO_WIDE * low else f"{shown} [{interval(low, high)}]"


def tally(judgements: Sequence[Judgement]) -> str:
    """Return in words how many claims got which verdict."""
    verdicts = [each.answer.verdict for each in judgements]
    parts = [f"{verdicts.count(verdict)} {verdict}" for verdict in get_args(Verdict) if verdict in verdicts]
    return f"{plural(len(judgements), 'claim')}: {', '.join(parts)}"
