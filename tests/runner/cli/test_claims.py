"""`claims` on the command line, and the section that every report carries."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.catalogue.publications import load_publication, publication_names
from tests.runner.claims.builders import SAMPLE

Kit = Callable[..., int]
KEYS = {"id", "verdict", "measured", "interval", "why"}


@pytest.mark.parametrize("name", publication_names())
def test_json_has_every_claim_with_the_documented_keys(kit: Kit, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert kit("claims", str(SAMPLE), "--publication", name, "--json") == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert [each["id"] for each in claims] == [claim.id for claim in load_publication(name).claims]
    assert all(set(each) >= KEYS for each in claims)


def test_all_publications_at_once(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("claims", str(SAMPLE), "--publication", "all", "--json") == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    expected = [(name, claim.id) for name in publication_names() for claim in load_publication(name).claims]
    assert [(each["publication"], each["id"]) for each in claims] == expected


def test_for_people_every_claim_is_printed_with_what_differs(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("claims", str(SAMPLE)) == 0
    out = capsys.readouterr().out
    for claim in load_publication().claims:
        assert f"{claim.id}: " in out
    assert "What differs from the published platform" in out
    assert "8124M" in out


def test_the_original_script_needs_no_run(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """What the article's script really does is told from data alone."""
    assert kit("claims", "--original-script") == 0
    out = capsys.readouterr().out
    for words in ("--num_omp_threads", "silently ignored", "total images/sec", "0704f19", "Its default is 1"):
        assert words in out


def test_the_original_script_as_json(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit("claims", "--original-script", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["claims"] == []
    assert {"point", "asked", "does", "kit"} == set(found["original_script"]["points"][0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["claims"], "Name a run's folder"),
        (["claims", "nowhere"], "nowhere is not a run's folder"),
        (["claims", str(SAMPLE), "--publication", "intel-aws"], "Did you mean intel-aws-2018"),
    ],
)
def test_bad_input_is_a_usage_error(
    kit: Kit, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert kit(*arguments) == 2
    assert words in capsys.readouterr().err


def test_every_report_holds_every_claim_of_the_article(kit: Kit) -> None:
    """The section stands in the report of any run, readable by somebody who has only the article in hand."""
    assert kit("compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run") == 0
    for name in ("report.md", "report.html"):
        text = (Path("run") / name).read_text(encoding="utf-8")
        assert "The article's claims" in text.replace("&#39;", "'")
        for claim in load_publication().claims:
            assert claim.says.split("=")[0].split("'")[0] in text
        assert "What differs from the published platform" in text
        assert "Other published figures" not in text


def test_other_publications_are_in_a_report_where_they_are_asked_for(kit: Kit) -> None:
    assert kit("compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run") == 0
    for asked, count in (("intel-onednn-aws-2022", 1), ("all", len(publication_names()) - 1)):
        assert kit("report", "run", "--publication", asked) == 0
        assert (Path("run") / "report.md").read_text(encoding="utf-8").count("## Other published figures") == count
    assert kit("report", "run", "--publication", "none-such") == 2
    assert kit("report", "run", "run", "--publication", "all") == 2


def test_the_top_of_the_report_says_of_the_figure_what_its_verdict_says(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence on the article and the claim largest-speedup give the same reason."""
    kit("compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run")
    capsys.readouterr()
    kit("claims", "run", "--json")
    first = json.loads(capsys.readouterr().out)["claims"][0]
    assert (first["id"], first["verdict"]) == ("largest-speedup", "not testable here")
    top = (Path("run") / "report.md").read_text(encoding="utf-8").split("##")[0]
    why = f"{first['why'][0].upper()}{first['why'][1:]}"
    assert f'"up to 7.4X" at batch size 32: not testable here. {why}.' in top
