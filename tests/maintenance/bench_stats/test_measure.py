"""The numbers of components.toml are found again in records that were simulated from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from maintenance.bench_stats.measure import of_one_launch
from maintenance.bench_stats.scenarios import SCENARIOS, load_noise
from maintenance.bench_stats.simulation import Array, Size, launches, typical_step
from runner.stats.noise import cells, pairs
from runner.stats.results import Results
from tests.runner.builders import record
from tests.runner.claims.builders import results

BLOCKS = 300


def test_the_components_of_a_run_by_turns_are_those_that_it_was_made_from() -> None:
    """300 blocks of stock and Intel; the plan has two, and gives their names. Within 4 standard errors or so."""
    noise = replace(load_noise(), steps_in_a_burst=2)  # one step does not tell a step from its burst
    kept: list[Array] = []

    def keep(seconds: Array) -> Array:
        kept.append(seconds)
        return typical_step(seconds)

    launches(SCENARIOS[0], noise, Size(2, 4, 4), 400, 3, keep)
    blocks = kept[0].reshape(-1, 4, 2, noise.steps_in_a_burst)[:BLOCKS]
    run = run_of(blocks)
    by_cell, by_pair = cells(run), pairs(run)
    assert [each.name for each in by_cell] == ["stock", "intel"]
    assert [each.name for each in by_pair] == ["intel / stock"]
    found = of_one_launch(by_cell, by_pair)
    assert found["step"] == pytest.approx(noise.step, rel=0.06)
    assert found["burst"] ** 2 == pytest.approx(noise.burst**2, abs=5e-4)
    assert found["launch"] ** 2 == pytest.approx(noise.launch**2, abs=2.5e-4)


def run_of(blocks: Array) -> Results:
    """A run whose launches have these steps, by block, burst, variant and step, after one of warm-up."""
    turns = [0, *np.repeat(np.arange(2, 2 + blocks.shape[1]), blocks.shape[3]).tolist()]
    records = [
        record(name, block, [9.0, *steps[:, number].flatten().tolist()], turns=turns)
        for block, steps in enumerate(blocks, start=1)
        for number, name in enumerate(("stock", "intel"))
    ]
    planned = results(lambda *_: 1.0, stack="tf-2.14", topologies=("resnet50",), batch_size=4, blocks=2)
    return replace(planned, records=tuple(records))
