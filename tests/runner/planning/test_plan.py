"""The plan: which launches, in which order, with which settings."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.host.pin import Pin
from runner.planning.plan import balanced_orders
from runner.storage.header_json import recorded
from runner.vocabulary import Launch
from tests.runner.builders import plan

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


def test_a_launch_survives_its_json() -> None:
    """run.json keeps enough of it to make the launch again."""
    launch = plan().launches[0]
    assert recorded(launch.to_json(), Launch, "a launch") == launch
