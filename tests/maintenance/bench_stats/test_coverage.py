"""results/coverage.md is of this code, a small part of it comes out again, and narrower intervals are noticed."""

from __future__ import annotations

import pytest

from maintenance.bench_stats.__main__ import TABLE
from maintenance.bench_stats.bounds import faults
from maintenance.bench_stats.code_hash import code_hash
from maintenance.bench_stats.outcomes import AS_THEY_ARE, KINDS, Narrower
from maintenance.bench_stats.scenarios import SCENARIOS, Scenario, load_noise
from maintenance.bench_stats.study import studies
from maintenance.bench_stats.table import HASH

RUNS = 3000
BLOCKS = (4, 6, 10)
# How many standard errors beyond a bound are allowed. The same seed gives the same runs on every host.
ALLOWED_ERRORS = 3.0


def broken(scenario: Scenario, narrower: Narrower = AS_THEY_ARE) -> list[str]:
    """What a small simulation finds wrong with a scenario."""
    (study,) = studies([scenario], load_noise(), runs=RUNS, variants=(2,), blocks=BLOCKS, narrower=narrower)
    return faults(scenario, study.outcomes, study.staged, RUNS, ALLOWED_ERRORS)


def test_the_table_is_of_this_code() -> None:
    """Run `make bench-stats` after a change of the intervals, the estimator, the orders or the simulation."""
    assert f"\n{HASH}{code_hash()}\n" in TABLE.read_text(encoding="utf-8")


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.promised], ids=lambda each: each.name)
def test_the_intervals_hold_wherever_95_percent_is_promised(scenario: Scenario) -> None:
    assert broken(scenario) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_interval_that_is_a_fifth_narrower_is_noticed(kind: str) -> None:
    """Each kind of interval by itself."""
    assert broken(SCENARIOS[0], Narrower(kind, 0.2)) != []


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if not each.promised], ids=lambda each: each.name)
def test_the_table_names_what_is_not_covered(scenario: Scenario) -> None:
    _, _, uncovered = TABLE.read_text(encoding="utf-8").partition("## Scenarios that are not covered")
    assert f"| {scenario.name}: {scenario.says} |" in uncovered
