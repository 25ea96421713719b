"""The report of a reproduction: every sentence of the article in its order, what was measured for it, and the verdict.

The runs of the parts have reports of their own, with every figure and all evidence.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from runner.catalogue.publications import Publication
from runner.claims.together import JudgedByRun, judge_together
from runner.claims.verdict import REPRODUCED
from runner.report.claims_sections import CLAIMED, VERDICTS, claimed, differences_table, here
from runner.report.commands import command_line, host_options, turns, what_and_where, without_folder
from runner.report.document import Document, FirstScreen, Section, Table, table
from runner.report.figure import draw
from runner.report.findings import warnings
from runner.report.first_screen import first_screen
from runner.report.forest_figure import draw_forest
from runner.report.host_sections import host_in_words
from runner.report.ladder_findings import ladder_findings, ladder_warnings
from runner.report.ladder_sections import ladder_picture, steps_section
from runner.report.reading import size_of
from runner.report.value_text import plural
from runner.stats.results import Results
from runner.storage.reproductions import Reproduction
from runner.storage.runs import Run

NOT_DECIDED = "not decided yet"
PRECISION = "5%"  # of the further run that is proposed where an interval of a comparison is too wide
FEWEST_TO_DECIDE = 8  # blocks of such a ladder; with fewer, intervals for all its steps at once bound hardly any
OF_THE_ARTICLE = "figure1"  # the preset with the sizes of the article's Figure 1


def compose_reproduction(made: Reproduction, parts: Sequence[Results], article: Publication) -> Document:
    """Return the whole report of a reproduction, as data. `parts` has the results of each part, in order.

    Raises:
        UsageError: the parts were not measured on one host.
    """
    judged = judge_together(article, parts)
    comparisons = [each for each in parts if not each.header.is_ladder]
    ladders = [each for each in parts if each.header.is_ladder]
    first = _first(made, comparisons, judged, article)
    return Document(
        title="The article on this host, sentence by sentence",
        subtitle=_subtitle(made, parts),
        findings=(tally(judged), *(text for each in ladders for text in ladder_findings(each, article))),
        warnings=tuple(f"{part.name}: {text}" for part, each in zip(made.parts, parts, strict=True)
                       for text in (*(ladder_warnings(each) if each.header.is_ladder else ()), *warnings(each))),
        sections=(
            _claims_section(made, judged, article),
            *_open_section(made, judged),
            *(Section("Speedups, drawn as in Figure 1", figures=(draw(each, article),)) for each in comparisons[:1]),
            *(section for each in ladders for section in (ladder_picture(each), steps_section(each, article))),
            _parts_section(made, parts),
        ),
        first=first,
        picture=draw_forest(first.forest) if first else None,
    )  # fmt: skip


def _subtitle(made: Reproduction, parts: Sequence[Results]) -> str:
    sizes = "; ".join(f"{part.name}: {size_of(each)}" for part, each in zip(made.parts, parts, strict=True))
    engine = parts[0].header.engine.name
    return f"{host_in_words(parts[0])}; engine {engine}; reproduction {made.folder.name}; {sizes}"


def tally(judged: Sequence[JudgedByRun]) -> str:
    """Return in words how many claims got which verdict."""
    counts = Counter(verdict_of(each) for each in judged)
    parts = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"Of {plural(len(judged), 'claim')}: {parts}."


def verdict_of(judged: JudgedByRun) -> str:
    """Return the verdict in words, which is NOT_DECIDED where a further run on this host may decide."""
    return NOT_DECIDED if judged.is_open else judged.judgement.answer.verdict


def summary_rows(made: Reproduction, judged: Sequence[JudgedByRun]) -> list[tuple[str, str, str, str, str]]:
    """Return for each claim: its words, this host's figure, the verdict, what is missing, and the part that judged."""
    return [
        (each.judgement.claim.words, here(each.judgement), verdict_of(each),
         ", ".join(each.judgement.answer.missing) or "—", part_of(made, each))
        for each in judged
    ]  # fmt: skip


def part_of(made: Reproduction, judged: JudgedByRun) -> str:
    """Return the name of the part that judged a claim."""
    return judged.results.run.folder.relative_to(made.folder).as_posix()


def what_decides(made: Reproduction, judged: JudgedByRun) -> str:
    """Return the command that may decide a claim, with RUN for the reproduction's folder; empty if it is decided.

    Where an interval is too wide it is that of a further run, which is judged by itself: were the same run made longer
    because its interval did not decide, it would stop by chance.
    """
    results = judged.results
    if judged.needs_sizes:
        return _of_the_claims_sizes(judged)
    if not judged.needs_more:
        return ""
    if results.unfinished or results.failed:
        return "python -m runner reproduce --resume RUN"
    return f"{_again(results.run)} --out RUN-more-{part_of(made, judged)}"


def _of_the_claims_sizes(judged: JudgedByRun) -> str:
    """Return the command of a run with the sizes, the software and the settings that the claim is about."""
    stack, run = judged.judgement.publication.nearest_stack, judged.results.run
    place = ["--cpus", run.about.plan.pin.cpu_list, "--engine", run.about.engine.name, *host_options(run.about.command)]
    words = ["python", "-m", "runner", "compare", "--preset", OF_THE_ARTICLE, "--stack", stack, *place]
    return f"{shlex.join(words)} --out RUN-{OF_THE_ARTICLE}"


def _again(run: Run) -> str:
    """Return the command of a run like this one that bounds its speedups more narrowly."""
    plan, ladder = run.about.plan, run.about.ladder
    values = what_and_where(run, plan.groups)
    if ladder is not None:
        blocks = max(2 * plan.blocks, FEWEST_TO_DECIDE)
        return command_line(run, "ablate", {**values, "--ladder": [ladder.name], "--blocks": [str(blocks)]})
    return command_line(run, "compare", {**values, "--precision": [PRECISION], **turns(run)})


def _first(
    made: Reproduction, comparisons: Sequence[Results], judged: Sequence[JudgedByRun], article: Publication
) -> FirstScreen | None:
    """Return the first screen of the first comparison, with what the others say and what is open of the article."""
    screens = [(screen, each) for each in comparisons if (screen := first_screen(each, article)) is not None]
    if not screens:
        return None
    found, *others = (_of_a_part(made, screen, each) for screen, each in screens)
    commands = list(dict.fromkeys(filter(None, (what_decides(made, each) for each in judged))))
    decide = (
        f"{'; '.join(f'`{command}`' for command in commands)}, with this report's folder for RUN."
        if commands
        else found.would_decide
    )
    counts = Counter(verdict_of(each) for each in judged)
    unproven = sum(counts.values()) - counts[REPRODUCED]
    parts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if verdict != REPRODUCED)
    not_proven = f"{unproven} of {plural(len(judged), 'claim')} of the article ({parts}). {found.not_proven}"
    return replace(
        found,
        sentences=(f"{tally(judged)}{_reproduced(judged)}", *found.sentences, *(each.sentences[0] for each in others)),
        advice=tuple(dict.fromkeys(text for screen, _ in screens for text in screen.advice)),
        in_short=f"Not proven here: {unproven} of {plural(len(judged), 'claim')} of the article." if unproven else "",
        not_proven=not_proven,
        would_decide=decide,
        repeat=f"`{without_folder(made.command)}` measures it again.",
    )  # fmt: skip


def _of_a_part(made: Reproduction, screen: FirstScreen, part: Results) -> FirstScreen:
    """Return a part's first screen, with links that lead to the raw samples in the part's own report."""
    page = (part.run.folder.relative_to(made.folder) / "report.html").as_posix()
    panels = tuple(
        replace(panel, rows=tuple(replace(row, href=f"{page}{row.href}") for row in panel.rows))
        for panel in screen.forest.panels
    )
    return replace(screen, forest=replace(screen.forest, panels=panels))


def _reproduced(judged: Sequence[JudgedByRun]) -> str:
    names = [each.judgement.claim.words for each in judged if verdict_of(each) == REPRODUCED]
    return f" Reproduced: {'; '.join(names)}." if names else ""


def _claims_section(made: Reproduction, judged: Sequence[JudgedByRun], article: Publication) -> Section:
    paragraphs = (
        f"Every sentence of the article that can be checked, in its order. {tally(judged)}",
        VERDICTS,
        f"{NOT_DECIDED.capitalize()}: the part that judges the claim is incomplete, its interval is too wide, or it "
        "has other networks, another batch size, software or settings than the claim. Each "
        "claim is judged by one part, whatever its verdict is: a prescribed setting by a ladder that changes it alone, "
        "everything else by a comparison. The intervals of one part hold at once with 95%. Verdicts that are read off "
        "two parts hold at once with at least 90%.",
    )
    rows = [(*claimed(each.judgement), verdict_of(each), part_of(made, each), _why(each)) for each in judged]
    columns = (*CLAIMED, "verdict", "judged by", "why")
    tables: tuple[Table, ...] = (
        table(columns, rows, CLAIMED[-1:]),
        differences_table([each.judgement for each in judged]),
    )
    return Section(f"What {article.short} says, and what holds here", paragraphs, tables)


def _why(judged: JudgedByRun) -> str:
    return "; ".join([judged.judgement.answer.why, *(f"by {name}: {verdict}" for name, verdict in judged.others)])


def _open_section(made: Reproduction, judged: Sequence[JudgedByRun]) -> tuple[Section, ...]:
    rows = [(each.judgement.claim.words, part_of(made, each), what_decides(made, each)) for each in judged
            if each.is_open]  # fmt: skip
    if not rows:
        return ()
    paragraph = (
        "What was measured so far does not decide these claims, and a further run on this host may. A clear gain "
        "confirms such a claim on any host. No gain, or a loss, leaves it not testable where the host is not the one "
        "that the claim names. RUN stands for the folder of this report. After a command with --out FOLDER, `python -m "
        "runner claims RUN FOLDER` judges each claim by the run that is nearest to it."
    )
    return (Section("What is not decided yet", (paragraph,), (table(("claim", "part", "what may decide it"), rows),)),)


def _done(part: Results) -> str:
    planned = len(part.run.launches)
    return f"{planned - part.unfinished - part.failed} of {planned}"


def _parts_section(made: Reproduction, parts: Sequence[Results]) -> Section:
    rows = [
        (part.name, part.title, size_of(each), _done(each),
         f"{part.name}/report.html")
        for part, each in zip(made.parts, parts, strict=True)
    ]  # fmt: skip
    columns = ("part", "what it is for", "size", "launches done or not needed", "its own report")
    paragraph = (
        "Each part is an ordinary run, in a folder of this name beside this report. Its own report has every figure, "
        "all evidence and conditions, and how the numbers are made. Its raw samples are in records.jsonl."
    )
    apart = (
        "A ladder and a comparison measure different ratios, also of the same network. A ladder begins with stock as "
        "it is shipped, on all CPUs and without settings, and its launches follow one another. The baseline of a "
        "comparison has the pin, the settings and oneDNN off, and its launches take turns with the other side's.",
    ) if {each.header.is_ladder for each in parts} == {True, False} else ()  # fmt: skip
    return Section(
        "The parts, and how to repeat them",
        (paragraph, *apart),
        (table(columns, rows),),
        (without_folder(made.command),),
    )
