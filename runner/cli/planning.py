"""From parsed options to a plan: reads the machine, chooses the pin, fills in the preset. Runs nothing."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from runner.catalogue.presets import Preset, find_preset
from runner.catalogue.stacks import Stack, find_stack
from runner.catalogue.topology_file import OwnTopology, chosen_topologies
from runner.cli.own_topology import own_topology_of
from runner.host.doctor import Asked
from runner.host.notes import notes_on
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine
from runner.planning.bkm import ResolvedBkms, load_bkms, resolve, with_inter_op_threads
from runner.planning.plan import Plan, Request, make_plan
from runner.session.this_host import LIVE_ROOT, machine_below, problems
from runner.session.topology_description import Description
from runner.vocabulary import Steps

DEFAULT_STACKS = ("tf-2.14",)
DEFAULT_PRESET = "quick"


@dataclass(frozen=True)
class Planned:
    """A plan with what it was made from. `description` is of the user's own topology, once it has been built.

    `problems` are what a run would be refused for on this host: a plan can be made all the same, for another one.
    `notes` are what the pin leaves out on it, and what makes figures of it doubtful.
    """

    machine: Machine
    preset: Preset
    request: Request
    plan: Plan
    own: OwnTopology | None = None
    description: Description | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks of the request."""
        return self.request.stacks

    @property
    def left_out(self) -> list[str]:
        """Sentences on the variants that the preset left out, where they are not run after all."""
        return left_out(self.preset, self.stacks, self.plan)


def left_out(preset: Preset, stacks: tuple[Stack, ...], plan: Plan) -> list[str]:
    """Sentences on the variants of these stacks that a preset left out, where the plan does not run them after all."""
    run = {launch.cell.variant for launch in plan.launches}
    exist = {name for stack in stacks for name in stack.variants}
    return [text for name, text in preset.left_out.items() if name in exist and name not in run]


def plan_from(arguments: argparse.Namespace, sysroot: Path = LIVE_ROOT) -> Planned:
    """Make the plan that the options ask for, on the host below `sysroot`.

    Raises:
        UsageError: an option asks for something that does not exist or cannot be had on this host.
    """
    machine = machine_below(sysroot)
    pin = pin_from(arguments, machine)
    preset = preset_from(arguments)
    own = own_topology_of(arguments)
    request = request_from(arguments, preset, own)
    plan = make_plan(request, pin, bkms_from(arguments, arguments.bkms, pin))
    return Planned(
        machine,
        preset,
        request,
        plan,
        own,
        problems=problems(machine, pin, asked_from(arguments), contained=arguments.engine == "docker"),
        notes=notes_on(machine, pin),
    )


def preset_from(arguments: argparse.Namespace) -> Preset:
    """The preset that --preset names, or quick.

    Where none is named, and topologies and batch sizes are, every variant runs: what quick saves a bar for is the size
    of its own run.
    """
    preset = find_preset(arguments.preset or DEFAULT_PRESET)
    named = arguments.topologies or getattr(arguments, "topology_file", None)
    if arguments.preset is None and named and arguments.batch_sizes:
        return replace(preset, variants=(), left_out={})
    return preset


def pin_from(arguments: argparse.Namespace, machine: Machine) -> Pin:
    """The pin that --cpus, --cores and --headroom ask for."""
    return choose_pin(machine, cpus=arguments.cpus, cores=arguments.cores, headroom=arguments.headroom)


def asked_from(arguments: argparse.Namespace) -> Asked:
    """How the pin is asked for, for advice that goes with it."""
    return Asked(headroom=arguments.headroom, listed=arguments.cpus is not None)


def bkms_from(arguments: argparse.Namespace, name: str, pin: Pin) -> ResolvedBkms:
    """A set of BKMs for the pin, with the inter-op threads that --inter-op asks for."""
    bkms = resolve(load_bkms(name), pin)
    return bkms if arguments.inter_op is None else with_inter_op_threads(bkms, arguments.inter_op)


def stacks_from(arguments: argparse.Namespace) -> tuple[Stack, ...]:
    """The stacks that --stack names, or the default one."""
    return tuple(find_stack(name) for name in arguments.stack or DEFAULT_STACKS)


def request_from(arguments: argparse.Namespace, preset: Preset, own: OwnTopology | None = None) -> Request:
    """The preset with everything that the command line overrides."""
    steps = Steps(
        warmup=preset.warmup_steps if arguments.warmup is None else arguments.warmup,
        timed=arguments.steps or preset.timed_steps,
    )
    return Request(
        stacks=stacks_from(arguments),
        variants=arguments.variants or preset.variants,
        topologies=chosen_topologies(arguments.topologies, preset.topologies, own),
        batch_sizes=arguments.batch_sizes or preset.batch_sizes,
        blocks=preset.blocks if arguments.blocks is None else arguments.blocks,
        steps=steps,
        seed=arguments.seed,
        time_limit_seconds=arguments.time_limit,
        own_topology=own.file if own else None,
    )
