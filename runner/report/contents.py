"""Puts the report's sections in order."""

from __future__ import annotations

from runner.report import method_sections as method
from runner.report import results_sections as results
from runner.report.document import Document, Section
from runner.report.findings import findings, warnings
from runner.report.measured import Measured
from runner.report.publication import load_publication


def compose(measured: Measured) -> Document:
    """The whole report of a run, as data."""
    article = load_publication()
    processor = measured.header["machine"]["processor"]["model_name"] or "an unknown processor"
    return Document(
        title="Intel-optimized against stock TensorFlow on this host",
        subtitle=f"{processor}; engine {measured.header['engine']['name']}; run {measured.header['run']}",
        findings=findings(measured, article),
        warnings=warnings(measured),
        sections=(
            Section("Figure 1, for this host", figure=True),
            results.speedup_section(measured),
            results.throughput_section(measured),
            results.losses_section(measured),
            results.evidence_section(measured),
            method.settings_section(measured),
            method.platform_section(measured, article),
            method.environment_section(measured),
            method.conditions_section(measured),
            method.repeat_section(measured),
            method.reading_section(),
        ),
    )
