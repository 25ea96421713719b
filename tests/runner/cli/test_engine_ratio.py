"""Container over process: paired by launch, judged over all cells together."""

from __future__ import annotations

import pytest

from runner.cli.engine_ratio import engine_ratios, verdict
from runner.records import Record
from tests.runner.builders import record


def runs(container: list[float], process: list[float]) -> dict[str, list[Record]]:
    """The same launches on both engines, with these step seconds block by block."""
    return {
        name: [record("intel", block, [9.0, seconds, seconds]) for block, seconds in enumerate(each, start=1)]
        for name, each in (("docker", container), ("venv", process))
    }


def test_launches_are_paired_by_their_names() -> None:
    """A launch that only one engine ended well is left out."""
    records = runs([1.0, 2.0], [2.0, 2.0])
    records["venv"][1] = record("intel", 2, error={"kind": "failed", "message": "why"})
    assert list(engine_ratios(records).values()) == [pytest.approx([2.0])]


def test_noise_is_no_clear_difference() -> None:
    """Ratios on both sides of 1 are called so."""
    assert "no clear difference" in verdict(runs([1.0, 1.1, 0.9, 1.0], [1.1, 1.0, 1.0, 0.95]))


def test_a_slow_container_is_named() -> None:
    """Twice the time in every block is a difference at any confidence."""
    words = verdict(runs([2.0, 2.02, 1.98, 2.0], [1.0, 1.0, 1.0, 1.0]))
    assert "differ at 99.9%" in words
    assert "ResNet50 intel" in words


def test_nothing_measured_is_said() -> None:
    """One block alone is no comparison."""
    assert "nothing to compare" in verdict(runs([1.0], [1.0]))
