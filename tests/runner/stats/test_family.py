"""The family-wise rule: what is in the family, that no verdict contradicts its interval, and how often one is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.stats.family import family_of, pairs_among, together, verdict
from runner.stats.intervals import geometric_estimate
from runner.stats.null_runs import NOMINAL, SHAPES, Share, wrong_verdicts
from runner.stats.pairs import pairs_of
from runner.stats.tables import speedups
from runner.stats.verdict_words import NO_CLEAR_DIFFERENCE
from runner.storage.records import Record
from runner.storage.runs import load
from tests.runner.claims.builders import ladder, rung

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "tests" / "data" / "run_without_turns"
# A twentieth of what the documented table is made from, and still enough for its shares to be told apart.
RUNS = 1000
ratios = st.lists(st.floats(0.1, 10), min_size=2, max_size=6)


def test_the_family_of_a_comparison_is_every_planned_pair_whatever_failed() -> None:
    """The sample has four topologies with two and with three variants. Without any record the family is the same."""
    run = load(SAMPLE)
    assert family_of(run) == 4 * 1 + 4 * 3
    none: list[Record] = []
    assert {pair.family for pair in pairs_of(run, none)} == {16}
    assert len(pairs_of(run, none)) == 16


def test_the_family_of_a_ladder_is_its_steps_and_its_totals_on_every_topology() -> None:
    """Three rungs have two steps; the product, the whole, and the one over the other are judged as well."""
    rungs = (rung("one", ""), rung("two", "one", ("a", "1", "2")), rung("three", "two", ("b", "1", "2")))
    run = ladder(lambda *_: 1.0, *rungs).run
    assert family_of(run) == 2 + 3
    assert family_of(type(run)(run.folder, {**run.header, "plan": with_a_second_topology(run.header["plan"])})) == 10


def with_a_second_topology(plan: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    """The same launches on another topology too."""
    other = [{**launch, "topology": "vgg16"} for launch in plan["launches"]]
    return {**plan, "launches": [*plan["launches"], *other]}


@given(ratios, st.integers(1, 40))
def test_no_verdict_contradicts_the_interval_that_is_drawn(values: list[float], family: int) -> None:
    """Faster and slower are exactly the intervals that do not hold 1, and they are never narrower than alone."""
    found, alone = together(values, family), geometric_estimate(values)
    expected = "faster" if found.low > 1 else "slower" if found.high < 1 else NO_CLEAR_DIFFERENCE
    assert verdict(values, family) == expected
    assert found.low <= alone.low * (1 + 1e-9)
    assert found.high >= alone.high * (1 - 1e-9)


def test_what_is_clear_by_itself_need_not_be_among_sixteen() -> None:
    """The same four blocks: called faster as the only pair of a run, and not as one of sixteen."""
    blocks = [1.08, 1.12, 1.05, 1.15]
    assert verdict(blocks, 1) == "faster"
    assert verdict(blocks, 16) == NO_CLEAR_DIFFERENCE


def test_the_table_gives_both_intervals_and_reads_the_verdict_off_the_familys() -> None:
    """Every verdict of the sample follows from its row's own interval of the family."""
    run = load(SAMPLE)
    found = speedups(pairs_of(run, run.read_records()))
    assert {key.group.stack for key in found} == {"tf-1.12", "tf-2.14"}
    for row in found.values():
        joint, alone = row.together, row.alone
        assert joint is not None
        assert alone is not None
        assert row.pair.family == 16
        assert joint.low < alone.low < alone.value < alone.high < joint.high
        expected = "faster" if joint.low > 1 else "slower" if joint.high < 1 else NO_CLEAR_DIFFERENCE
        assert row.verdict == expected


@pytest.fixture(scope="module")
def shares() -> dict[str, Share]:
    """What a smaller simulation than the documented one counts, of the same kinds of runs."""
    return {name: wrong_verdicts(variants, 4, RUNS, seed=20181128) for name, variants in SHAPES.items()}


def test_where_nothing_differs_a_run_says_something_false_no_more_often_than_it_may(shares: dict[str, Share]) -> None:
    """At most 5% of runs, within three standard errors; read off each interval alone it would be several times that."""
    for name, variants in SHAPES.items():
        found, family = shares[name], pairs_among(variants)
        assert found.together <= NOMINAL + 3 * found.error(NOMINAL)
        assert found.alone >= 3 * NOMINAL
        # The pairs of three variants share launches, so that fewer runs are wrong than if all were independent.
        assert found.alone <= 1 - (1 - NOMINAL) ** family + 3 * found.error(0.5)


def test_the_documented_shares_are_those_that_are_counted(shares: dict[str, Share]) -> None:
    """results/README.md has the table of a larger simulation with another seed: within four standard errors."""
    documented = dict(rows((ROOT / "results" / "README.md").read_text()))
    assert set(documented) == set(SHAPES)
    for name, found in shares.items():
        for told, counted in zip(documented[name], (found.alone, found.together), strict=True):
            assert told == pytest.approx(counted, abs=4 * found.error(max(told, 0.01)))


def rows(text: str) -> Iterator[tuple[str, tuple[float, float]]]:
    """The rows of the table of wrong verdicts: a kind of run, and its two shares."""
    for name, alone, joint in re.findall(
        r"^\| (\d+ pairs: [^|]+) \| ([\d.]+)% ± [^|]+\| ([\d.]+)% ± [^|]+\|$", text, re.M
    ):
        yield name, (float(alone) / 100, float(joint) / 100)
