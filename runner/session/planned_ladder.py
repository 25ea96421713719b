"""Makes the plan of a ladder from options: reads the machine, chooses the pin, resolves the rungs. Runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Stack
from runner.catalogue.topology_file import UserTopology, chosen_topologies
from runner.engines.protocol import Notify
from runner.errors import UsageError
from runner.host.pin import Pin
from runner.machine import Machine
from runner.planning.bkm import for_user_topology
from runner.planning.ladder_file import Ladder, load_ladder
from runner.planning.ladder_plan import ladder_header, make_ladder_plan
from runner.planning.plan import Plan, Request
from runner.planning.resolve_ladder import ladder_pins, plan_rungs
from runner.planning.rungs import PlannedRung
from runner.session.options import PinOptions
from runner.session.planned import pin_from, stacks_from
from runner.session.this_host import LIVE_ROOT, machine_below
from runner.session.topology_description import Description
from runner.session.user_topology import user_topology_of
from runner.vocabulary import Launch, Steps

# One launch of ResNet50 at this batch size takes about 15 s on two cores, start to end.
DEFAULT_TOPOLOGIES = ("resnet50",)
DEFAULT_BATCH_SIZES = (4,)


@dataclass(frozen=True)
class LadderOptions:
    """What is measured: `ladder` is a name or a file; `time_limit` is in seconds, for the training of one launch."""

    ladder: str
    stack: tuple[str, ...] | None
    topologies: tuple[str, ...] | None
    topology_file: Path | None
    batch_sizes: tuple[int, ...] | None
    blocks: int
    steps: int
    warmup: int
    seed: int
    time_limit: float


@dataclass(frozen=True)
class PlannedLadder:
    """A ladder's plan with what it was made from. `description` is that of the user's own topology, once built."""

    ladder: Ladder
    machine: Machine
    request: Request
    rungs: Mapping[str, tuple[PlannedRung, ...]]
    plan: Plan
    user_topology: UserTopology | None = None
    description: Description | None = None

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks of the request."""
        return self.request.stacks

    @property
    def label(self) -> str:
        """What a new run's folder is named after."""
        return f"ladder-{self.ladder.name}"

    @property
    def launches(self) -> Sequence[Launch]:
        """The launches that are carried out."""
        return self.plan.launches

    @property
    def remarks(self) -> Sequence[str]:
        """Empty: the plan itself has the rungs that are left out, with the reasons."""
        return ()

    @property
    def kind_json(self) -> Mapping[str, Any]:
        """The keys that run.json has only for a ladder, with their values."""
        return ladder_header(self.ladder, self.rungs)

    def with_description(self, description: Description, notify: Notify) -> PlannedLadder:
        """The plan again, with the number of disjoint branches of the user's own topology. `notify` is not called."""
        ladder = replace(self.ladder, bkms=for_user_topology(self.ladder.bkms, description.disjoint_branches))
        laid_out = _laid_out(ladder, self.machine, self.request, self.plan.pin, self.user_topology)
        return replace(laid_out, description=description)


def plan_ladder(wanted: LadderOptions, where: PinOptions) -> PlannedLadder:
    """Make the plan that the options ask for, on this host.

    Raises:
        UsageError: an option asks for something that does not exist or is not possible on this host.
    """
    machine = machine_below(LIVE_ROOT)
    pin = pin_from(where, machine)
    user_topology = user_topology_of(wanted.topology_file)
    if user_topology is not None and wanted.topologies:
        raise UsageError(
            "A rung has the same settings for all topologies of a ladder, and inter-op threads follow from a network's "
            "own disjoint branches. Run one ladder with --topology-file and another with --topologies."
        )
    request = Request(
        stacks=stacks_from(wanted.stack),
        variants=(),
        topologies=chosen_topologies(wanted.topologies, DEFAULT_TOPOLOGIES, user_topology),
        batch_sizes=wanted.batch_sizes or DEFAULT_BATCH_SIZES,
        blocks=wanted.blocks,
        steps=Steps(warmup=wanted.warmup, timed=wanted.steps),
        seed=wanted.seed,
        time_limit_seconds=wanted.time_limit,
        user_topology=user_topology.file if user_topology else None,
    )
    return _laid_out(load_ladder(wanted.ladder), machine, request, pin, user_topology)


def _laid_out(
    ladder: Ladder, machine: Machine, request: Request, pin: Pin, user_topology: UserTopology | None
) -> PlannedLadder:
    pins = ladder_pins(machine, pin)
    rungs = {stack.name: plan_rungs(ladder, stack, pins, machine.processor) for stack in request.stacks}
    return PlannedLadder(ladder, machine, request, rungs, make_ladder_plan(request, ladder, rungs, pin), user_topology)
