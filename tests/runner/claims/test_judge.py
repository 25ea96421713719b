"""Every claim of every publication gets a verdict, on any run; what differs is listed."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any, get_args

import pytest

from runner.catalogue.publications import ARTICLE, Publication, load_publication, publication_names
from runner.claims.judge import judge
from runner.claims.verdict import Verdict
from runner.host.pin import Pin
from runner.planning.bkm import load_bkms, resolve, with_inter_op_threads
from runner.stats.results import results_of
from runner.storage import runs
from runner.storage.header_json import recorded
from tests.runner.claims.builders import EARLIER_RUN, SAMPLE, articles_host, constant, results

ALL = [load_publication(name) for name in publication_names()]
VERDICTS = set(get_args(Verdict))


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_every_claim_gets_a_verdict_with_a_reason_on_the_committed_sample(publication: Publication) -> None:
    """None is skipped, none is without its why, and no number is not a number."""
    found = [each.to_json() for each in judge(publication, results_of(runs.load(SAMPLE)))]
    assert [each["id"] for each in found] == [claim.id for claim in publication.claims]
    for each in found:
        assert each["verdict"] in VERDICTS
        assert each["why"].strip()
        assert each["measured"] is None or math.isfinite(each["measured"])
        assert each["interval"] is None or each["interval"][0] <= each["measured"] <= each["interval"][1]
        assert each["verdict"] != "reproduced" or not each["missing"]
    json.dumps(found, allow_nan=False)


def test_the_committed_sample_refutes_no_figure_of_another_host() -> None:
    """Two cores of another processor: what falls short there is not testable, with the figure beside it."""
    run = results_of(runs.load(SAMPLE))
    found = {each.claim.id: each.answer for name in publication_names() for each in judge(load_publication(name), run)}
    assert not [name for name, each in found.items() if each.verdict == "not reproduced"]
    # The runtime's own words, which it says on any host.
    assert {name for name, each in found.items() if each.verdict == "overridden"} <= {"bkm-omp-proc-bind"}
    largest = found["largest-speedup"]
    assert largest.verdict == "not testable here"
    assert largest.measured is not None
    assert "36 cores" in largest.missing
    assert "not refute" in largest.why


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_a_run_without_any_record_gets_verdicts_too(publication: Publication) -> None:
    """A run that was interrupted at once judges nothing and breaks nothing."""
    empty = results(constant(2.0))
    found = judge(publication, replace(empty, records=(), evidence={}))
    assert {each.answer.verdict for each in found} == {"not testable here"}


def test_what_differs_from_the_published_platform_is_listed() -> None:
    """Processor, cores, TensorFlow and threads, each with both values; a layout that was not published says so."""
    article = load_publication(ARTICLE)
    first = judge(article, results_of(runs.load(EARLIER_RUN)))[0]
    differing = {each.what: (each.published, each.here) for each in first.differs}
    assert differing["physical cores"] == ("36", "2")
    assert differing["threads"] == ("36", "2")
    assert differing["processor"][0] == "8124M"
    assert "2.14.0" in differing["TensorFlow version"][1]
    assert differing["layout (intel)"][0] == "not stated"
    assert "batch size" not in differing


@pytest.mark.parametrize("inter_op", [None, 4])
def test_settings_that_are_not_the_articles_are_listed_and_judge_no_figure(inter_op: int | None) -> None:
    """A run with --bkms none, or with one setting changed, says so, and in how many threads it computed."""

    def other_settings(header: dict[str, Any]) -> None:
        pin = recorded(header["plan"]["pin"], Pin, "a pin")
        bkms = resolve(load_bkms("none" if inter_op is None else "article"), pin)
        if inter_op is not None:
            bkms = with_inter_op_threads(bkms, inter_op)
        header["plan"]["bkms"] = bkms.to_json()
        threads = {"intra_op_threads": bkms.intra_op_threads}
        header["plan"]["launches"] = [{**launch, **threads} for launch in header["plan"]["launches"]]

    first = judge(load_publication(ARTICLE), results(constant(8.0), header=other_settings))[0]
    differing = {each.what: each.here for each in first.differs}
    assert differing["BKMs"] == ("none" if inter_op is None else "article, but with inter_op_threads=4")
    assert ("2" in differing["threads"]) is (inter_op is not None)
    assert first.answer.verdict == "not testable here"
    assert first.answer.missing == ("the BKMs article",)
    assert first.answer.measured == pytest.approx(8.0, rel=0.01)


def test_a_run_on_the_articles_machine_differs_in_its_software_only() -> None:
    """What matches is not listed, what was not published is."""
    first = judge(load_publication(ARTICLE), results(constant(7.4), header=articles_host))[0]
    assert [each.what for each in first.differs] == [
        "TensorFlow version", "baseline's threads", "steps of one launch", "layout (intel)"
    ]  # fmt: skip
    assert first.answer.verdict == "reproduced"
    assert "the article had" not in first.answer.why
