"""Every claim of every publication gets a verdict, on any run; what differs is listed."""

from __future__ import annotations

import json
import math

import pytest

from runner import runs
from runner.claims.judge import judge
from runner.claims.material import material_of
from runner.publications import ARTICLE, Publication, load_publication, publication_names
from tests.runner.claims.builders import SAMPLE, constant, material

ALL = [load_publication(name) for name in publication_names()]
VERDICTS = {"reproduced", "not reproduced", "partly", "not testable here"}


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_every_claim_gets_a_verdict_with_a_reason_on_the_committed_sample(publication: Publication) -> None:
    """None is skipped, none is without its why, and no number is not a number."""
    found = [each.to_json() for each in judge(publication, material_of(runs.load(SAMPLE)))]
    assert [each["id"] for each in found] == [claim.id for claim in publication.claims]
    for each in found:
        assert each["verdict"] in VERDICTS
        assert each["why"].strip()
        assert each["measured"] is None or math.isfinite(each["measured"])
        assert each["interval"] is None or each["interval"][0] <= each["measured"] <= each["interval"][1]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("publication", ALL, ids=lambda each: each.id)
def test_a_run_without_any_record_gets_verdicts_too(publication: Publication) -> None:
    """A run that was interrupted at once judges nothing and breaks nothing."""
    empty = material(constant(2.0))
    found = judge(publication, type(empty)(empty.run, (), ()))
    assert {each.answer.verdict for each in found} == {"not testable here"}


def test_what_differs_from_the_published_platform_is_listed() -> None:
    """Processor, cores, TensorFlow and threads, each with both values; a layout that was not published says so."""
    article = load_publication(ARTICLE)
    first = judge(article, material_of(runs.load(SAMPLE)))[0]
    differing = {each.what: (each.published, each.here) for each in first.differs}
    assert differing["physical cores"] == ("36", "2")
    assert differing["threads"] == ("36", "2")
    assert differing["processor"][0] == "8124M"
    assert "2.14.0" in differing["TensorFlow version"][1]
    assert differing["layout (intel)"][0] == "not stated"
    assert "batch size" not in differing


def test_a_run_on_the_articles_machine_differs_in_its_software_only() -> None:
    """What matches is not listed."""

    def c5(header: dict[str, object]) -> None:
        machine = header["machine"]
        assert isinstance(machine, dict)
        machine |= {"cores": 36, "sockets": 2}
        machine["processor"] = {"model_name": "Intel(R) Xeon(R) Platinum 8124M CPU", "isa": ["avx2", "avx512f"]}
        header["plan"]["pin"]["threads"] = 36  # type: ignore[index]

    first = judge(load_publication(ARTICLE), material(constant(7.4), header=c5))[0]
    assert [each.what for each in first.differs] == ["TensorFlow version", "layout (intel)"]
    assert first.answer.verdict == "reproduced"
    assert "the article had" not in first.answer.why
