"""Simulated runs by turns, as arrays: the logarithm of each launch's typical step, from steps in the plan's orders."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from scipy.signal import lfilter

from maintenance.bench_stats.scenarios import TOPOLOGIES, Noise, Scenario
from runner.planning.plan import balanced_orders

Array = np.ndarray[Any, np.dtype[np.float64]]

# So many runs share their orders, and are simulated together.
CHUNK = 400
# The last variant of two is the candidate, and has the last variant's noise of three.
_VARIANTS = {2: [0, 2], 3: [0, 1, 2]}
OUTLIER = np.log(1.5)
STATE_BETWEEN_BLOCKS = 0.9


@dataclass(frozen=True)
class Size:
    """How many variants, blocks and bursts of each launch a simulated run has."""

    variants: int
    blocks: int
    bursts: int


@dataclass(frozen=True)
class Orders:
    """Who is where, for each topology and block: in the order of starting, and in each round of bursts.

    `start` is indexed by topology, block and variant, `place` also by round before the variant. Both count from 0.
    """

    start: Array
    place: Array


def typical_step(seconds: Array) -> Array:
    """Return the logarithm of `runner.stats.estimators.typical_step` for steps by ..., burst, variant and step."""
    logs = np.sort(np.log(seconds.mean(axis=-1)), axis=-2)
    bursts = logs.shape[-2]
    outside = bursts // 4
    kept: Array = logs[..., outside : bursts - outside, :].mean(axis=-2)
    return kept


def launches(
    scenario: Scenario, noise: Noise, size: Size, runs: int, seed: int,
    estimator: Callable[[Array], Array] = typical_step,
) -> Array:  # fmt: skip
    """Return the logarithm of the typical step of every launch, by run, topology, block and variant.

    All variants are equally fast but for what the scenario does to them. The same seed gives the same runs.
    """
    chunks = []
    for number in range(-(-runs // CHUNK)):
        rng = np.random.default_rng([seed, number, crc32(scenario.name.encode())])
        orders = draw_orders(size, random.Random(f"{seed} {number}"))
        chunks.append(estimator(_steps(scenario, noise, size, orders, rng)))
    return np.concatenate(chunks)[:runs]


def draw_orders(size: Size, rng: random.Random) -> Orders:
    """Return orders as a plan draws them: of the blocks' starts, and then of the members in each block's rounds."""
    names = [str(number) for number in range(size.variants)]
    start = np.empty((TOPOLOGIES, size.blocks, size.variants))
    place = np.empty((TOPOLOGIES, size.blocks, size.bursts, size.variants))
    for topology in range(TOPOLOGIES):
        for block, order in enumerate(balanced_orders(names, size.blocks, rng)):
            started = [int(name) for name in order]
            start[topology, block, started] = range(size.variants)
            for number, members in enumerate(balanced_orders(names, size.bursts, rng)):
                # A round's order is of members, and a member's number is its place in the order of starting.
                place[topology, block, number, [started[int(member)] for member in members]] = range(size.variants)
    return Orders(start, place)


def _steps(scenario: Scenario, noise: Noise, size: Size, orders: Orders, rng: np.random.Generator) -> Array:
    """Return the seconds of every step, by run, topology, block, burst, variant and step."""
    chosen = _VARIANTS[size.variants]
    shape = (CHUNK, TOPOLOGIES, size.blocks, size.bursts, size.variants)
    spread = scenario.measured * np.outer(scenario.noise_by_topology, np.take(scenario.noise_by_variant, chosen))
    spread = spread[:, np.newaxis, np.newaxis, :]  # by topology and variant, the same in each block and burst
    disturbed = np.take(scenario.disturbed_by_variant, chosen)
    bursts = noise.burst * spread * rng.standard_normal(shape)
    bursts += _of_launches(scenario, noise, spread, disturbed, shape, rng)
    bursts += _of_the_host(scenario, orders, shape, rng)
    if scenario.interference_in_burst:
        bursts += np.log1p(scenario.interference_in_burst * disturbed * rng.standard_exponential(shape))
    if scenario.outliers:
        bursts += OUTLIER * (rng.random(shape) < scenario.outliers * disturbed)
    steps = rng.standard_normal((*shape, noise.steps_in_a_burst))
    seconds: Array = np.exp(bursts[..., np.newaxis] + noise.step * spread[..., np.newaxis] * steps)
    return seconds


def _of_launches(
    scenario: Scenario, noise: Noise, spread: Array, disturbed: Array, shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Return what all bursts of a launch have in common."""
    one = (*shape[:3], 1, shape[4])
    found: Array = noise.launch * spread * rng.standard_normal(one)
    if scenario.interference_in_launch:
        found += np.log1p(scenario.interference_in_launch * disturbed * rng.standard_exponential(one))
    if scenario.slow_launches:
        found += scenario.slow_by * (rng.random(one) < scenario.slow_launches * disturbed)
    if scenario.own_state:
        found += scenario.own_state * _correlated(rng, one, axis=2, memory=STATE_BETWEEN_BLOCKS)
    return found


def _of_the_host(scenario: Scenario, orders: Orders, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return what comes from the time and the order of the turns."""
    _, topologies, blocks, bursts, variants = shape
    rounds = np.arange(blocks * bursts).reshape(blocks, bursts, 1)
    turn = rounds * variants + orders.place
    found: Array = scenario.drift * turn / (bursts * variants) + scenario.place * orders.place
    found = found + scenario.start * orders.start[:, :, np.newaxis, :]
    if not scenario.state:
        return found
    states = _correlated(rng, (shape[0], topologies, blocks * bursts * variants), axis=2, memory=scenario.memory)
    at_turn = turn.astype(int).reshape(1, topologies, -1)
    return found + scenario.state * np.take_along_axis(states, at_turn, axis=2).reshape(shape)


def _correlated(rng: np.random.Generator, shape: tuple[int, ...], axis: int, memory: float) -> Array:
    """Return a stationary series of standard deviation 1 along an axis, each value correlated with the one before."""
    fresh = rng.standard_normal(shape)
    first = [slice(None)] * len(shape)
    first[axis] = slice(0, 1)
    fresh[tuple(first)] /= np.sqrt(1 - memory**2)
    found: Array = np.sqrt(1 - memory**2) * lfilter([1.0], [1.0, -memory], fresh, axis=axis)
    return found
