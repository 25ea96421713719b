"""CITATION.cff: what it says of the kit and of the article is what the kit says elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner import __version__

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    """The file, parsed."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return found


def test_the_kit_is_cited_as_what_it_is(citation: dict[str, Any]) -> None:
    """Version, license and title of pyproject.toml and README.md, and what the format (CFF 1.2.0) requires."""
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["authors"]
    assert citation["version"] == __version__
    assert citation["license"] == value_of("license", ROOT / "pyproject.toml")
    first_line = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n")[0]
    assert citation["title"] == first_line.removeprefix("# ")


def test_the_article_is_cited_as_its_claims_are(citation: dict[str, Any]) -> None:
    """Title, year, address and authors stand in the publication whose claims are judged."""
    article = ROOT / "results" / "publications" / "intel-aws-2018.toml"
    (cited,) = citation["references"]
    assert cited["title"] == value_of("title", article)
    assert cited["url"] == value_of("source", article)
    assert str(cited["year"]) == value_of("year", article)
    assert " and ".join(author["name"] for author in cited["authors"]) == value_of("authors", article)


def value_of(key: str, path: Path) -> str:
    """The value of a TOML file's first line `key = value`, without its quotation marks."""
    found = re.search(rf'^{key} = "?(.*?)"?$', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{path} has no line {key} = ..."
    return found[1]
