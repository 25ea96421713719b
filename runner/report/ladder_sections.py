"""The report's sections on a ladder: the factor of each rung, product and whole, and the sentences that rungs test."""

from __future__ import annotations

from runner.catalogue.publications import Publication
from runner.planning.rungs import describe_changes
from runner.report.document import Section, Table, table
from runner.report.ladder_figure import draw_ladder
from runner.report.ladder_findings import (
    LARGEST,
    NOT_YET,
    agreement,
    factor_text,
    ladder_name,
    largest_speedup,
    share_of,
)
from runner.report.measured import completing
from runner.report.value_text import interval, plural, significant, times
from runner.stats.family import verdict
from runner.stats.intervals import Estimate
from runner.stats.ladder import FIRST, INERT, LEFT_OUT, LadderResult, Step
from runner.stats.products import Total
from runner.stats.results import Results
from runner.stats.tables import NOT_COUNTED

COLUMNS = ("rung", "what it changes", "images/s", "factor", "95% interval", "95%, all at once", "verdict")

PRODUCT = (
    "What this check can show: neighbouring steps share a launch, which cancels in their product. In each block, the "
    "product is therefore the ladder's launch of its last rung over its launch of its first rung, whatever the factors "
    "of the rungs in between. The check does not confirm single steps. It shows whether the launches of the two end "
    "rungs inside the ladder agree with further launches of the same two rungs, and so whether anything drifted over "
    "the length of a block. Rungs that are inert or left out count as exactly 1. If the last rungs are inert, the "
    "check also shows whether they changed the speed after all. The product's interval is computed over the blocks' "
    "products, in which shared launches have cancelled, and not from the intervals of the steps."
)


def ladder_sections(measured: Results, article: Publication) -> tuple[Section, ...]:
    """Return the sections on the ladders of a run; nothing for a comparison."""
    if not measured.ladders:
        return ()
    return (
        ladder_picture(measured),
        steps_section(measured, article),
        _whole_section(measured),
        _sentences_section(measured),
        _settings_section(measured),
    )


def ladder_picture(measured: Results) -> Section:
    """Return the section with the figure of a ladder's run."""
    ladder = measured.header.ladder
    return Section(ladder.title if ladder is not None else "", figures=(draw_ladder(measured),))


def ladder_rows(result: LadderResult) -> list[tuple[str, ...]]:
    """Return the rows of the table of steps, under COLUMNS: the ladder, its branches, the product and the whole."""
    rows = [_row(step) for step in (*result.steps, *result.branches)]
    totals = (
        ("product of the rungs", result.products, "not every rung has a complete block"),
        ("the whole, directly", result.wholes, result.whole_reason),
    )
    for name, total, otherwise in totals:
        factor = _factor(total.estimate, total.together)
        rows.append((name, "first against last", "—", *factor, _verdict_on(total, otherwise)))
    return rows


def ladder_reasons(result: LadderResult) -> list[str]:
    """Return a sentence for each rung that has a reason beside its verdict."""
    return [f"{step.rung.title}: {step.status.words}: {step.reason}." for step in (*result.steps, *result.branches)
            if step.reason and not step.reason.endswith(NOT_YET)]  # fmt: skip


def steps_section(measured: Results, article: Publication) -> Section:
    """Return the section with the factor of each rung."""
    most, quote = largest_speedup(article), article.claim(LARGEST).quote
    tables = [_steps_table(result, most) for result in measured.ladders]
    paragraphs = (
        "Each rung changes one thing and keeps what the rungs before it changed. Its factor is its images per second "
        "over those of the rung before it, from the paired log-ratios of launches in the same block. Factors multiply. "
        "A branch is compared with the rung that is named, and is not part of the product.",
        "Verdicts are read off the second interval. It holds at once with those of all "
        f"{plural(measured.family, 'comparison')} of the run as it was planned (Bonferroni): every rung and branch, "
        "the product, the whole, and product over whole, of every ladder. A step that lacks a launch, or that was "
        f"flagged, gets no verdict. Complete the run with: {completing(measured)}.",
        "Inert means that the change did nothing inside the process. This is known from what the launches recorded of "
        "themselves, not from their speed. The factor of an inert rung is exactly 1, and it is not run again after the "
        "first block.",
        f"The share of {most:g}X is log(factor) / log({most:g}), because factors multiply: the part of the article's "
        f"\"{quote}\" that the factor would be. The factor is this host's, and not that of the article's host.",
    )
    return Section("What each rung is worth", paragraphs, tuple(tables))


def _steps_table(result: LadderResult, most: float) -> Table:
    share = f"share of {most:g}X"
    steps = (*result.steps, *result.branches)
    estimates = [*(step.ratio for step in steps), result.product, result.whole]
    shares = [f"{share_of(each.value, most):.0%}" if each else "—" for each in estimates]
    reasons = [*(step.reason or "—" for step in steps), "—", result.whole_reason or "—"]
    rows = [(*row[:6], part, row[6], why)
            for row, part, why in zip(ladder_rows(result), shares, reasons, strict=True)]  # fmt: skip
    columns = (*COLUMNS[:6], share, COLUMNS[6], "reason")
    return table(columns, rows, columns[2:7], caption=ladder_name(result))


def _whole_section(measured: Results) -> Section:
    verdicts = {True: "agree", False: "DO NOT AGREE", None: "not known"}
    rows = [
        (
            ladder_name(each),
            *map(factor_text, (each.product, each.whole, each.agreements.together)),
            verdicts[each.agrees],
        )
        for each in measured.ladders
    ]
    columns = ("ladder", "product of the rungs", "the whole, directly", "product / whole, all at once", "verdict")
    paragraphs = (
        "The first and the last rung are also compared directly, in two further launches that run back to back at one "
        "end of each block.",
        PRODUCT,
        *(f"{ladder_name(result)}: {agreement(result)}" for result in measured.ladders),
    )
    told = (
        f"product and whole agree in {sum(row[-1] == verdicts[True] for row in rows)} of {plural(len(rows), 'ladder')}"
    )
    return Section(
        "The product compared with the whole", paragraphs, (table(columns, rows, columns[1:4]),), summary=told
    )


def _sentences_section(measured: Results) -> Section:
    tables = []
    for result in measured.ladders:
        rows = [
            (step.rung.title, step.rung.sentence, step.rung.source, _verdict(step), step.rung.note or "—")
            for step in (*result.steps, *result.branches)
        ]
        columns = ("rung", "the sentence that it tests", "source", "on this host", "note")
        tables.append(table(columns, rows, caption=ladder_name(result)))
    paragraph = "Words in quotation marks are the source's own."
    told = "what each rung tests, and what it showed here"
    return Section("The article's sentences, rung by rung", (paragraph,), tuple(tables), summary=told)


def _settings_section(measured: Results) -> Section:
    tables = []
    for result in measured.ladders:
        steps = [step for step in (*result.steps, *result.branches) if step.status != LEFT_OUT]
        rows = [
            (step.rung.id, setting.wheel, setting.layout, setting.pin.cpu_list,
             str(setting.intra_op_threads), str(setting.inter_op_threads),
             "on" if setting.graph_optimisation else "off",
             " ".join(f"{name}={value}" for name, value in setting.environment.items()))
            for step in steps
            for setting in (step.rung.settings,)
        ]  # fmt: skip
        columns = (
            "rung", "wheel", "layout", "CPUs", "intra-op threads", "inter-op threads", "graph optimisation",
            "environment",
        )  # fmt: skip
        tables.append(table(columns, rows, caption=ladder_name(result)))
    paragraph = (
        "A thread count of 0 leaves the number to the framework. All other conditions must be equal. If one is not, "
        "the step gets no factor."
    )
    told = "wheel, layout, CPUs, threads and environment"
    return Section("Every setting of each rung", (paragraph,), tuple(tables), summary=told)


def _row(step: Step) -> tuple[str, ...]:
    title = step.rung.title + (f", from {step.reference or step.rung.of}" if step.rung.is_branch else "")
    speed = significant(step.speed.value) if step.speed else "—"
    change = describe_changes(step.rung) or "—"
    inert = ("1x", "by evidence", "by evidence")
    factor = inert if step.status == INERT else _factor(step.ratio, step.together)
    return (title, change, speed, *factor, _verdict(step))


def _factor(alone: Estimate | None, together: Estimate | None) -> tuple[str, ...]:
    if alone is None or together is None:
        return ("—", "—", "—")
    return (times(alone.value), *(interval(each.low, each.high) for each in (alone, together)))


def _verdict_on(total: Total, otherwise: str) -> str:
    if not total.ratios:
        return otherwise
    return verdict(total.ratios, total.family) if total.is_complete else f"{NOT_COUNTED} (not complete, or flagged)"


def _verdict(step: Step) -> str:
    """Return a step's verdict in a few words. The step's reason says why."""
    if step.status == FIRST:
        return "where the ladder stands"
    if step.ratio is None:
        return step.status.words
    return verdict(step.ratios, step.family) if step.is_comparable else f"{NOT_COUNTED} ({step.status.words})"
