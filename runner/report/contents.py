"""Puts the report's sections in order."""

from __future__ import annotations

from collections.abc import Sequence

from runner.catalogue.publications import Publication, load_publication
from runner.report import claims_sections as claims
from runner.report import method_sections as method
from runner.report import results_sections as results
from runner.report.block_sections import block_section
from runner.report.cores_sections import core_warnings, cores_section
from runner.report.counter_sections import counter_sections
from runner.report.default_sections import default_findings
from runner.report.document import Document, Section
from runner.report.evidence_sections import evidence_section
from runner.report.figure import draw
from runner.report.findings import findings, warnings
from runner.report.first_screen import first_screen
from runner.report.forest_figure import draw_forest
from runner.report.host_sections import host_in_words
from runner.report.ladder_findings import ladder_findings, ladder_warnings
from runner.report.ladder_sections import ladder_sections
from runner.report.launch_time_sections import launch_time_sections
from runner.report.noise_sections import noise_sections
from runner.report.peak_sections import peak_sections
from runner.report.reading import reading_section, size_of
from runner.report.repeat_sections import repeat_sections
from runner.report.samples import samples_sections
from runner.report.strip import strip_sections
from runner.report.topology_sections import topology_sections
from runner.report.trace_sections import trace_sections
from runner.report.training_sections import training_section, training_warnings
from runner.report.turns_sections import turns_sections
from runner.report.warm_up_sections import warm_up_sections
from runner.report.years import years_sections
from runner.stats.results import Results


def compose(measured: Results, publications: Sequence[Publication] = ()) -> Document:
    """Return the whole report of a run, as data. A part for which the run has no data adds no section.

    `publications` are judged besides the article.
    """
    article = load_publication()
    if measured.ladders:
        return _compose_ladder(measured, article, publications)
    first = first_screen(measured, article)
    return Document(
        title="Intel-optimized against stock TensorFlow on this host",
        subtitle=_subtitle(measured),
        findings=(
            *(() if first or measured.header.is_aa else default_findings(measured)),
            *findings(measured, article),
        ),
        warnings=(*warnings(measured), *training_warnings(measured), *core_warnings(measured)),
        sections=(
            Section("Figure 1, for this host", figures=(draw(measured, article),)),
            *years_sections(measured),
            *results.speedup_sections(measured),
            *strip_sections(measured),
            reading_section(measured),
            *repeat_sections(measured),
            claims.article_section(measured, article),
            results.throughput_section(measured),
            cores_section(measured),
            block_section(measured),
            *noise_sections(measured),
            *turns_sections(measured),
            *warm_up_sections(measured),
            *peak_sections(measured),
            training_section(measured),
            evidence_section(measured),
            *counter_sections(measured),
            *trace_sections(measured),
            *launch_time_sections(measured),
            *samples_sections(measured),
            results.launches_section(measured),
            *topology_sections(measured),
            method.settings_section(measured),
            *method.matched_sections(measured),
            method.platform_section(measured, article),
            method.environment_section(measured),
            method.conditions_section(measured),
            method.repeat_section(measured),
            *claims.further_sections(measured, publications),
        ),
        first=first,
        picture=draw_forest(first.forest) if first else None,
    )


def _compose_ladder(measured: Results, article: Publication, publications: Sequence[Publication]) -> Document:
    """Return the report of a ladder. It has no sections on pairs, because a ladder compares none."""
    return Document(
        title="Why Intel-optimized TensorFlow is faster on this host, one change at a time",
        subtitle=_subtitle(measured),
        findings=ladder_findings(measured, article),
        warnings=(*ladder_warnings(measured), *warnings(measured), *core_warnings(measured)),
        sections=(
            *ladder_sections(measured, article),
            results.throughput_section(measured),
            cores_section(measured),
            *turns_sections(measured),
            *warm_up_sections(measured),
            *launch_time_sections(measured),
            results.launches_section(measured),
            claims.article_section(measured, article),
            *topology_sections(measured),
            *method.matched_sections(measured),
            method.platform_section(measured, article),
            method.conditions_section(measured),
            method.repeat_section(measured),
            *claims.further_sections(measured, publications),
        ),
    )


def _subtitle(measured: Results) -> str:
    engine, run = measured.header.engine.name, measured.header.run
    return f"{host_in_words(measured)}; engine {engine}; run {run}; {size_of(measured)}"
