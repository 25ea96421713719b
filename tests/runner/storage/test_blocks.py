"""What is left of a plan: whole blocks, each to be completed by one session."""

from __future__ import annotations

import pytest

from runner.storage.blocks import remaining
from runner.storage.records import Record
from runner.vocabulary import Launch
from tests.runner.builders import plan, record

PLAN = plan(topologies=("resnet50", "vgg16"))
FAILED = {"kind": "failed", "message": "why"}


def ended(launch: Launch, session: int = 1, error: dict[str, str] | None = None) -> Record:
    """A launch of the plan that has ended in a session."""
    return record(launch.cell.variant, launch.block, topology=launch.cell.topology, session=session, error=error)


def ids(launches: list[Launch]) -> list[str]:
    """The launches' names."""
    return [launch.launch_id for launch in launches]


def test_before_anything_has_ended_all_is_left() -> None:
    assert remaining(PLAN.launches, []) == list(PLAN.launches)


def test_a_complete_block_is_not_left() -> None:
    """The first block of one topology: its two launches, and no others, are done."""
    done = [ended(launch) for launch in PLAN.launches[:2]]
    assert remaining(PLAN.launches, done) == list(PLAN.launches[2:])


@pytest.mark.parametrize("error", [None, FAILED], ids=["interrupted", "failed"])
def test_a_broken_block_is_left_whole(error: dict[str, str] | None) -> None:
    """Its second launch has no record or a failed one. Both launches are left, in the planned order."""
    done = [ended(launch) for launch in PLAN.launches if launch is not PLAN.launches[3]]
    failed = [ended(PLAN.launches[3], error=error)] if error else []
    assert remaining(PLAN.launches, [*done, *failed]) == list(PLAN.launches[2:4])


def test_two_sessions_do_not_make_a_block_complete_together() -> None:
    """Each launch has a success, and no session has both: what earlier versions divided by one another."""
    first, second = PLAN.launches[:2]
    done = [ended(launch) for launch in PLAN.launches[2:]]
    assert remaining(PLAN.launches, [ended(first, 1), ended(second, 2), *done]) == [first, second]
    assert remaining(PLAN.launches, [ended(first, 1), ended(second, 2), ended(first, 2), *done]) == []


def test_another_batch_size_is_another_block() -> None:
    """A block is of one group: topology and batch size."""
    of_two = plan(batch_sizes=(4, 8))
    done = [record(each.cell.variant, each.block, batch_size=each.cell.batch_size) for each in of_two.launches[:3]]
    assert remaining(of_two.launches, done) == list(of_two.launches[2:])


def test_what_is_not_needed_completes_no_block_and_is_run_again_only_where_it_was_run() -> None:
    """An inert rung: its block is complete without it; a broken block has all that the session before had in it."""
    first, second, third, fourth = PLAN.launches[:4]
    needed = {launch.launch_id for launch in PLAN.launches} - {second.launch_id, fourth.launch_id}
    later = [ended(launch) for launch in PLAN.launches[4:]]
    assert remaining(PLAN.launches, [ended(first), ended(third), *later], needed) == []
    broken = [ended(first, error=FAILED), ended(second), ended(third, error=FAILED), *later]
    assert remaining(PLAN.launches, broken, needed) == [first, second, third]
    assert remaining(PLAN.launches[:2], [], needed=()) == []
