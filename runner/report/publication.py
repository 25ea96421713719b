"""Reads a publication's TOML: what it says and on what platform, to stand beside this host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from runner.data import check_keys, read_toml

PUBLICATIONS = Path(__file__).resolve().parent.parent.parent / "results" / "publications"
ARTICLE = "intel-aws-2018"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Publication:
    """A published figure with its platform. `platform` is row name -> text."""

    title: str
    year: int
    quote: str
    batch_size: int
    processor_model: str
    largest_speedup: float
    platform: Mapping[str, str]


@cache
def load_publication(name: str = ARTICLE) -> Publication:
    """Read one publication."""
    path = PUBLICATIONS / f"{name}.toml"
    data = read_toml(path, SCHEMA_VERSION)
    check_keys(str(path), data, ("id", "title", "authors", "year", "figure", "platform"))
    figure = data["figure"]
    return Publication(
        title=data["title"],
        year=data["year"],
        quote=figure["quote"],
        batch_size=figure["batch_size"],
        processor_model=figure["processor_model"],
        largest_speedup=figure["largest_speedup"],
        platform=data["platform"],
    )
