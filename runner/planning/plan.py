"""Turns a request into the ordered list of launches: a pure function of data. Runs nothing and reads no host.

The blocks follow one another, so that an interrupted run has results of every topology. Inside each block the
topologies are shuffled. The launches of one topology's variants live together and take turns, or run back to back. The
order of the variants in a block is mirrored in its partner block (rule 5 of CONTRIBUTING.md).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runner.catalogue.stacks import Stack
from runner.errors import UsageError
from runner.host.pin import Pin
from runner.planning.bkm import ResolvedBkms, inter_op_threads_of_user_topology
from runner.planning.memory import PAIR, most_together, why_not_together
from runner.vocabulary import Cell, Group, Launch, Steps, TopologyFile, Turn, Turns, TurnSize, one_of

DEFAULT_SEED = 1234
DEFAULT_TIME_LIMIT_SECONDS = 1800.0
# Two launches of each variant are the fewest from which a spread can be computed at all.
FEWEST_BLOCKS = 2
FEWEST_VARIANTS = 2

# Set in every launch of every variant: one locale, and the same string hashing in Python on every host.
BASE_ENVIRONMENT = {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class Request:
    """What the user requested, with defaults filled in. `variants` is empty for all variants of each stack.

    `user_topology` is the file of the user's own topology, if there is one. `branches` is the number of its disjoint
    branches; it is 1 until they have been counted. `time_limit_seconds` limits the training of one launch.
    With `turns` the launches of a block live together and take turns, where `memory_bytes` has room for them (None: not
    known, taken as enough); without, they follow one another.
    """

    stacks: tuple[Stack, ...]
    variants: tuple[str, ...]
    topologies: tuple[str, ...]
    batch_sizes: tuple[int, ...]
    blocks: int
    steps: Steps
    seed: int = DEFAULT_SEED
    time_limit_seconds: float = DEFAULT_TIME_LIMIT_SECONDS
    user_topology: TopologyFile | None = None
    branches: int = 1
    turns: TurnSize | None = None
    memory_bytes: int | None = None

    def file_of(self, topology: str) -> TopologyFile | None:
        """The file that builds a topology; None for a built-in one."""
        own = self.user_topology
        return own if own is not None and own.topology == topology else None


@dataclass(frozen=True)
class Plan:
    """Every launch of a run in order, with the pin and the BKMs that all of them share.

    `blocks` is the largest number of blocks of any group. `first_blocks` is the number of blocks that every group had
    before it was decided how many more there are: by their spread (--precision, --budget), or by hand (--more-blocks).
    It is None if there are no more.
    """

    pin: Pin
    bkms: ResolvedBkms
    blocks: int
    seed: int
    launches: tuple[Launch, ...]
    first_blocks: int | None = None

    def blocks_of(self, group: Group) -> int:
        """How many blocks a group has."""
        return max(launch.block for launch in self.launches if launch.cell.group == group)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The comparisons of the run, in the order a report shows them."""
        return tuple(sorted({launch.cell.group for launch in self.launches}, key=Group.report_order))

    def to_json(self) -> dict[str, Any]:
        """The plan as run.json keeps it."""
        return {
            "pin": self.pin.to_json(),
            "bkms": self.bkms.to_json(),
            "blocks": self.blocks,
            **({} if self.first_blocks is None else {"first_blocks": self.first_blocks}),
            "seed": self.seed,
            "launches": [launch.to_json() for launch in self.launches],
        }


def make_plan(request: Request, pin: Pin, bkms: ResolvedBkms) -> Plan:
    """Make the plan of a request with all its launches.

    Raises:
        UsageError: the number of blocks is too small or odd, a variant is unknown, fewer than two variants are left to
            compare, or a BKM sets a variable that one of the variants declares.
    """
    check_blocks(request.blocks)
    variants = {stack.name: choose_variants(stack, request) for stack in request.stacks}
    for stack in request.stacks:
        _require_undeclared(bkms, stack, variants[stack.name])
    groups = [
        (stack, Group(stack.name, topology, batch_size))
        for stack in request.stacks
        for topology in request.topologies
        for batch_size in request.batch_sizes
    ]
    rng = random.Random(request.seed)
    orders = {group: balanced_orders(variants[stack.name], request.blocks, rng) for stack, group in groups}
    launches = [
        launch
        for block in range(1, request.blocks + 1)
        for stack, group in rng.sample(groups, len(groups))
        for launch in _block(request, stack, group, orders[group][block - 1], block, bkms, rng)
    ]
    return Plan(pin, bkms, request.blocks, request.seed, tuple(launches))


def _block(
    request: Request, stack: Stack, group: Group, variants: Sequence[str], block: int, bkms: ResolvedBkms,
    rng: random.Random,
) -> list[Launch]:  # fmt: skip
    """One block's launches in the order of `variants`, in which they start; with turns, each knows all of them."""
    launches = [
        _launch(request, stack, group, variant, block, position, bkms)
        for position, variant in enumerate(variants, start=1)
    ]
    size = request.turns
    if size is None:
        return launches
    fitting = most_together(group.topology, group.batch_size, len(launches), request.memory_bytes)
    if not size.together or fitting < PAIR or _spinning(launches):
        alone = turn_order(1, request.steps, size, rng)
        return [replace(launch, turns=Turns(0, alone, size.burst_seconds)) for launch in launches]
    baseline = choose_variants(stack, request)[0]
    sittings = [launches] if fitting == len(launches) else sittings_of(launches, baseline)
    return [launch for sitting in sittings for launch in taking_turns(sitting, request.steps, size, rng)]


def sittings_of(block: Sequence[Launch], baseline: str) -> list[list[Launch]]:
    """Each candidate of a block with the baseline, in the order of the candidates in the block.

    The two of a sitting keep the order that they have in the block, which is balanced over the blocks.
    """
    ordered = sorted(launch.cell.variant for launch in block if launch.cell.variant != baseline)
    found = []
    for candidate in (launch for launch in block if launch.cell.variant != baseline):
        name = candidate.cell.variant
        both = [
            launch if launch is candidate else replace(launch, launch_id=f"{launch.launch_id}-beside-{name}")
            for launch in block
            if launch.cell.variant in (name, baseline)
        ]
        number = ordered.index(name) + 1
        found.append([replace(each, position=at, sitting=number) for at, each in enumerate(both, start=1)])
    return found


def taking_turns(sitting: Sequence[Launch], steps: Steps, size: TurnSize, rng: random.Random) -> list[Launch]:
    """Launches that live together, each with its place in the order of their turns."""
    order = turn_order(len(sitting), steps, size, rng)
    return [replace(each, turns=Turns(member, order, size.burst_seconds)) for member, each in enumerate(sitting)]


def _spinning(block: Sequence[Launch]) -> list[str]:
    return [launch.cell.variant for launch in block if spins_for_ever(launch.environment)]


def reasons_apart(request: Request, group: Group, block: Sequence[Launch]) -> list[str]:
    """Why a block's launches cannot all live together, and what they do instead, as sentences; none if they can."""
    spinning = list(dict.fromkeys(_spinning(block)))
    variants = len({launch.cell.variant for launch in block})
    crowded = why_not_together(group.topology, group.batch_size, variants, request.memory_bytes)
    return [
        *([] if crowded is None else [crowded]),
        *(
            f"{group.stack} {variant}: the launches of a block follow one another and do not take turns, because its "
            "OpenMP threads never sleep (KMP_BLOCKTIME=infinite or OMP_WAIT_POLICY=active)"
            for variant in spinning
        ),
    ]


def spins_for_ever(environment: Mapping[str, str]) -> bool:
    """Whether a launch's OpenMP threads never sleep while they have no work, so that nothing may run beside it.

    Threads that spin for a limited time are waited for before the turn is passed on.
    """
    blocktime = environment.get("KMP_BLOCKTIME", "").strip().lower()
    return blocktime.startswith("inf") or environment.get("OMP_WAIT_POLICY", "").strip().lower() == "active"


def turn_order(members: int, steps: Steps, size: TurnSize, rng: random.Random) -> tuple[Turn, ...]:
    """Every turn of a block's launches: warm-up, then timed bursts in balanced order, then the ends.

    In each round every launch has one burst. The rounds are ordered as blocks are (`balanced_orders`), so that a drift
    of the host inside the block favours no launch either. `steps` are the fewest of each launch.
    """
    everybody = [str(member) for member in range(members)]
    each = -(-steps.timed // size.bursts)  # rounded up
    warmup = [Turn(member, "warmup", steps.warmup) for member in range(members)] if steps.warmup else []
    rounds = balanced_orders(everybody, size.bursts, rng) if members > 1 else [("0",)] * size.bursts
    timed = [Turn(int(member), "timed", each) for order in rounds for member in order]
    return (*warmup, *timed, *(Turn(member, "end", 0) for member in range(members)))


def choose_variants(stack: Stack, request: Request) -> tuple[str, ...]:
    """The variants of one stack that a request compares, in the stack's order.

    Raises:
        UsageError: no requested stack has a variant of that name, or fewer than two variants are left to compare.
    """
    known = list(dict.fromkeys(name for each in request.stacks for name in each.variants))
    requested = [one_of("variant", name, known) for name in request.variants] or known
    chosen = tuple(name for name in stack.variants if name in requested)
    if len(chosen) < FEWEST_VARIANTS:
        raise UsageError(
            f"A comparison needs two variants. Of the stack {stack.name} only {', '.join(chosen) or 'none'} would run. "
            f"Name at least two of {', '.join(stack.variants)} with --variants, or leave the option out."
        )
    return chosen


def balanced_orders(variants: Sequence[str], blocks: int, rng: random.Random) -> list[tuple[str, ...]]:
    """One order of the variants for each block: rotations, each followed or preceded by its mirror image.

    In the first 2, 4, 6, ... blocks each variant runs before each other one exactly as often as after it. So a drift
    of the host that is linear over two neighbouring blocks favours no variant. Over 2n blocks each of the n variants is
    at each position equally often (for three variants: all six orders, a balanced square).
    """
    rotations = [tuple(variants[shift:]) + tuple(variants[:shift]) for shift in range(len(variants))]
    if len(variants) == FEWEST_VARIANTS:
        rotations = rotations[:1]  # the second rotation of two is the mirror of the first
    rng.shuffle(rotations)
    orders: list[tuple[str, ...]] = []
    while len(orders) < blocks:
        rotation = rotations[len(orders) // 2 % len(rotations)]
        pair = [rotation, rotation[::-1]]
        rng.shuffle(pair)
        orders.extend(pair)
    return orders[:blocks]


def check_blocks(blocks: int) -> None:
    """Refuse a number of blocks that gives no interval or no balanced order.

    Raises:
        UsageError: `blocks` is too small, or odd.
    """
    if blocks < FEWEST_BLOCKS:
        raise UsageError(
            f"--blocks {blocks} is too few for an interval, because one launch of each variant shows no spread. "
            f"Ask for at least {FEWEST_BLOCKS} with --blocks; 4 or more give intervals worth reading."
        )
    if blocks % 2:
        raise UsageError(
            f"--blocks {blocks} is odd. The order of the variants is mirrored from block to block, so that a drift of "
            f"the host favours no variant; that needs an even number. Ask for {blocks - 1} or {blocks + 1}."
        )


def _require_undeclared(bkms: ResolvedBkms, stack: Stack, variants: Sequence[str]) -> None:
    """Refuse a BKM that would apply to some variants only, because another variant declares the same variable.

    All variants together may declare another value than the set's: they then have the same settings.
    """
    chosen = [stack.variants[variant] for variant in variants]
    declared = [{entry.name: entry.value for entry in variant.environment} for variant in chosen]
    for variant in variants:
        for entry in stack.variants[variant].environment:
            is_of_all = all(each.get(entry.name) == entry.value for each in declared)
            if entry.name in bkms.environment and not is_of_all:
                raise UsageError(
                    f"The set of BKMs {bkms.name!r} sets {entry.name} to {bkms.environment[entry.name]!r}, and "
                    f"images/stacks.toml declares {entry.value!r} for {stack.name}/{variant}. The declared value would "
                    "be used on that variant, and the set's value on the others, so the variants would not have the "
                    "same settings. Leave the setting out, or choose other variants with --variants."
                )


def _fewest_steps(request: Request) -> Steps:
    """The steps that a launch trains at least. Every burst has equally many."""
    if request.turns is None:
        return request.steps
    bursts = request.turns.bursts
    return replace(request.steps, timed=bursts * -(-request.steps.timed // bursts))


def _launch(
    request: Request, stack: Stack, group: Group, variant: str, block: int, position: int, bkms: ResolvedBkms
) -> Launch:
    chosen = stack.variants[variant]
    declared = {entry.name: entry.value for entry in chosen.environment}
    user_topology = request.file_of(group.topology)
    environment: Mapping[str, str] = {**BASE_ENVIRONMENT, **bkms.environment, **declared}
    return Launch(
        launch_id=f"block{block}-{stack.name}-{variant}-{group.topology}-b{group.batch_size}",
        block=block,
        position=position,
        cell=Cell(stack.name, variant, group.topology, group.batch_size),
        installation=chosen.installation,
        layout=chosen.layout,
        steps=_fewest_steps(request),
        intra_op_threads=bkms.intra_op_threads,
        inter_op_threads=inter_op_threads_of_user_topology(bkms, request.branches)
        if user_topology
        else bkms.inter_op_threads,
        environment=dict(sorted(environment.items())),
        seed=request.seed,
        time_limit_seconds=request.time_limit_seconds,
        topology_file=user_topology,
    )
