"""Advice on the host and on launches: what starts it, what does not, and that it names what helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from runner.report.advice import Advice, frequency, host_advice, other_load, steal, throttling
from runner.report.findings import warnings
from runner.report.launch_advice import launch_advice
from runner.storage.records import Record
from tests.runner.builders import record
from tests.runner.claims.builders import results

Reading = Mapping[str, float | None]


def read(block: int, before: Reading, after: Reading) -> Record:
    launch = record(block=block)
    return replace(launch, facts={**launch.facts, "before": before, "after": after})


def stolen(block: int, seconds: float) -> Record:
    """A launch in which 100 s of CPU time passed, of which the hypervisor took so many."""
    return read(
        block, {"steal_seconds": 5.0, "cpu_seconds": 0.0}, {"steal_seconds": 5.0 + seconds, "cpu_seconds": 100.0}
    )


def clocked(block: int, before: float, after: float, celsius: float | None) -> Record:
    return read(block, {"cpu_mhz": before}, {"cpu_mhz": after, "cpu_temperature_celsius": celsius})


def speeds(*seconds: float) -> list[Record]:
    """Launches of one cell, block after block, each with two equal steps."""
    return [record(block=block, seconds=[9.0, each, each]) for block, each in enumerate(seconds, start=1)]


def about(records: Sequence[Record]) -> dict[str, Advice]:
    return {each.about: each for each in launch_advice(records)}


def test_steal_is_told_with_the_worst_launch() -> None:
    found = steal([stolen(1, 0.0), stolen(2, 8.0), stolen(3, 3.0)])
    assert found is not None
    assert "2 of 3 launches, and 8% in block2-" in found.text
    assert "--blocks" in found.what_to_do
    assert steal([stolen(1, 2.0)]) is None


def test_other_load_is_what_exceeds_the_pins_threads() -> None:
    """On two threads the launch before is a load of 2."""
    found = other_load([read(1, {"load_1_minute": 2.4}, {}), read(2, {"load_1_minute": 3.5}, {})], threads=2)
    assert found is not None
    assert "before 1 of 2 launches: the load was up to 3.5 on 2 threads, before block2-" in found.text
    assert "--cpus" in found.what_to_do


def test_a_clock_that_differs_from_launch_to_launch_is_told_with_the_command_that_fixes_it() -> None:
    found = frequency([clocked(1, 3000, 3000, None), clocked(2, 2600, 2600, None)])
    assert found is not None
    assert "between 2600 MHz (before block2-" in found.text
    assert "cpupower frequency-set" in found.what_to_do
    assert frequency([clocked(1, 3000, 3000, None), clocked(2, 2800, 2800, None)]) is None


def test_throttling_is_a_hot_processor_whose_clock_fell() -> None:
    found = throttling([clocked(1, 3000, 2500, 95.0), clocked(2, 3000, 3000, 96.0)])
    assert found is not None
    assert "up to 95 degrees Celsius and had lowered its clock after 1 of 2 launches" in found.text
    assert throttling([clocked(1, 3000, 2500, 60.0), clocked(2, 3000, 2500, None)]) is None


def test_what_was_not_read_gives_no_advice() -> None:
    """As in runs whose host shows neither steal nor clock."""
    unknown: Reading = {"steal_seconds": None, "cpu_seconds": None, "load_1_minute": None, "cpu_mhz": None}
    assert host_advice([record(), read(2, unknown, unknown)], threads=2) == []


def test_a_drift_over_the_run_is_told_in_its_direction() -> None:
    """Steps 2% longer with each block: 1 / 1.02^5 is 9% slower after five more blocks."""
    found = about(speeds(*(1.02**block for block in range(6))))["drift"]
    assert "9% slower from block 1 to block 6" in found.found
    assert "favours no variant" in found.what_to_do


def test_noise_is_no_drift() -> None:
    assert about(speeds(1.0, 1.04, 0.97, 1.03, 0.98, 1.02)) == {}


def test_a_launch_with_two_speeds_is_told_by_its_name() -> None:
    """Every third step takes a quarter longer, as if a neighbour came and went."""
    steps = [9.0, *([1.0, 1.01, 1.25, 1.005, 1.01, 1.26] * 3)]
    found = about([record(seconds=steps)])["two speeds"]
    assert "block1-tf-2.14-stock-resnet50-b4" in found.found
    assert "--warmup" in found.what_to_do


@pytest.mark.parametrize(
    "steps",
    [
        [1.0 + 0.02 * step for step in range(12)],  # one speed with a spread
        [*[1.0, 1.01, 1.005, 1.002] * 3, 1.5],  # one disturbed step
        [1.0, 1.0, 1.3, 1.3],  # too few to tell
    ],
)
def test_one_speed_is_not_taken_for_two(steps: list[float]) -> None:
    assert about([record(seconds=[9.0, *steps])]) == {}


def test_an_odd_launch_is_shown_by_its_number() -> None:
    """The fourth of six blocks takes 30% longer, which is 23% slower."""
    found = about(speeds(1.0, 1.01, 0.99, 1.3, 1.005, 0.995))["odd launches"]
    assert "block4-tf-2.14-stock-resnet50-b4 (block 4: 23% slower than the median)" in found.found


def test_few_launches_show_no_odd_one() -> None:
    assert about(speeds(1.0, 1.001, 1.0, 1.3, 1.0)) == {}


def test_warnings_have_the_advice_and_the_intervals_that_are_too_wide() -> None:
    """Six blocks that become 5% slower each, and a ratio that is 2 in one block and 0.2 in the next."""
    run = results(
        lambda variant, _, block: 0.95**block * (1.0 if variant == "stock" else 2.0 if block % 2 else 0.2),
        topologies=("resnet50", "vgg16"), blocks=6,
    )  # fmt: skip
    texts = warnings(run)
    (wide,) = (text for text in texts if "too wide" in text)
    assert wide.startswith("2 of 2 intervals are too wide to use. tf-1.12, ResNet50, intel over stock: 6 blocks cannot")
    stock_only = replace(run, records=tuple(each for each in run.records if each.cell.variant == "stock"))
    assert any("slower from block 1 to block 6" in text for text in warnings(stock_only))
