"""The strip of time: every timed burst at its time, and how it differs from its cell's others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.report.strip import FARTHEST, ROW, bursts, strip_sections
from runner.stats.results import results_of
from runner.storage import runs
from tests.runner.claims.builders import EARLIER_RUN, SAMPLE
from tests.runner.stats.turn_records import by_turns


def test_a_burst_is_held_against_the_geometric_mean_of_its_cells() -> None:
    """Warm-up has no part; a burst of two steps counts with their mean."""
    slow = by_turns("stock", {0: (0.0, [9.0, 1.0]), 2: (20.0, [4.0, 4.0])})
    fast = by_turns("stock", {0: (30.0, [9.0, 1.0]), 2: (50.0, [0.5, 1.5])}, block=2)
    found = bursts([fast, slow])
    assert [each.began for each in found] == [20.0, 50.0], "in the order of the clock"
    assert [each.ended for each in found] == [28.0, 52.0]
    assert [each.factor for each in found] == [pytest.approx(2.0), pytest.approx(0.5)]


def test_sessions_have_clocks_of_their_own() -> None:
    first = by_turns("stock", {0: (900.0, [1.0]), 2: (910.0, [1.0])})
    second = replace(by_turns("stock", {0: (5.0, [1.0]), 2: (10.0, [1.0])}, block=2), session=2)
    assert [each.record.session for each in bursts([second, first])] == [1, 2]


def test_the_samples_strip_has_every_burst_inside_of_its_row() -> None:
    measured = results_of(runs.load(SAMPLE))
    (section,) = strip_sections(measured)
    assert section.strip is not None
    bars = [bar for panel in section.strip.panels for row in panel.rows for bar in row.bars]
    timed = {(record.launch_id, step.turn) for record in measured.usable if record.training
             for step in record.training.timed_steps}  # fmt: skip
    assert len(bars) == len(timed)
    assert all(bar.at >= 0 and bar.at + bar.width <= 100.5 for bar in bars)
    assert all(0 <= bar.y <= ROW for bar in bars)
    assert "times its cell's typical step" in section.summary


def test_a_burst_far_from_the_others_is_drawn_at_the_edge() -> None:
    measured = results_of(runs.load(SAMPLE))
    slowest = max(bursts(measured.usable), key=lambda each: each.factor)
    (section,) = strip_sections(measured)
    assert section.strip is not None
    tops = [bar.y for panel in section.strip.panels for row in panel.rows for bar in row.bars]
    assert (min(tops) <= 4) == (slowest.factor >= FARTHEST)


def test_a_run_whose_steps_have_no_beginning_has_no_strip() -> None:
    assert strip_sections(results_of(runs.load(EARLIER_RUN))) == ()
