"""The report's sections on what was published: each claim's words, the verdict on it, and what differs."""

from __future__ import annotations

from collections.abc import Sequence

from runner.catalogue.publications import ARTICLE, NOT_PUBLISHED, Publication, load_publication, publication_names
from runner.claims.judge import judge
from runner.claims.verdict import Judgement
from runner.report.document import Section, Table, table
from runner.report.value_text import interval, plural, significant
from runner.stats.results import Results

# The claims that Figure 1 makes.
SPEEDUP_KINDS = ("largest-speedup", "faster-on-all", "bar")
VERDICTS = (
    "Reproduced: the claim holds here: a published figure is reached, or is inside of an interval that holds little "
    "else. That can be shown on any host. Not reproduced: it does not hold in a run on all that it is about (its "
    "software, processor, cores and what else it takes to refute it), the whole interval being clear of it; or the "
    "software itself says that what is prescribed has no effect, as it would on any host: then only what the claim "
    "needs of the software must match, and neither its processor nor its cores. Partly: a part of it holds "
    "here, and the rest was not run, cannot be told or falls short. Not testable here: this run, this host or this kit "
    "cannot tell, for the reason beside it: the interval is too wide, or the figure is not reached and something is "
    "missing to refute it. A figure that stands there all the same is this run's own and judges nothing. What is "
    "prescribed is held against the speed it gains. In quotation marks: the source's own words."
)


def article_section(measured: Results, article: Publication) -> Section:
    """Every claim of the article with its verdict, for a reader who has only the article in hand."""
    judgements = judge(article, measured)
    cores, of_cores = measured.header.plan.pin.threads, plural(len(measured.header.machine.cores), "core")
    paragraphs = (
        f"Every sentence of the article that can be checked, in its order, held against this run: {tally(judgements)}.",
        VERDICTS,
        f"The article measured on 36 cores, of two sockets; this run used {cores} of this host's {of_cores}. The "
        f"article's software cannot be installed any more; nearest to it is {article.nearest_stack}: "
        f"{article.nearest_stack_reason}. {_of_figure_1(article)} What falls short on another host or with other "
        "software refutes nothing. What is divided by is always stock with oneDNN off, where it has that switch.",
        "Which thread flags the article's baseline ran with is not published; without any, the program of its script "
        "computes on one intra-op thread (python -m runner claims --original-script). A bar over such a "
        "baseline also holds what its other threads would have gained; this kit's baseline has the threads of Intel's "
        "build. So no host can refute the 7.4, whose baseline nobody can repeat; a bar here that reaches it confirms "
        "it.",
    )
    return Section("The article's claims", paragraphs, (claims_table(judgements), differences_table(judgements)))


def _of_figure_1(article: Publication) -> str:
    """Which of the claims on speedups a run can confirm, and which none can, since their value was never published."""
    of_speedups = [claim for claim in article.claims if claim.kind in SPEEDUP_KINDS]
    barred = [claim.words for claim in of_speedups if "value" in claim.to_confirm and claim.value is None]
    open_ones = [claim.words for claim in of_speedups if claim.words not in barred]
    return (
        f"A run of that stack at batch size 32 with the article's settings can confirm {' and '.join(open_ones)} on "
        f"any host. The single bars ({', '.join(barred)}) can be confirmed on none: their heights were never published "
        "as text."
    )


def further_sections(measured: Results) -> tuple[Section, ...]:
    """The claims of every other publication, folded: most of them are of other machines."""
    found = []
    for name in publication_names():
        if name != ARTICLE:
            publication = load_publication(name)
            judgements = judge(publication, measured)
            paragraph = f"{publication.authors} ({publication.year}), {publication.source}: {tally(judgements)}."
            tables = (claims_table(judgements), differences_table(judgements))
            found.append(Section(f"Other published figures: {publication.title}", (paragraph,), tables, folded=True))
    return tuple(found)


def claims_table(judgements: Sequence[Judgement]) -> Table:
    """One row for each claim: the words, the published figure, this host's, the verdict and why.

    Only the source's own words are in quotation marks.
    """
    rows = [
        (
            each.claim.words, f"{each.claim.says} Measured as: {each.claim.metric}.", published(each), here(each),
            each.answer.verdict, each.answer.why,
        )
        for each in judgements
    ]  # fmt: skip
    columns = ("published words", "what they claim", "published", "here [95%]", "verdict", "why")
    return table(columns, rows, ("here [95%]",))


def differences_table(judgements: Sequence[Judgement]) -> Table:
    """In what this run differs from the published platforms, each difference once with how many claims it concerns."""
    counts: dict[tuple[str, str, str], int] = {}
    for judgement in judgements:
        for each in judgement.differs:
            key = (each.what, each.published, each.here)
            counts[key] = counts.get(key, 0) + 1
    rows = [(*key, str(count)) for key, count in counts.items()]
    columns = ("what differs", "published", "here", "claims")
    return table(columns, rows, ("claims",), caption="What differs from the published platform")


def published(judgement: Judgement) -> str:
    """The published figure; one that is only computed from published ones says so."""
    claim = judgement.claim
    shown = NOT_PUBLISHED if claim.value is None else f"{claim.value:g}"
    return f"{shown}, derived" if claim.derived else shown


def here(judgement: Judgement) -> str:
    """The measured figure with its interval, in the claim's metric."""
    answer = judgement.answer
    if answer.measured is None:
        return "—"
    shown = significant(answer.measured)
    return shown if answer.interval is None else f"{shown} [{interval(*answer.interval)}]"


def tally(judgements: Sequence[Judgement]) -> str:
    """How many claims got which verdict."""
    verdicts = [each.answer.verdict for each in judgements]
    counts = {verdict: verdicts.count(verdict) for verdict in ("reproduced", "partly", "not reproduced")}
    counts["not testable here"] = verdicts.count("not testable here")
    parts = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    return f"{plural(len(judgements), 'claim')}: {', '.join(parts)}"
