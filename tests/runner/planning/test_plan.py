"""The plan: which launches, in which order, with which settings."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalogue.stacks import find_stack
from runner.errors import UsageError
from runner.host.pin import Pin
from runner.planning.bkm import load_bkms, resolve
from runner.planning.plan import balanced_orders, make_plan, spins_for_ever, turn_order
from runner.storage.header_json import recorded
from runner.vocabulary import Launch, Steps, Turn, TurnSize
from tests.runner.builders import PIN, plan, request

NAMES = ["stock", "stock-onednn", "intel", "fourth"]


@given(st.integers(2, 4), st.integers(1, 6), st.integers(0, 10**6))
def test_every_even_prefix_of_orders_is_pairwise_balanced(count: int, pairs: int, seed: int) -> None:
    """In every even number of leading blocks each variant runs before each other one as often as after it."""
    orders = balanced_orders(NAMES[:count], 2 * pairs, random.Random(seed))
    for length in range(2, len(orders) + 1, 2):
        for one, other in combinations(NAMES[:count], 2):
            before = sum(order.index(one) < order.index(other) for order in orders[:length])
            assert before == length / 2


@given(st.integers(0, 10**6))
def test_three_variants_over_six_blocks_make_a_balanced_square(seed: int) -> None:
    """Six blocks of three variants are all six orders, so each variant stands twice at each position."""
    orders = balanced_orders(NAMES[:3], 6, random.Random(seed))
    assert len(set(orders)) == 6
    assert set(Counter((name, order.index(name)) for order in orders for name in order).values()) == {2}


@given(st.integers(0, 10**6), st.integers(1, 4).map(lambda half: 2 * half))
def test_every_cell_runs_once_in_every_block_and_a_group_runs_back_to_back(seed: int, blocks: int) -> None:
    """A block holds each cell once, and the variants of one topology are neighbours in time."""
    launches = plan(topologies=("resnet50", "vgg16", "alexnet"), blocks=blocks, seed=seed).launches
    assert len({launch.launch_id for launch in launches}) == len(launches) == 3 * 2 * blocks
    for first, second in zip(launches[::2], launches[1::2], strict=True):
        assert (first.block, first.cell.group) == (second.block, second.cell.group)
        assert (first.position, second.position) == (1, 2)
    assert [launch.block for launch in launches] == sorted(launch.block for launch in launches)


def test_the_same_seed_gives_the_same_order_and_another_seed_another() -> None:
    names = ("inception3", "resnet50", "resnet152", "vgg16")
    first, again, other = (plan(topologies=names, blocks=4, seed=seed).launches for seed in (1, 1, 2))
    assert first == again
    assert [launch.launch_id for launch in first] != [launch.launch_id for launch in other]


def test_both_sides_of_a_pair_get_the_same_threads_and_differ_only_in_what_is_declared() -> None:
    """Stock and Intel differ in installation and in TF_ENABLE_ONEDNN_OPTS, in no other field of a launch."""
    stock, intel = sorted(plan().launches[:2], key=lambda launch: launch.cell.variant, reverse=True)
    assert (
        (stock.intra_op_threads, stock.inter_op_threads) == (intel.intra_op_threads, intel.inter_op_threads) == (2, 1)
    )
    assert set(stock.environment.items()) ^ set(intel.environment.items()) == {("TF_ENABLE_ONEDNN_OPTS", "0")}
    assert (stock.steps, stock.seed, stock.layout) == (intel.steps, intel.seed, intel.layout)


def test_a_pin_with_siblings_gets_the_articles_whole_affinity() -> None:
    """KMP_AFFINITY carries ',1,0' only where the pin holds hyper-threads of one core."""
    with_siblings = plan(pin=Pin(cores=((0, 2), (1, 3)), mems=(0,), nodes=1, sockets=1)).launches[0]
    without = plan().launches[0]
    assert with_siblings.environment["KMP_AFFINITY"] == "granularity=fine,verbose,compact,1,0"
    assert with_siblings.environment["OMP_NUM_THREADS"] == "2"
    assert without.environment["KMP_AFFINITY"] == "granularity=fine,verbose,compact"


def test_no_bkms_leave_threads_to_the_framework() -> None:
    launch = plan(bkms="none").launches[0]
    assert (launch.intra_op_threads, launch.inter_op_threads) == (0, 0)
    assert not [name for name in launch.environment if name.startswith(("OMP", "KMP"))]


@pytest.mark.parametrize(("blocks", "words"), [(0, "too few"), (1, "too few for an interval"), (3, "odd")])
def test_a_number_of_blocks_that_cannot_be_balanced_is_refused(blocks: int, words: str) -> None:
    """One block has no spread, an odd number favours whoever runs first more often."""
    with pytest.raises(UsageError, match=words):
        plan(blocks=blocks)


def test_an_unknown_variant_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean stock-onednn"):
        plan(variants=("stock", "stock-onedn"))


def test_one_variant_alone_is_no_comparison() -> None:
    with pytest.raises(UsageError, match="needs two variants"):
        plan(variants=("intel",))


def test_all_variants_of_a_stack_may_declare_another_value_than_the_bkms() -> None:
    """They then have the same settings. One that declares it alone would not, and is refused."""
    stack = find_stack("tf-2.21-zentf")
    made = plan(stacks=(stack,), variants=())
    assert {launch.environment["OMP_PROC_BIND"] for launch in made.launches} == {"false"}
    (lone,) = (entry for entry in stack.variants["zentf"].environment if entry.name == "OMP_PROC_BIND")
    stock = replace(stack.variants["stock"], environment=())
    stack = replace(stack, variants={"stock": stock, "zentf": stack.variants["zentf"]})
    with pytest.raises(UsageError, match=f"OMP_PROC_BIND to 'true'.*declares '{lone.value}' for tf-2.21-zentf/zentf"):
        plan(stacks=(stack,), variants=())


@pytest.mark.parametrize("turns", [None, TurnSize(4, 2.5), TurnSize(4, 2.5, together=False)])
def test_a_launch_survives_its_json(turns: TurnSize | None) -> None:
    """run.json keeps enough of it to make the launch again."""
    launch = plan(turns=turns).launches[0]
    assert recorded(json.loads(json.dumps(launch.to_json())), Launch, "a launch") == launch
    assert ("turns" in launch.to_json()) == (turns is not None)


@pytest.mark.parametrize("turn", [[0, "timed"], [0, "cooling", 1], ["0", "timed", 1], "timed"])
def test_a_turn_that_is_none_is_refused(turn: object) -> None:
    """As anything else in a run.json that was changed."""
    data = plan(turns=TurnSize(2, 1.0)).launches[0].to_json()
    data["turns"]["order"][1] = turn
    with pytest.raises(UsageError, match="member, phase and steps"):
        recorded(data, Launch, "a launch")


MEMBERS, SEEDS = st.integers(2, 4), st.integers(0, 10**6)
BURSTS = st.integers(1, 5).map(lambda half: 2 * half)


def order(members: int, bursts: int, steps: Steps, seed: int) -> tuple[Turn, ...]:
    """The turns of a block."""
    return turn_order(members, steps, TurnSize(bursts, 1.0), random.Random(seed))


@given(MEMBERS, BURSTS, st.integers(0, 3), SEEDS)
def test_a_block_warms_up_before_it_is_timed_and_ends_after_it(
    members: int, bursts: int, warmup: int, seed: int
) -> None:
    """Each launch has one turn to warm up, if it has steps for it, and one to end; both in the order of starting."""
    turns = order(members, bursts, Steps(warmup, 4), seed)
    count = members if warmup else 0
    assert turns[:count] == tuple(Turn(member, "warmup", warmup) for member in range(count))
    assert turns[-members:] == tuple(Turn(member, "end", 0) for member in range(members))
    assert {turn.phase for turn in turns[count:-members]} == {"timed"}


@given(MEMBERS, BURSTS, st.integers(1, 50), SEEDS)
def test_every_launch_has_all_bursts_and_no_fewer_steps_than_asked_for(
    members: int, bursts: int, timed: int, seed: int
) -> None:
    """Every burst has equally many steps, and no more than it takes."""
    turns = order(members, bursts, Steps(1, timed), seed)
    (each,) = {turn.steps for turn in turns if turn.phase == "timed"}
    assert bursts * (each - 1) < timed <= bursts * each
    assert Counter(turn.member for turn in turns if turn.phase == "timed") == dict.fromkeys(range(members), bursts)


@given(MEMBERS, BURSTS, SEEDS)
def test_in_every_pair_of_rounds_each_launch_comes_before_each_other_one_once(
    members: int, bursts: int, seed: int
) -> None:
    """So a drift of the host that is linear over two rounds favours no launch."""
    timed = [turn.member for turn in order(members, bursts, Steps(1, 1), seed) if turn.phase == "timed"]
    rounds = [timed[first : first + members] for first in range(0, len(timed), members)]
    assert all(sorted(each) == list(range(members)) for each in rounds)
    for first, second in zip(rounds[::2], rounds[1::2], strict=True):
        for one, other in combinations(range(members), 2):
            assert sum(each.index(one) < each.index(other) for each in (first, second)) == 1


def test_a_launch_alone_has_the_same_bursts_as_beside_others() -> None:
    phases = [turn.phase for turn in order(1, 4, Steps(2, 4), 1)]
    assert phases == ["warmup", *["timed"] * 4, "end"]


def test_the_launches_of_a_block_share_one_order_and_start_in_it() -> None:
    """A launch's number is its place among those that start; another block has an order of its own."""
    launches = plan(variants=(), blocks=4, turns=TurnSize(6, 2.0)).launches
    blocks = [launches[first : first + 3] for first in range(0, len(launches), 3)]
    for block in blocks:
        assert {launch.members for launch in block} == {3}
        assert [launch.turns.member for launch in block if launch.turns] == [0, 1, 2]
        assert [launch.position for launch in block] == [1, 2, 3]
        assert len({launch.turns.order for launch in block if launch.turns}) == 1
        assert {launch.turns.bursts for launch in block if launch.turns} == {6}
    assert len({block[0].turns.order for block in blocks if block[0].turns}) > 1


def test_launches_in_sequence_have_turns_of_their_own() -> None:
    launches = plan(turns=TurnSize(4, 2.0, together=False)).launches
    assert {launch.members for launch in launches} == {1}
    assert {(launch.turns.member, launch.turns.bursts) for launch in launches if launch.turns} == {(0, 4)}


@pytest.mark.parametrize(
    ("environment", "spins"),
    [
        ({}, False),
        ({"KMP_BLOCKTIME": "1"}, False),
        ({"KMP_BLOCKTIME": "200"}, False),
        ({"KMP_BLOCKTIME": "infinite"}, True),
        ({"KMP_BLOCKTIME": " INFINITE"}, True),
        ({"KMP_BLOCKTIME": "inf"}, True),
        ({"OMP_WAIT_POLICY": "passive"}, False),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, True),
    ],
)
def test_threads_that_spin_for_ever_let_nothing_run_beside_them(environment: dict[str, str], spins: bool) -> None:
    """Such a block runs in sequence; threads that spin for a limited time are waited for."""
    assert spins_for_ever(environment) == spins
    bkms = resolve(load_bkms("article"), PIN)
    settings = {name: value for name, value in bkms.environment.items() if name != "KMP_BLOCKTIME"} | environment
    launches = make_plan(request(turns=TurnSize(2, 1.0)), PIN, replace(bkms, environment=settings)).launches
    assert {launch.members for launch in launches} == ({1} if spins else {2})
    assert all(launch.turns is not None for launch in launches)
