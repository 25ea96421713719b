"""The table of networks by pairs, and what a report says of pairs of two arithmetics, on the committed sample."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.report.findings import warnings
from runner.report.measured import measured
from runner.report.results_sections import MEAN, speedup_sections
from runner.stats.results import Results
from runner.stats.verdict_words import FASTER, SLOWER
from runner.storage import runs
from tests.runner.claims.builders import SAMPLE, constant, results


@pytest.fixture(scope="module")
def sample() -> Results:
    return measured(runs.load(SAMPLE))


def test_bold_cells_are_those_with_a_clear_verdict(sample: Results) -> None:
    overview = speedup_sections(sample)[0]
    cells = [cell for each in overview.tables for row in each.rows for cell in row[1:]]
    clear = sum(row.verdict in (FASTER, SLOWER) for row in sample.speedups.values())
    assert len(cells) == len(sample.speedups)
    assert sum(cell.startswith("**") for cell in cells) == clear > 0


def test_a_pair_of_two_arithmetics_has_its_status_in_place_of_a_verdict(sample: Results) -> None:
    today = speedup_sections(sample)[0].tables[1]
    column = today.columns.index("stock-bf16 / stock")
    assert all(row[column].endswith("(other arithmetic)") for row in today.rows)


def test_the_means_stand_apart_from_the_networks(sample: Results) -> None:
    for each in speedup_sections(sample)[0].tables:
        ((name, *means),) = each.foot
        assert name == MEAN
        assert len(means) == len(each.columns) - 1


def test_one_network_has_no_mean() -> None:
    (only,) = speedup_sections(results(constant(2.0), topologies=("vgg16",)))[0].tables
    assert only.foot == ()


def test_a_run_without_records_has_the_status_in_each_cell() -> None:
    empty = replace(results(constant(2.0)), records=(), evidence={})
    (only,) = speedup_sections(empty)[0].tables
    assert {cell for row in only.rows for cell in row[1:]} == {"missing"}


def test_pairs_of_two_arithmetics_are_warned_of_in_one_sentence(sample: Results) -> None:
    told = [text for text in warnings(sample) if "arithmetic" in text]
    assert len(told) == 1
    assert "8 pairs" in told[0]
