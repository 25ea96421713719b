"""What launches need together is predicted from their topology and batch size, and held against what is free."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pytest

from runner.machine import Sysroot, read_machine
from runner.planning.extend import extended
from runner.planning.memory import GB, USABLE_SHARE, most_together, predicted_bytes, why_not_together
from runner.session.execute import living_together
from runner.session.planned import memory_of
from runner.topologies import BUILT_IN
from runner.vocabulary import TurnSize
from tests.runner.builders import plan

# The largest peak memory of a launch of any stack and variant at these batch sizes, in 10^9 bytes, as
# results/sample and a run of the preset quick measured it before launches read their graphs.
MEASURED = {
    ("inception3", 4): 1.85, ("inception3", 32): 4.82, ("resnet50", 4): 1.86, ("resnet50", 32): 4.50,
    ("resnet152", 4): 3.50, ("resnet152", 32): 9.63, ("vgg16", 4): 4.73, ("vgg16", 32): 8.21,
    ("alexnet", 4): 2.23, ("alexnet", 32): 2.18, ("googlenet", 4): 0.85, ("googlenet", 32): 1.62,
}  # fmt: skip


@pytest.mark.parametrize(("topology", "batch_size"), MEASURED)
def test_a_prediction_is_near_what_was_measured_and_not_far_below_it(topology: str, batch_size: int) -> None:
    found = (predicted_bytes(topology, batch_size) or 0) / GB
    assert 0.98 * MEASURED[topology, batch_size] <= found <= 1.25 * MEASURED[topology, batch_size]


def test_every_built_in_topology_is_predicted_and_a_users_own_is_not() -> None:
    assert all(predicted_bytes(name, 1) for name in BUILT_IN)
    assert predicted_bytes("my_net", 32) is None
    assert why_not_together("my_net", 10**6, 3, 1) is None


def test_launches_that_fit_live_together_and_others_do_not() -> None:
    need = 3 * (predicted_bytes("vgg16", 32) or 0)
    assert why_not_together("vgg16", 32, 3, int(need / USABLE_SHARE) + GB) is None
    reason = why_not_together("vgg16", 32, 3, int(need / USABLE_SHARE) - GB)
    assert reason is not None
    assert "VGG16 at batch size 32" in reason
    assert "takes turns with one candidate at a time" in reason
    assert why_not_together("vgg16", 32, 2, int(need / USABLE_SHARE) - GB) is None, "two of them fit"
    assert "follow one another" in (why_not_together("vgg16", 32, 3, int(need / USABLE_SHARE / 2)) or "")
    assert why_not_together("vgg16", 32, 3, None) is None, "nothing is known of this host's memory"


def test_a_plan_lets_launches_follow_one_another_where_they_do_not_fit() -> None:
    made = plan(topologies=("vgg16", "resnet50"), turns=TurnSize(2, 1.0), memory_bytes=8 * GB)
    members = {each.cell.topology: each.members for each in made.launches}
    assert members == {"vgg16": 1, "resnet50": 2}


def test_as_many_live_together_as_fit_and_one_at_least() -> None:
    each = predicted_bytes("vgg16", 32) or 0
    room = [int(times * each / USABLE_SHARE) + GB for times in (0, 1, 2, 3, 9)]
    assert [most_together("vgg16", 32, 3, memory) for memory in room] == [1, 1, 2, 3, 3]
    assert most_together("vgg16", 32, 3, None) == 3


def test_where_two_of_three_fit_the_baseline_takes_turns_with_one_candidate_at_a_time() -> None:
    """Each sitting has two launches, the baseline among them; who starts first is balanced over partner blocks."""
    room = int(2.2 * (predicted_bytes("vgg16", 4) or 0) / USABLE_SHARE)
    made = plan(topologies=("vgg16",), variants=(), blocks=4, turns=TurnSize(2, 1.0), memory_bytes=room)
    longer = extended(made, dict.fromkeys(made.groups, 8))
    assert len({each.launch_id for each in longer.launches}) == len(longer.launches) == 8 * 4
    sittings = list(living_together(longer.launches))
    assert [len(each) for each in sittings] == [2] * 16
    for number, candidate in ((1, "intel"), (2, "stock-onednn")):
        own = [each for each in sittings if each[0].sitting == number]
        assert [each[0].block for each in own] == list(range(1, 9))
        assert all({each.cell.variant for each in both} == {"stock", candidate} for both in own)
        assert all([each.position for each in both] == [1, 2] for both in own)
        first = [both[0].cell.variant for both in own]
        assert all(first[at] != first[at + 1] for at in range(0, 8, 2))
    blocks = [block for block, _ in groupby(longer.launches, key=lambda each: each.block)]
    assert blocks == list(range(1, 9)), "the sittings of a block follow one another"


def test_memory_is_what_is_free_within_the_limit() -> None:
    machine = read_machine(Sysroot())
    free = replace(machine.readings, memory_available_bytes=20 * GB)
    limited = replace(machine.limits, memory_limit_bytes=8 * GB)
    assert memory_of(replace(machine, readings=free, limits=limited)) == 8 * GB
    assert memory_of(replace(machine, readings=free, limits=replace(limited, memory_limit_bytes=None))) == 20 * GB
