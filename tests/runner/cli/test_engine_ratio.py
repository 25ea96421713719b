"""Container over process: paired by launch, judged over all cells together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runner.cli.engine_ratio import BLOCKS, engine_ratios, verdict
from runner.records import Record
from tests.runner.builders import record


def runs(container: list[float], process: list[float], variants: Sequence[str] = ("intel",)) -> dict[str, list[Record]]:
    """The same launches of each variant on both engines, with these step seconds block by block."""
    return {
        name: [
            record(variant, block, [9.0, seconds, seconds])
            for variant in variants
            for block, seconds in enumerate(each, start=1)
        ]
        for name, each in (("docker", container), ("venv", process))
    }


def test_launches_are_paired_by_their_names() -> None:
    """A launch that only one engine ended well is left out."""
    records = runs([1.0, 2.0], [2.0, 2.0])
    records["venv"][1] = record("intel", 2, error={"kind": "failed", "message": "why"})
    assert list(engine_ratios(records).values()) == [{1: pytest.approx(2.0)}]


def test_noise_is_no_clear_difference() -> None:
    """Ratios on both sides of 1 are called so, with the ratio and its interval."""
    words = verdict(runs([1.0, 1.1, 0.9, 1.0], [1.1, 1.0, 1.0, 0.95]))
    assert words.startswith("container and process: no clear difference (1.01x [0.")
    assert "at 99.9%, all cells together" in words


def test_a_slow_container_is_caught_with_as_many_blocks_as_are_measured() -> None:
    """A container that takes 1.5 times as long, under noise of a tenth, is a difference with the kit's own sizes."""
    noise = [0.95, 1.05, 1.0, 0.98]
    assert len(noise) == BLOCKS
    words = verdict(runs([1.5 * each for each in noise], [1.0] * BLOCKS, ["stock", "stock-onednn", "intel"]))
    assert words.startswith("container and process differ: 0.670x [")


def test_two_blocks_would_not_have_caught_it() -> None:
    """Why the number of blocks is not left to the run: over two of them the interval holds a factor of two."""
    assert "no clear difference" in verdict(runs([2.0, 2.1], [1.0, 1.0], ["stock", "stock-onednn", "intel"]))


def test_a_cell_that_one_engine_could_not_run_is_named() -> None:
    """The others agreeing says nothing of it."""
    records = runs([1.0] * BLOCKS, [1.0] * BLOCKS, ["stock", "intel"])
    failed = [record("intel", block, error={"kind": "failed", "message": "why"}) for block in range(1, BLOCKS + 1)]
    records["docker"] = [each for each in records["docker"] if each.cell.variant == "stock"] + failed
    assert verdict(records) == "container and process: nothing to compare: no block has both for ResNet50 intel"


def test_nothing_measured_is_said() -> None:
    """One block alone is no comparison."""
    assert "nothing to compare" in verdict(runs([1.0], [1.0]))
    assert "nothing to compare" in verdict({"docker": [], "venv": []})
