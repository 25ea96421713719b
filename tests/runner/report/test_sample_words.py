"""What the sample's report says of itself, where a hostile reader looks: what was not recorded, measured or shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.catalogue.publications import load_publication
from runner.evidence.probed import Evidence
from runner.report.claims_sections import article_section
from runner.report.contents import compose
from runner.report.document import Document, Section
from runner.report.evidence_sections import evidence_section
from runner.report.measured import measured, variant_title
from runner.report.method_sections import matched_sections
from runner.report.results_sections import speedup_sections
from runner.report.trace_sections import trace_sections
from runner.report.training_sections import training_section
from runner.stats.results import Results
from runner.storage import runs

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "run_without_turns"


@pytest.fixture(scope="module")
def sample() -> Results:
    """The committed run; nothing of it is written."""
    return measured(runs.load(SAMPLE))


@pytest.fixture(scope="module")
def document(sample: Results) -> Document:
    """Its whole report."""
    return compose(sample)


def texts(section: Section) -> Iterator[str]:
    """All that a section says outside of its tables' cells."""
    yield from section.paragraphs
    yield from (each.caption for each in section.tables)


def said(sections: Document | Section) -> str:
    """The same of a section, or of all sections of a report."""
    found = sections.sections if isinstance(sections, Document) else (sections,)
    return "\n".join(text for section in found for text in texts(section))


@pytest.mark.parametrize(
    "words",
    [
        "and not with the hash-locked wheels",
        "the CPU on which each thread was last seen",
        "in the reverse order of the first",
        "Other claims have only an interval of their own",
        "Settings without effect on TensorFlow (they may affect another library",
        "logging slows (by how much was not measured in this run)",
        "only the conditions on the software must match",
    ],
)
def test_what_a_reader_would_take_for_granted_is_told(document: Document, words: str) -> None:
    """Earlier reports left these sentences out, or claimed too much."""
    assert words in said(document)


@pytest.mark.parametrize(
    "words",
    [
        "independent launches", "the next block mirrors", "can confirm Figure 1", "Later losses are in the records",
        "another update would not have been found", "stock's more than the others'", "(by how much, the table",
    ],
)  # fmt: skip
def test_what_was_said_too_much_is_gone(document: Document, words: str) -> None:
    assert words not in said(document)
    assert not any(words.encode() in figure.svg for figure in document.figures)


def test_only_a_pair_with_fingerprints_is_passed_without_a_word(sample: Results) -> None:
    """A bar without a fingerprint lacks one of its proofs."""
    assert column(speedup_sections(sample)[1], "evidence") == {"passed; no fingerprint"}
    tensors = (("output", "conv1", 1.0, 1.0, 1e-6),)
    taken = with_evidence_of(sample, lambda each: replace(each, fingerprint=tensors))
    assert column(speedup_sections(taken)[1], "evidence") == {"passed"}


def test_lines_of_verbose_launches_are_counted_and_a_build_that_wrote_none_is_told_apart(sample: Results) -> None:
    """Its traced times cannot have grown by lines that it never wrote."""
    (section,) = trace_sections(sample)
    text = said(section)
    assert "tf-1.12 stock wrote none, so that the switch" in text
    counts = [sum(part["count"] for part in each.primitives) for subject, each in sample.evidence.items()
              if (subject.stack, subject.variant) == ("tf-2.14", "stock")]  # fmt: skip
    assert f"tf-2.14 stock {min(counts):,} to {max(counts):,};" in text


def test_later_losses_are_spoken_of_where_there_are_some(sample: Results) -> None:
    header = sample.run.header
    longer = [{**each, "timed_steps": 4} for each in header["plan"]["launches"]]
    run = replace(sample.run, header={**header, "plan": {**header["plan"], "launches": longer}})
    assert "Later losses are in the records" in said(training_section(replace(sample, run=run)))


def test_the_losses_stand_beside_the_share_of_the_movement_that_they_are_apart(sample: Results) -> None:
    """On InceptionV3 one side's update moved the loss by 37% more than the other's, within the tolerance."""
    (losses,) = training_section(sample).tables
    place = losses.columns.index("difference / movement")
    shown = {row[1]: row[place] for row in losses.rows if row[0] == "tf-1.12"}
    assert (shown["InceptionV3"], shown["VGG16"]) == ("37%", "0%")


def test_quiet_launches_have_the_table_that_the_primitives_caption_points_to(sample: Results) -> None:
    """The caption speaks of a table of traced steps where the report has one."""
    quiet = with_evidence_of(sample, lambda each: replace(each, quiet={"step_seconds": [1.0]}))
    assert "logging slows (the table of traced steps says by how much)" in said(evidence_section(quiet))


def test_files_that_were_held_against_their_wheels_are_counted_instead(sample: Results) -> None:
    """Runs of today hold files against the wheels."""
    held = {"installation": "stock", "files": 10, "distributions": 2, "unlocked": [], "held": True, "faults": []}
    matched = {stack: {**match, "contents": [held]} for stack, match in sample.run.header["matched"].items()}
    run = replace(sample.run, header={**sample.run.header, "matched": matched})
    (section,) = matched_sections(replace(sample, run=run))
    assert "tf-1.12 stock: 10 files of 2 wheels" in said(section)
    assert "and not with the hash-locked wheels" not in said(section)


def test_the_claims_that_can_be_confirmed_are_told_apart_from_those_whose_value_is_unknown(sample: Results) -> None:
    """A claim that needs a value which was never published is confirmed by no run."""
    article = load_publication()
    (sentence,) = re.findall(r"can confirm (.+?) on any host\.", said(article_section(sample, article)))
    for claim in article.claims:
        if claim.kind in ("largest-speedup", "faster-on-all", "bar"):
            assert (claim.words in sentence) == (claim.value is not None)


def test_the_steps_of_a_launch_are_among_the_differences(sample: Results) -> None:
    """The article's script timed 100 steps after 10 warm-up steps."""
    rows = [row for each in article_section(sample, load_publication()).tables for row in each.rows]
    assert any(row[:3] == ("steps of one launch", "10 warm-up and 100 timed", "1 warm-up and 1 timed") for row in rows)


def test_the_years_figure_names_what_each_release_is_divided_by(sample: Results, document: Document) -> None:
    """Stock of 2.14 has oneDNN, switched off; that of 1.12 has none."""
    svg = next(figure.svg.decode() for figure in document.figures if figure.name == "years")
    for stack in sample.stacks:
        assert f"{stack}, over {variant_title(sample, stack, sample.variants(stack)[0])}" in svg


def column(section: Section, name: str) -> set[str]:
    """The values of one column of a section's first table."""
    first = section.tables[0]
    return {row[first.columns.index(name)] for row in first.rows}


def with_evidence_of(sample: Results, change: Callable[[Evidence], Evidence]) -> Results:
    """The same run with every probe changed."""
    return replace(sample, evidence={subject: change(each) for subject, each in sample.evidence.items()})
