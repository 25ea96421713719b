"""The publications as they are in the repository, and as somebody may get one wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.catalogue.publications import (
    ARTICLE,
    CONDITIONS,
    KINDS,
    PUBLICATIONS,
    Publication,
    find_publication,
    load_publication,
    publication_names,
    read_publication,
)
from runner.catalogue.stacks import load_stacks
from runner.claims.case import Case, RunPart
from runner.claims.condition import OUT_OF_REACH
from runner.claims.conditions import conditions
from runner.claims.judge import JUDGES, judge
from runner.errors import UsageError
from runner.planning.bkm import load_bkms
from runner.report.claims_sections import claims_table, published
from runner.vocabulary import TOPOLOGIES
from tests.runner.claims.builders import constant, results

ALL = [load_publication(name) for name in publication_names()]


def test_all_publications_are_there_the_article_first() -> None:
    """All of them are held against every run."""
    names = ["intel-aws-2018", "amd-plugin-2026", "intel-onednn-aws-2022", "intel-plugin-2024", "tensorflow-amx-2023",
             "tensorflow-benchmarks-issue-177", "tensorflow-performance-guide"]  # fmt: skip
    assert publication_names() == names


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_every_claim_has_its_words_its_source_and_its_figure(publication: Publication) -> None:
    """Quote, plain words, source, metric and configuration are all filled in, and ids are fit for a command line."""
    for claim in publication.claims:
        assert all(text.strip() for text in (claim.quote, claim.says, claim.source, claim.metric))
        assert claim.configuration.text
        assert re.fullmatch(r"[a-z0-9.-]+", claim.id)
        assert set(claim.topologies) <= set(TOPOLOGIES)


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_every_publication_names_its_nearest_stack_with_reason_and_source(publication: Publication) -> None:
    """Which stack may judge a figure is data, and argued for."""
    stack = load_stacks()[publication.nearest_stack]
    for claim in publication.claims:
        assert {claim.variant, claim.against} - {None} <= set(stack.variants)
    assert publication.nearest_stack_reason
    assert publication.nearest_stack_source.startswith("https://")


def test_the_figures_that_are_known_are_as_published() -> None:
    """7.4 of the article, the guide's training table, the issue's five versions; no bar of Figure 1 has a number."""
    values = {publication.id: {claim.id: claim.value for claim in publication.claims} for publication in ALL}
    article = values["intel-aws-2018"]
    assert article["largest-speedup"] == 7.4
    assert [article[f"bar-{name}"] for name in ("inception3", "resnet50", "resnet152", "vgg16")] == [None] * 4
    guide = values["tensorflow-performance-guide"]
    assert [guide[f"training-{name}"] for name in ("mkl", "avx2", "avx", "sse3")] == [20.8, 6.2, 5.7, 4.3]
    assert [guide[f"inference-inception3-b1-{name}"] for name in ("mkl", "avx2")] == [6.6, 7.0]
    assert [guide[f"inference-resnet50-b32-{name}"] for name in ("mkl", "avx2")] == [12.4, 10.4]
    assert list(values["tensorflow-benchmarks-issue-177"].values()) == [5.41, 5.26, 2.27, 2.26, 3.93]


def test_every_kind_of_claim_has_a_judge_and_every_judge_a_kind() -> None:
    """A kind that nobody judges would leave claims without a verdict."""
    assert set(JUDGES) == set(KINDS)


def test_every_condition_that_a_claim_may_need_is_evaluated() -> None:
    """One that nothing evaluates would silently be met."""
    article = load_publication(ARTICLE)
    case = Case(article, article.claims[0], results(constant(2.0)))
    assert {each.name for each in conditions(case, RunPart("tf-1.12", 32))} == set(CONDITIONS)


COMPARED_WITH_A_VALUE = {"largest-speedup", "speedup", "speedup-at-least", "bar", "throughput"}


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_a_figure_that_was_never_published_cannot_be_confirmed(publication: Publication) -> None:
    """The judges of figures hold a run against a value, and must not be given none."""
    for claim in publication.claims:
        if claim.kind in COMPARED_WITH_A_VALUE and claim.value is None:
            assert "value" in claim.to_confirm


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_no_figure_of_a_host_is_refuted_by_whatever_host(publication: Publication) -> None:
    """A figure and a prescription were published for a machine: refuting one takes that machine, or nothing can.

    What is said of every processor of a vendor is no claim on one machine.
    """
    for claim in publication.claims:
        one_machine = claim.configuration.cores is not None or claim.configuration.instance_type is not None
        if claim.configuration.processor_model is not None and one_machine:
            needed = {*claim.to_confirm, *claim.to_refute}
            its_machine = "processor" in needed and needed & {"cores", "instance_type", "threads"}
            assert its_machine or needed & set(OUT_OF_REACH)


def test_the_height_of_a_bar_takes_its_baselines_threads_to_be_refuted() -> None:
    """The article does not publish them, so that no host can."""
    article = load_publication(ARTICLE)
    claim = article.claim("largest-speedup")
    assert "baseline" in claim.to_refute
    assert claim.configuration.baseline_threads is None


def test_the_original_script_says_what_it_really_does() -> None:
    """The ignored flags, the default of one thread and the estimator are told from data."""
    script = load_publication(ARTICLE).original_script
    assert script is not None
    text = " ".join(f"{point.point} {point.does}" for point in script.points)
    for words in ("--num_omp_threads", "silently ignored", "Its default is 1", "cPickle", "elapsed", "1.4826"):
        assert words in text


def test_an_unknown_publication_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean intel-aws-2018"):
        find_publication("intel-aws-2019")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('kind = "bar"', 'kind = "baar"'), "Did you mean bar"),
        (("topologies =", "topology ="), "unknown key topology"),
        (('metric = "the smallest', 'metrics = "the smallest'), "lacks metric"),
        (("value = 7.4", 'value = "about 7"'), "'about 7'; a number or 'not published as text'"),
        (("value = 7.4", "value = true"), "True; a number"),
        (('configuration = "any"', 'configuration = "anny"'), "Did you mean any"),
        (('to_confirm = ["work", "stack"', 'to_confirm = ["work", "stak"'), "to_confirm.*Did you mean stack"),
        (('to_refute = ["stack"', 'to_refute = ["stak"'), "to_refute.*Did you mean stack"),
        (('to_refute = ["stack", "bkms"]', 'to_refute = "stack"'), "to_refute is 'stack'; a list"),
        (('to_refute = ["tensorflow"', 'to_refute = ["work", "tensorflow"'), "to_refute includes all of to_confirm"),
        (("to_refute = [", "needs = ["), "lacks to_refute"),
        (('id = "bar-vgg16"', 'id = "bar-resnet50"'), "several claims with the id bar-resnet50"),
        (('id = "intel-aws-2018"', 'id = "another"'), "a publication's id is its file's name"),
        (("value = 7.4", 'value = 7.4\nderived = "yes"'), "derived is 'yes'; true or false"),
        (("sockets = 2", "socket = 2"), "unknown key socket"),
        (('point = "Python"', 'points = "Python"'), "lacks point"),
        (("[platform]", "[platforms]"), "unknown key platforms"),
        (("schema_version = 2", "schema_version = 7"), "schema_version 7"),
    ],
)
def test_a_malformed_publication_is_refused_with_place_and_key(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    text = (PUBLICATIONS / f"{ARTICLE}.toml").read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / f"{ARTICLE}.toml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(UsageError, match=words):
        read_publication(path)


# The article's words as this project has them, literally; everything else that it says is told in other words.
LITERAL = {
    "up to 7.4X", "on all benchmark topologies", "InceptionV3", "ResNet50", "ResNet152", "VGG16",
    "transparent to the programmer", "KMP_SETTINGS=1", "OMP_PROC_BIND=true",
    "around the number of physical cores available", "case-by-case",
}  # fmt: skip


def test_only_the_articles_own_words_stand_in_quotation_marks() -> None:
    """A paraphrase is told as one, wherever a claim's words are shown."""
    article = load_publication(ARTICLE)
    assert {claim.quote for claim in article.claims if not claim.paraphrase} == LITERAL
    for claim in article.claims:
        assert (claim.words == f'"{claim.quote}"') == (claim.quote in LITERAL)
    shown = {row[0] for row in claims_table(judge(article, results(constant(2.0)))).rows}
    assert {'"up to 7.4X"', "KMP_BLOCKTIME=1", "shared pools"} <= shown


def test_a_figure_that_is_computed_from_published_ones_says_so() -> None:
    """The ratio 20.8 / 6.2 stands in no source."""
    guide = load_publication("tensorflow-performance-guide")
    shown = {each.claim.id: published(each) for each in judge(guide, results(constant(2.0)))}
    assert shown["training-mkl-over-avx2"] == "3.35, derived"
    assert sum("derived" in text for text in shown.values()) == 1


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_advice_is_told_as_advice(publication: Publication) -> None:
    """The words of the claim do not present a source's prescription as the best setting."""
    assert not [claim.id for claim in publication.claims if "best setting" in claim.says]


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_every_configuration_names_a_set_of_settings_that_there_is(publication: Publication) -> None:
    """A run's BKMs are held against a set of the kit's own."""
    names = {claim.configuration.bkms for claim in publication.claims} - {None}
    assert all(load_bkms(name).name == name for name in names if name)
