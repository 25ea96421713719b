"""The time left: nothing before the first launch has ended, then ever less of a guess."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.catalogue.stacks import find_stack
from runner.planning.plan import Plan
from runner.storage.records import Record
from runner.storage.remaining import seconds_left, weight
from runner.vocabulary import Launch, TurnSize
from tests.runner.builders import plan, record

PLAN = plan(stacks=(find_stack("tf-1.12"), find_stack("tf-2.14")), topologies=("resnet50", "vgg16"))


def ended(launch: Launch, seconds: float) -> Record:
    """A launch that took so long."""
    model = record(launch.cell.variant, launch.block, topology=launch.cell.topology)
    return replace(model, launch_id=launch.launch_id, facts={**model.facts, "seconds": seconds})


def launch_of(stack: str, variant: str, topology: str, block: int = 1, of: Plan = PLAN) -> Launch:
    """One launch of the plan."""
    return next(
        each for each in of.launches
        if (each.cell.stack, each.cell.variant, each.cell.topology, each.block) == (stack, variant, topology, block)
    )  # fmt: skip


def test_before_the_first_launch_has_ended_nobody_knows() -> None:
    """No estimate is made up."""
    assert seconds_left(PLAN.launches, PLAN.launches, []) is None


def test_a_cell_that_was_seen_counts_with_its_own_mean() -> None:
    """Two blocks of 10 and 20 seconds: the third takes 15."""
    first, second = launch_of("tf-2.14", "stock", "resnet50"), launch_of("tf-2.14", "stock", "resnet50", 2)
    assert seconds_left([first], PLAN.launches, [ended(first, 10.0), ended(second, 20.0)]) == 15.0


def test_another_cell_is_scaled_from_the_same_variant_of_the_same_stack() -> None:
    """Stock TensorFlow 1.12 is no measure for stock 2.14, while there is one of its own."""
    old, new = launch_of("tf-1.12", "stock", "resnet50"), launch_of("tf-2.14", "stock", "resnet50")
    wanted = launch_of("tf-2.14", "stock", "vgg16")
    scale = weight(wanted) / weight(new)
    finished = [ended(old, 100.0), ended(new, 10.0)]
    assert seconds_left([wanted], PLAN.launches, finished) == pytest.approx(10.0 * scale)
    assert seconds_left([wanted], PLAN.launches, finished[:1]) == pytest.approx(100.0 * scale)


def test_without_its_variant_all_launches_are_the_measure() -> None:
    """The first launch of a run is the only one that is known."""
    seen, wanted = launch_of("tf-2.14", "intel", "resnet50"), launch_of("tf-2.14", "stock", "resnet50")
    assert seconds_left([wanted], PLAN.launches, [ended(seen, 12.0)]) == pytest.approx(12.0)


def test_launches_that_live_together_count_with_their_share_of_the_time() -> None:
    """Two end together after 20 s in each block: the block that is left takes 20 s, not 40."""
    together = plan(turns=TurnSize(2, 1.0))
    done, left = together.launches[:2], together.launches[2:]
    assert seconds_left(left, together.launches, [ended(launch, 20.0) for launch in done]) == pytest.approx(20.0)
