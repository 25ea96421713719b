"""What a launch is held against: its own pin, also where that is not the run's."""

from __future__ import annotations

from typing import Any

from runner.observation import Context, differences_from_plan
from runner.pin import Pin
from tests.runner.builders import PIN, plan
from tests.runner.fake_engine import make_result

OTHER = Pin(cores=((2,), (3,)), mems=(1,), nodes=1, sockets=1)


def context(**enforced: Any) -> Context:
    """A session whose launches have the pin PIN."""
    return Context(1, "docker", enforced, {}, PIN, "article", "")


def test_a_launch_with_a_pin_of_its_own_is_held_to_its_own_memory_nodes() -> None:
    """An engine that holds launches to memory nodes holds this one to its pin's."""
    own = context(mems="0", network="none").pinned(OTHER)
    assert (own.pin, own.enforced) == (OTHER, {"mems": "1", "network": "none"})
    assert context(mems=None).pinned(OTHER).enforced == {"mems": None}
    same = context(mems="0")
    assert same.pinned(PIN) is same


def test_a_graph_that_was_optimised_against_the_plan_is_a_difference() -> None:
    """What the workload did is compared with what it was asked for."""
    launch = plan().launches[0]
    result = make_result(launch, PIN, 1.0)
    before = differences_from_plan(launch, context(), result)
    result["observed"]["graph_optimisation"] = False
    found = [text for text in differences_from_plan(launch, context(), result) if text not in before]
    assert found == ["graph_optimisation False instead of True"]
