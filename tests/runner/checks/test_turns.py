"""Did the launches of a block take turns as planned? Judged by what they recorded alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from runner.checks.turns import faults_in_turns
from runner.storage.launch_result import Burst, LaunchResult
from runner.vocabulary import Launch, Turn, TurnSize
from tests.runner.builders import plan

TOGETHER = plan(turns=TurnSize(bursts=2, burst_seconds=1.0), variants=()).launches[:3]
ALONE = plan(turns=TurnSize(bursts=2, burst_seconds=1.0, together=False)).launches[0]
Turns = dict[int, Burst]


def as_planned(idle_cpu_seconds: float | None = 0.001) -> Turns:
    """The bursts of a block by their numbers: turn N is from second 10 N to 10 N + 9."""
    return {
        number: Burst(number, turn.phase, 10.0 * number, 10.0 * number + 9, idle_cpu_seconds, 0.0)
        for number, turn in enumerate(order_of(TOGETHER[0]))
        if turn.phase != "end"
    }


def order_of(launch: Launch) -> tuple[Turn, ...]:
    """Every turn of the launch's block."""
    assert launch.turns is not None
    return launch.turns.order


def faults(bursts: Turns) -> list[list[str]]:
    """The faults of each launch of the block, in the order of the members."""
    members = {number: turn.member for number, turn in enumerate(order_of(TOGETHER[0]))}
    block = {
        launch.launch_id: (launch, LaunchResult(bursts=tuple(
            burst for number, burst in sorted(bursts.items()) if members[number] == member
        )))
        for member, launch in enumerate(TOGETHER)
    }  # fmt: skip
    found = faults_in_turns(block)
    assert list(found) == list(block)
    return list(found.values())


def member_of(number: int) -> int:
    """Whose turn it is."""
    return order_of(TOGETHER[0])[number].member


def test_bursts_as_planned_have_no_fault() -> None:
    assert faults(as_planned()) == [[], [], []]


def test_no_launch_has_no_fault() -> None:
    """All of them may have died before they wrote a result."""
    assert faults_in_turns({}) == {}


def test_a_launch_that_wrote_no_burst_is_not_judged() -> None:
    """That bursts are missing is for the launch's own error to say."""
    assert faults({}) == [[], [], []]


def test_two_bursts_at_the_same_time_are_a_fault_of_both_and_of_no_other() -> None:
    bursts = as_planned()
    bursts[0] = replace(bursts[0], ended=bursts[1].began + 0.001)
    found = faults(bursts)
    ids = [launch.launch_id for launch in TOGETHER]
    assert found == [
        [f"turn 0 and turn 1 of {ids[1]} trained at the same time"],
        [f"turn 1 and turn 0 of {ids[0]} trained at the same time"],
        [],
    ]


def test_bursts_that_touch_do_not_overlap() -> None:
    bursts = as_planned()
    bursts[0] = replace(bursts[0], ended=bursts[1].began)
    assert faults(bursts) == [[], [], []]


def test_a_burst_that_lasts_through_several_others_is_a_fault_of_all_of_them() -> None:
    """Also of one that began after a shorter burst had ended."""
    bursts = as_planned()
    bursts[0] = replace(bursts[0], ended=bursts[2].began + 1)
    assert [len(each) for each in faults(bursts)] == [2, 1, 1]


def test_bursts_in_another_order_than_planned_are_a_fault_of_both() -> None:
    """The first two launches' warm-ups changed places, and nobody overlapped."""
    bursts = as_planned()
    bursts[0], bursts[1] = (
        replace(bursts[0], began=bursts[1].began, ended=bursts[1].ended),
        replace(bursts[1], began=bursts[0].began, ended=bursts[0].ended),
    )
    found = faults(bursts)
    assert [len(each) for each in found] == [1, 1, 0]
    assert all("came in another order than planned" in each[0] for each in found[:2])


def test_cpu_time_of_a_launch_that_waits_is_its_own_fault() -> None:
    """One OpenMP thread that spins uses a whole CPU while the others train."""
    bursts = as_planned()
    (spinning, *_) = (number for number in bursts if member_of(number) == 1 and number > 2)
    bursts[spinning] = replace(bursts[spinning], idle_cpu_seconds=15.0)
    first, second, third = faults(bursts)
    assert (first, third) == ([], [])
    (told,) = second
    assert "15.00 s of CPU" in told


@pytest.mark.parametrize(("share", "count"), [(0.019, 0), (0.021, 1)])
def test_two_hundredths_of_the_time_that_it_waited_are_the_limit(share: float, count: int) -> None:
    """Over all waits of the launch together."""
    bursts = as_planned()
    mine = [number for number in bursts if member_of(number) == 0]
    waited = sum(bursts[other].began - bursts[one].ended for one, other in pairwise(mine))
    for number in mine[1:]:
        bursts[number] = replace(bursts[number], idle_cpu_seconds=share * waited / (len(mine) - 1))
    assert [len(each) for each in faults(bursts)] == [count, 0, 0]


def test_some_milliseconds_of_cpu_in_short_waits_are_no_fault() -> None:
    """A wake-up costs as much."""
    bursts = {
        number: replace(burst, began=number / 100, ended=number / 100 + 0.009, idle_cpu_seconds=0.005)
        for number, burst in as_planned().items()
    }
    assert faults(bursts) == [[], [], []]


def test_a_launch_that_has_the_cpus_to_itself_may_use_them_between_its_bursts() -> None:
    """It disturbs nobody."""
    bursts = tuple(Burst(number, "timed", 10.0 * number, 10.0 * number + 1, 9.0, None) for number in (1, 2))
    assert faults_in_turns({ALONE.launch_id: (ALONE, LaunchResult(bursts=bursts))}) == {ALONE.launch_id: []}
