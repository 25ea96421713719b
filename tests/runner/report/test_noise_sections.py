"""Where the noise comes from is told of runs by turns, with the numbers of their own records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runner.report.measured import measured
from runner.report.noise_sections import noise_sections
from runner.stats.noise import pairs
from runner.storage.runs import load
from tests.runner.claims.builders import EARLIER_RUN

COMPARE = ("compare", "--topologies", "alexnet", "--blocks", "4", "--no-probe", "--no-peak", "--out", "run")


def test_each_pair_and_cell_has_its_levels(in_folder: Path, finished_run: Callable[..., Path]) -> None:
    found = measured(load(finished_run(*COMPARE) / "run"))
    (section,) = noise_sections(found)
    of_pairs, of_cells = section.tables
    assert [row[3] for row in of_pairs.rows] == ["stock-onednn / stock", "intel / stock", "intel / stock-onednn"]
    assert [row[3] for row in of_cells.rows] == ["stock", "stock-onednn", "intel"]
    levels = pairs(found)[0].components
    assert levels.blocks is not None
    assert of_pairs.rows[0][4] == f"{levels.blocks.deviation:.1%}"


def test_a_run_of_an_earlier_version_has_no_bursts_to_tell_of() -> None:
    assert noise_sections(measured(load(EARLIER_RUN))) == ()
